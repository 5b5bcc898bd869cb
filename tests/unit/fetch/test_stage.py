"""Where builds are staged."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from spack.errors import InstallError
from spack.fetch.stage import choose_root


def unmanaged(path: Path) -> tuple[Path, int]:
    """*path*, made by another process than the user whose number is given beside it."""
    path.mkdir()
    me = os.getuid()
    if me == 0:
        os.chown(path, 12345, -1)
        return path, me
    return path, me + 1


def test_the_first_usable_location_is_made(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    locations = [tmp_path / "file" / "stage", tmp_path / "a" / "stage", tmp_path / "b"]
    assert choose_root(locations, os.getuid()) == tmp_path / "a" / "stage"
    assert (tmp_path / "a" / "stage").is_dir() and not (tmp_path / "b").exists()


def test_what_another_user_made_in_an_open_directory_is_not_taken(tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o1777)
    part, user = unmanaged(shared / "alice")
    with pytest.raises(InstallError) as caught:
        choose_root([part / "stage"], user)
    assert caught.value.ref == "no-stage" and "build_stage" in str(caught.value.hint)
    named = str(caught.value.long_message).removesuffix(": belongs to another user")
    assert part == Path(named) or (os.getuid() and Path(named) in part.parents)


def test_a_link_in_an_open_directory_counts_by_who_made_it(tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o1777)
    (tmp_path / "mine").mkdir()
    (shared / "link").symlink_to(tmp_path / "mine")
    assert choose_root([shared / "link"], os.getuid()) == shared / "link"
    if os.getuid() == 0:
        os.lchown(shared / "link", 12345, -1)
        with pytest.raises(InstallError):
            choose_root([shared / "link"], 0)
