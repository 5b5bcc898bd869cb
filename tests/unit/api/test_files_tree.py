"""Copying, installing, linking and removing files as recipes do."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from spack.api import files


def mode(path: Path) -> int:
    """Permissions of *path*."""
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Return a directory with a file, a program, links and a directory."""
    root = tmp_path / "tree"
    (root / "sub").mkdir(parents=True)
    (root / "text").write_text("text")
    (root / "text").chmod(0o600)
    (root / "sub" / "program").write_text("#!/bin/sh\n")
    (root / "sub" / "program").chmod(0o700)
    (root / "relative").symlink_to("sub/program")
    (root / "absolute").symlink_to(root / "text")
    (root / "outside").symlink_to("/etc/passwd")
    return root


def test_copy_keeps_and_install_sets_permissions(tree: Path, tmp_path: Path) -> None:
    files.copy(tree / "text", tmp_path / "copied")
    assert mode(tmp_path / "copied") == 0o600
    files.install(tree / "text", tmp_path / "installed")
    assert mode(tmp_path / "installed") == 0o644
    files.install(str(tree / "sub" / "*"), tmp_path)
    assert mode(tmp_path / "program") == 0o744


def test_copy_says_what_is_wrong(tree: Path, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        files.copy(tree / "missing*", tmp_path)
    with pytest.raises(ValueError, match="several files"):
        files.copy(str(tree / "*e*"), tmp_path / "one")


def test_trees_keep_links_and_move_absolute_ones(tree: Path, tmp_path: Path) -> None:
    target = tmp_path / "a" / "b"
    files.install_tree(tree, target)
    assert os.readlink(target / "relative") == "sub/program"
    assert os.readlink(target / "absolute") == str(target / "text")
    assert os.readlink(target / "outside") == "/etc/passwd"
    assert mode(target / "sub" / "program") == 0o744
    assert mode(target / "sub") == 0o755


def test_trees_without_links_and_with_ignored_files(tree: Path, tmp_path: Path) -> None:
    files.copy_tree(tree, tmp_path / "t", symlinks=False, ignore=lambda x: x in ("sub", "outside"))
    assert sorted(os.listdir(tmp_path / "t")) == ["absolute", "relative", "text"]
    assert not (tmp_path / "t" / "absolute").is_symlink()


def test_a_tree_is_not_copied_into_itself(tree: Path) -> None:
    with pytest.raises(ValueError, match="into itself"):
        files.copy_tree(tree, tree / "sub" / "below")


def test_removing(tree: Path, tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(tree)
    files.force_remove(tree / "text", tree / "none", tree / "sub")
    assert not (tree / "text").exists() and (tree / "sub").exists()
    files.remove_directory_contents(tree)
    assert os.listdir(tree) == []
    files.remove_linked_tree(link)
    assert not link.is_symlink() and not tree.exists()


def test_working_dir_returns_also_after_an_error(tmp_path: Path) -> None:
    before = os.getcwd()
    with pytest.raises(KeyError), files.working_dir(tmp_path / "new", create=True):
        assert os.getcwd() == str(tmp_path / "new")
        raise KeyError
    assert os.getcwd() == before


def test_modification_times_are_kept(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("a")
    os.utime(file, (1, 1))
    with files.keep_modification_time(file, tmp_path / "missing"):
        file.write_text("b")
    assert file.stat().st_mtime == 1


def test_safe_remove_restores_after_an_error(tree: Path) -> None:
    with pytest.raises(KeyError), files.safe_remove(tree / "s*", tree / "text"):
        assert not (tree / "sub").exists()
        raise KeyError
    assert (tree / "sub" / "program").exists() and (tree / "text").exists()
    with files.safe_remove(tree / "text") as removed:
        assert list(removed) == [str(tree / "text")]
    assert not (tree / "text").exists()


def test_small_questions(tree: Path, tmp_path: Path) -> None:
    assert files.is_exe(tree / "sub" / "program") and not files.is_exe(tree / "text")
    assert files.has_shebang(tree / "sub" / "program") and not files.has_shebang(tree / "none")
    assert files.ancestor("/a/b/c", 2) == "/a"
    assert files.join_path("/a", "b", 1) == "/a/b/1"
    assert files.path_contains_subdirectory("/a/b", "/a")
    assert not files.path_contains_subdirectory("/ab", "/a")
    files.touch(tmp_path / "new")
    files.set_executable(tmp_path / "new")
    assert mode(tmp_path / "new") & 0o111
    files.mkdirp(tmp_path / "x" / "y", tmp_path / "z", mode=0o750)
    assert mode(tmp_path / "x" / "y") == 0o750
