"""A developer's directory: what is copied of it, and what counts as a change."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from spack.errors import FetchError
from spack.fetch.develop_sources import check_directory, copy_sources, fingerprint


@pytest.fixture
def source(tmp_path: Path) -> Path:
    source = tmp_path / "source"
    for path in (
        *("setup.py", "pkg/a.py", "pkg/data.txt", "build/notes.txt", "pkg.egg-info/PKG-INFO"),
        *("env/pyvenv.cfg", "env/lib/x.py", "pkg/__pycache__/a.pyc", ".tox/x", "dist/p-1.tar.gz"),
        *(".git/HEAD", "stage/inside.py"),
    ):
        (source / path).parent.mkdir(parents=True, exist_ok=True)
        (source / path).write_text(path)
    (source / "link").symlink_to("pkg/a.py")
    (source / "pkg" / "data.txt").chmod(0o444)
    os.mkfifo(source / "fifo")
    return source


def files(folder: Path) -> set[str]:
    return {str(p.relative_to(folder)) for p in folder.rglob("*") if not p.is_dir()}


def test_sources_are_copied_and_nothing_else(source: Path, tmp_path: Path) -> None:
    target = tmp_path / "copy"
    copy_sources(source, target, [source / "stage"])
    assert files(target) == {
        *(".git", "build/notes.txt", "link", "pkg/a.py", "pkg/data.txt", "setup.py"),
    }
    assert os.readlink(target / "link") == "pkg/a.py"
    assert (target / "setup.py").stat().st_mtime_ns == (source / "setup.py").stat().st_mtime_ns
    (target / "pkg" / "data.txt").write_text("a recipe may change it")
    assert (source / "pkg" / "data.txt").read_text() == "pkg/data.txt"


@pytest.mark.usefixtures("git_program")
def test_versions_can_be_read_from_git(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    (source / "x").write_text("x")

    def git(location: Path, *words: str) -> str:
        name = ("-c", "user.name=n", "-c", "user.email=e@example.org")
        done = subprocess.run(
            ["git", "-C", str(location), *name, *words], check=True, capture_output=True, text=True
        )
        return done.stdout.strip()

    git(source, "init", "-q")
    git(source, "add", "x")
    git(source, "commit", "-qm", "one")
    git(source, "tag", "v1.2")
    git(source, "worktree", "add", "-q", str(tmp_path / "tree"))
    for location in (source, tmp_path / "tree"):
        target = tmp_path / f"copy-of-{location.name}"
        copy_sources(location, target)
        assert git(target, "describe", "--tags", "--dirty") == "v1.2"


@pytest.mark.parametrize(
    ("path", "editable", "changed"),
    [
        ("setup.py", True, True),
        ("pkg/a.py", False, True),
        ("pkg/a.py", True, False),
        ("pkg/new.py", True, True),
        ("pkg/data.txt", True, True),
        ("pkg/__pycache__/b.pyc", False, False),
        (".git/index", False, False),
        ("pkg.egg-info/SOURCES.txt", False, False),
        ("env/lib/y.py", False, False),
        ("dist/p-2.whl", False, False),
        ("stage/other.py", False, False),
    ],
)
def test_what_is_a_change(source: Path, path: str, editable: bool, changed: bool) -> None:
    def now() -> str:
        return fingerprint(source, editable=editable, without=[source / "stage"])

    before = now()
    assert before == now()
    location = source / path
    if location.exists():
        location.chmod(0o644)
        before = now()
    location.write_text("an older version of it")
    os.utime(location, (1, 1))
    assert (now() != before) == changed
    if not path.endswith("setup.py") and changed and "new" in path:
        location.unlink()
        assert now() == before


def test_directories_that_cannot_be_built_from(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for path, message in (
        (Path("relative"), "is not absolute"),
        (tmp_path / "none", "is not there"),
        (tmp_path / "file", "is not a directory"),
    ):
        with pytest.raises(FetchError, match=message):
            check_directory(path, "py-x")
    check_directory(tmp_path, "py-x")
