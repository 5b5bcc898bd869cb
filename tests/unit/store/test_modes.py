"""What may read and write what is installed, as the configuration says it."""

from __future__ import annotations

import grp
import os
import shutil
import stat
from pathlib import Path
from typing import Any

import pytest

from spack.config.packages import Permissions
from spack.errors import ConfigError, StoreError
from spack.store import Modes, apply_modes, modes_of

#: read, write -> directory, file, program.
TABLE = {
    (None, None): (0o755, 0o444, 0o555),
    ("world", "user"): (0o755, 0o444, 0o555),
    ("group", None): (0o750, 0o440, 0o550),
    ("user", "user"): (0o700, 0o400, 0o500),
    ("world", "group"): (0o2775, 0o664, 0o775),
    ("group", "group"): (0o2770, 0o660, 0o770),
    ("world", "world"): (0o2777, 0o666, 0o777),
}


@pytest.mark.parametrize(("read", "write"), TABLE)
def test_the_table(read: Any, write: Any) -> None:
    found = modes_of(Permissions(read, write))
    assert tuple(map(oct, found[:3])) == tuple(map(oct, TABLE[read, write]))


def test_without_sgid_and_with_a_group() -> None:
    assert modes_of(Permissions("world", "group"), allow_sgid=False).directory == 0o775
    try:
        name = grp.getgrgid(os.getgid()).gr_name
    except KeyError:
        pytest.skip("the group of this process has no name")
    assert modes_of(Permissions(group=name)) == Modes(0o2755, 0o444, 0o555, os.getgid())
    assert modes_of(Permissions(group=name), allow_sgid=False).directory == 0o755
    assert modes_of(Permissions(group="54321")).group == 54321


@pytest.mark.parametrize(("read", "write"), [("user", "group"), ("group", "world")])
def test_more_writers_than_readers(read: Any, write: Any) -> None:
    with pytest.raises(ConfigError, match=f"write: {write} lets more write") as caught:
        modes_of(Permissions(read, write))
    assert "packages.yaml" in caught.value.hint


def test_a_group_that_is_not_known() -> None:
    with pytest.raises(ConfigError, match="'no-such-group' is not known") as caught:
        modes_of(Permissions(group="no-such-group"))
    assert "getent group" in caught.value.hint


def test_a_tree(tmp_path: Path) -> None:
    """Files lose the write bits, everything gets what is said, links and set-id bits nothing."""
    (tmp_path / "bin").mkdir(mode=0o700)
    (tmp_path / "bin" / "tool").touch(mode=0o700)
    (tmp_path / "bin" / "su").touch()
    (tmp_path / "bin" / "su").chmod(0o4755)
    (tmp_path / "data").touch(mode=0o600)
    (tmp_path / "gone").symlink_to("nowhere")
    assert apply_modes(tmp_path, Modes()) == ("bin/su",)
    modes = {path.name: oct(stat.S_IMODE(path.lstat().st_mode)) for path in tmp_path.rglob("*")}
    assert modes == {
        "bin": "0o755",
        "tool": "0o555",
        "su": "0o555",
        "data": "0o444",
        "gone": modes["gone"],
    }
    assert apply_modes(tmp_path, Modes()) == ()


def test_what_may_not_be_changed(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="cannot set the permissions of") as caught:
        apply_modes(tmp_path / "missing", Modes())
    assert "packages:all:permissions" in caught.value.hint


def test_a_path_that_no_program_can_open(tmp_path: Path) -> None:
    top = os.getcwd()
    try:
        os.chdir(tmp_path)
        for _ in range(30):
            os.mkdir("d" * 200)
            os.chdir("d" * 200)
    finally:
        os.chdir(top)
    with pytest.raises(StoreError) as caught:
        apply_modes(tmp_path, Modes())
    assert len(caught.value.message) < 500 and "File name too long" in caught.value.message
    assert (
        caught.value.hint == "let the recipe remove it: no program can open a path of this length"
    )
    shutil.rmtree(tmp_path)
