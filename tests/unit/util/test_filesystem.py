from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from spack.util import filesystem
from spack.util.filesystem import (
    atomic_write,
    hash_file,
    make_shared_directory,
    remove_tree,
    rename_exchange,
    share_like_directory,
)


def test_atomic_write_makes_and_replaces(tmp_path: Path) -> None:
    location = tmp_path / "a"
    atomic_write(location, "ä\n")
    assert location.read_bytes() == b"\xc3\xa4\n"
    atomic_write(location, b"\x00", durable=True)
    assert location.read_bytes() == b"\x00"
    assert os.listdir(tmp_path) == ["a"]


def test_atomic_write_follows_the_umask_for_new_files(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        atomic_write(tmp_path / "a", "")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o640


def test_atomic_write_keeps_or_sets_the_mode(tmp_path: Path) -> None:
    location = tmp_path / "a"
    location.write_text("")
    location.chmod(0o750)
    atomic_write(location, "x")
    assert stat.S_IMODE(location.stat().st_mode) == 0o750
    atomic_write(location, "x", mode=0o600)
    assert stat.S_IMODE(location.stat().st_mode) == 0o600


def test_atomic_write_keeps_a_symbolic_link(tmp_path: Path) -> None:
    (tmp_path / "dotfiles").mkdir()
    link = tmp_path / "a"
    link.symlink_to("dotfiles/a")
    atomic_write(link, "x")
    assert link.is_symlink()
    assert (tmp_path / "dotfiles" / "a").read_text() == "x"


def test_atomic_write_leaves_nothing_behind_when_it_fails(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    with pytest.raises(IsADirectoryError):
        atomic_write(tmp_path / "a", "x")
    assert os.listdir(tmp_path) == ["a"]
    with pytest.raises(FileNotFoundError):
        atomic_write(tmp_path / "none" / "a", "x")


def test_remove_tree_takes_files_links_and_nothing(tmp_path: Path) -> None:
    (tmp_path / "f").write_text("")
    (tmp_path / "dangling").symlink_to("nowhere")
    for name in ("f", "dangling", "missing"):
        remove_tree(tmp_path / name)
    assert os.listdir(tmp_path) == []


def test_remove_tree_does_not_follow_links(tmp_path: Path) -> None:
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / "f").write_text("")
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree" / "link").symlink_to(tmp_path / "kept")
    (tmp_path / "top").symlink_to(tmp_path / "kept")
    remove_tree(tmp_path / "tree")
    remove_tree(tmp_path / "top")
    assert (tmp_path / "kept" / "f").exists()
    assert os.listdir(tmp_path) == ["kept"]


def test_remove_tree_takes_read_only_directories(tmp_path: Path) -> None:
    inner = tmp_path / "tree" / "a" / "b"
    inner.mkdir(parents=True)
    (inner / "f").write_text("")
    for path in (inner, inner.parent, inner.parent.parent):
        path.chmod(0o500)
    if os.geteuid() == 0:
        # root passes over permissions; a directory without any still has to go
        inner.chmod(0)
    remove_tree(tmp_path / "tree")
    assert os.listdir(tmp_path) == []


def test_remove_tree_is_not_limited_by_recursion(tmp_path: Path) -> None:
    here = os.getcwd()
    try:
        os.chdir(tmp_path)
        for _ in range(1200):
            os.mkdir("d")
            os.chdir("d")
    finally:
        os.chdir(here)
    remove_tree(tmp_path / "d")
    assert os.listdir(tmp_path) == []


def test_rename_exchange_swaps_directories(tmp_path: Path) -> None:
    (tmp_path / "a" / "one").mkdir(parents=True)
    (tmp_path / "b" / "two").mkdir(parents=True)
    if not rename_exchange(tmp_path / "a", tmp_path / "b"):
        assert (tmp_path / "a" / "one").exists()
        return
    assert os.listdir(tmp_path / "a") == ["two"]
    assert os.listdir(tmp_path / "b") == ["one"]


def test_rename_exchange_reports_a_failure_from_a_missing_feature(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    with pytest.raises(FileNotFoundError):
        rename_exchange(tmp_path / "a", tmp_path / "missing")


def test_hash_file_reads_in_chunks(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"abc")
    known = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert hash_file(tmp_path / "f") == known
    (tmp_path / "f").write_bytes(b"\x00" * (3 << 20))
    assert len(hash_file(tmp_path / "f")) == 64


def test_everything_public_exists() -> None:
    assert all(hasattr(filesystem, name) for name in filesystem.__all__)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files to other users")
def test_what_root_makes_in_a_users_directory_is_the_users(tmp_path: Path) -> None:
    folder = tmp_path / "store"
    folder.mkdir()
    os.chown(folder, 54321, 54320)
    make_shared_directory(folder / "a" / "b", folder)
    (folder / "a" / "b" / "file").touch()
    share_like_directory(folder / "a" / "b" / "file")
    for path in folder.rglob("*"):
        assert (path.stat().st_uid, path.stat().st_gid) == (54321, 54320), path


def test_removing_what_is_deeper_than_the_longest_path(tmp_path: Path) -> None:
    """A build that made it would keep every later command from the install tree."""
    root = tmp_path / "root"
    root.mkdir()
    before = os.getcwd()
    os.chdir(root)
    try:
        for number in range(300):
            os.mkdir("d" * 50)
            os.chdir("d" * 50)
            if number % 50 == 0:
                Path("file").touch()
    finally:
        os.chdir(before)
    remove_tree(root)
    assert not root.exists()
