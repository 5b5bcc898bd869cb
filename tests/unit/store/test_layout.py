from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from kits.specs import MakeSpec, make_spec
from spack.errors import ConfigError, StoreError
from spack.store import InstallRecord, Layout, LockOwner, Locks, Metadata, current_owner, is_alive
from spack.store.locks import end_group


def test_default_prefixes(spec: MakeSpec) -> None:
    node = spec("py-black@24.1")
    layout = Layout(Path("/store"))
    assert layout.prefix(node) == Path(f"/store/linux-x86_64/py-black-24.1-{node.dag_hash()}")
    assert layout.prefix(spec("python", external="/usr")) == Path("/usr")


def test_projections(spec: MakeSpec) -> None:
    layout = Layout(
        Path("/s"),
        projections={"python@3:": "pythons/{name}-{hash:7}", "all": "{name}/{version}-{hash}"},
    )
    node, python = spec("a@1"), spec("python@3.11")
    assert layout.prefix(node) == Path(f"/s/a/1-{node.dag_hash()}")
    assert layout.prefix(python) == Path(f"/s/pythons/python-{python.dag_hash(7)}")


def test_a_branch_with_a_slash_is_one_part_of_a_path(spec: MakeSpec) -> None:
    layout = Layout(Path("/s"), projection="{name}/{version}-{hash:7}")
    node = spec("a@git.feature/x=1.0")
    assert layout.prefix(node) == Path(f"/s/a/git.feature_x=1.0-{node.dag_hash(7)}")
    assert layout.running_log("abc", "a", str(node.version)).parent == layout.logs


def test_logs_of_builds_that_did_not_end(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    assert layout.running_logs() == []
    layout.logs.mkdir(parents=True)
    rows = [("python-venv", "1.0", "bcd"), ("python", "3.11.2", "abc")]
    for age, (name, version, spec_hash) in enumerate(rows):
        path = layout.running_log(spec_hash, name, version)
        path.write_text("")
        path.with_suffix(".env.txt").write_text("")
        os.utime(path, (age, age))
    assert [row[:3] for row in layout.running_logs()] == rows


@pytest.mark.parametrize("text", ["{name}-{version}", "/{name}-{hash}", "../{hash}"])
def test_bad_projections(text: Any) -> None:
    with pytest.raises(ConfigError) as caught:
        Layout(Path("/s"), projections={"all": text})
    assert text in caught.value.message and caught.value.hint


def test_no_prefix_is_a_string_prefix_of_the_venvs(spec: MakeSpec) -> None:
    layout = Layout(Path("/s"))
    python, venv = spec("python@3.11"), spec("python-venv@1.0")
    assert not str(layout.prefix(venv)).startswith(str(layout.prefix(python)))


def test_record_json_and_back(spec: MakeSpec) -> None:
    node = spec("a@2")
    record = InstallRecord.of(
        node, Path("/p"), explicit=True, installed_at=7.5, transaction="x", facts={"dirty": True}
    )
    assert InstallRecord.from_json(record.to_json(), node, Path("/p"), "file") == record
    with pytest.raises(StoreError, match="file: not an install record"):
        InstallRecord.from_json(record.to_json(), spec("b"), Path("/p"), "file")
    assert record.short == f"a@2/{node.dag_hash(7)}" and record.architecture.startswith("linux-")
    assert Metadata(Path("/p")).recipe("venv", "py_black") == Path(
        "/p/.spack/repos/venv/packages/py_black"
    )


def test_owners_and_the_dead() -> None:
    me = current_owner()
    assert is_alive(me) and me.started
    assert not is_alive(me._replace(started="another boot:1"))
    assert is_alive(me._replace(host="elsewhere"))
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    child = me.child(process.pid)
    assert is_alive(child)
    process.kill()
    process.communicate()
    assert not is_alive(child)
    end_group(child)
    assert is_alive(LockOwner(1, me.host, "")), "init lives, and belongs to somebody else or to us"


def test_an_orphaned_group_is_ended(tmp_path: Path) -> None:
    script = 'while :; do date > "$0"; done & wait'
    process = subprocess.Popen(["sh", "-c", script, str(tmp_path / "f")], start_new_session=True)
    while not (tmp_path / "f").exists():
        time.sleep(0.01)
    end_group(current_owner().child(process.pid))
    assert process.wait() == -9
    time.sleep(0.05)
    (tmp_path / "f").unlink()
    time.sleep(0.05)
    assert not (tmp_path / "f").exists()


def test_locks(tmp_path: Path) -> None:
    one, two = Locks(tmp_path / "locks"), Locks(tmp_path / "locks")
    held = one.try_exclusive("n")
    assert held is not None
    assert two.try_exclusive("n") is None and two.try_shared("n") is None
    assert two.holder("n").pid == os.getpid()
    assert two.try_exclusive("m") is not None
    with pytest.raises(StoreError, match=f"process {os.getpid()}"):
        two.exclusive("n", timeout=0.05)
    held.release()
    held.release()
    with two.shared("n", 1), one.shared("n", 1):
        assert one.try_exclusive("n") is None
    with one.exclusive("n", 1):
        pass


def test_locks_that_are_switched_off(tmp_path: Path) -> None:
    locks = Locks(tmp_path / "locks", enabled=False)
    with locks.exclusive("n"), locks.exclusive("n"):
        assert locks.try_shared("n") is not None
    assert not (tmp_path / "locks").exists()


def test_locks_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError) as caught:
        Locks(tmp_path / "file" / "locks").try_exclusive("n")
    assert caught.value.hint


def test_padded_and_short(spec: MakeSpec, tmp_path: Path) -> None:
    """As long as was asked for, with folders named as Spack's; the store's own stay above."""
    node = spec("a")
    for length in (len(str(tmp_path)) + 2, 120, 200, 256):
        layout = Layout(tmp_path, padded_length=length)
        prefix = layout.prefix(node)
        padding = str(layout.padded_root)
        assert length - 1 <= len(padding) <= length, "no part is empty"
        parts = layout.padded_root.relative_to(tmp_path).parts
        assert all("__spack_path_placeholder__".startswith(part) for part in parts)
        assert str(prefix).startswith(padding + "/linux-") and layout.database.parent.parent == (
            tmp_path
        )
    assert Layout(tmp_path, padded_length=3).padded_root == tmp_path
    short = Layout(tmp_path, hash_length=7).prefix(node)
    assert short.name == f"a-1.0-{node.dag_hash()[:7]}"
    exact = Layout(tmp_path, "{name}-{hash:9}", hash_length=7).prefix(node)
    assert exact.name == f"a-{node.dag_hash()[:9]}"


@pytest.mark.parametrize("platform", ["../../out", "/out", ".spack-db"])
def test_a_prefix_is_inside_of_the_install_tree(tmp_path: Path, platform: str) -> None:
    """Names come from files that others may have written."""
    spec = make_spec("a", platform=platform)
    layout = Layout(tmp_path / "store", "{architecture.platform}/{name}-{hash}")
    with pytest.raises(StoreError, match="would be outside of the install tree"):
        layout.prefix(spec)
