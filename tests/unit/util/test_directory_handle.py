"""What a hostile process may have put where the engine writes and reads."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from spack.util.directory_handle import DirectoryHandle, read_regular


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """Return a directory with a file, neither of which may change."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "kept").write_text("kept")
    return outside


@pytest.fixture
def own(tmp_path: Path) -> Path:
    own = tmp_path / "own"
    own.mkdir()
    return own


def unchanged(outside: Path) -> bool:
    return [path.name for path in outside.iterdir()] == ["kept"] and (
        outside / "kept"
    ).read_text() == "kept"


def test_a_link_is_not_a_directory(own: Path, outside: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(outside)
    with pytest.raises(OSError, match="not a directory"):
        DirectoryHandle(tmp_path / "link")
    (own / "below").symlink_to(outside)
    with DirectoryHandle(own) as handle, pytest.raises(OSError, match="not a directory"):
        handle.directory("below")
    (own / "file").write_text("")
    with DirectoryHandle(own) as handle, pytest.raises(OSError, match="not a directory"):
        handle.directory("file")
    assert unchanged(outside)


@pytest.mark.parametrize("name", ["record", ".record.new"])
def test_writing_replaces_links(own: Path, outside: Path, name: str) -> None:
    (own / name).symlink_to(outside / "kept")
    with DirectoryHandle(own) as handle:
        handle.write("record", "text", 0o600)
    assert (own / "record").read_text() == "text"
    assert (own / "record").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in own.iterdir()] == ["record"]
    assert unchanged(outside)


def test_a_hard_link_is_replaced_and_not_written_to(own: Path, outside: Path) -> None:
    os.link(outside / "kept", own / "record")
    with DirectoryHandle(own) as handle:
        handle.write("record", b"text")
    assert unchanged(outside)


def test_a_directory_in_the_way_is_an_error(own: Path) -> None:
    (own / "record").mkdir()
    with DirectoryHandle(own) as handle, pytest.raises(OSError):
        handle.write("record", "text")


OTHER_KINDS: dict[str, Callable[[Path, Path], None]] = {
    "link": lambda path, outside: path.symlink_to(outside / "kept"),
    "dangling link": lambda path, outside: path.symlink_to(outside / "none"),
    "pipe": lambda path, outside: os.mkfifo(path),
    "directory": lambda path, outside: path.mkdir(),
    "device": lambda path, outside: path.symlink_to("/dev/zero"),
}


@pytest.mark.parametrize("kind", OTHER_KINDS)
def test_only_regular_files_are_read(own: Path, outside: Path, kind: str) -> None:
    """A pipe without a writer does not hold the reader."""
    OTHER_KINDS[kind](own / "result", outside)
    with pytest.raises(OSError):
        read_regular(own / "result")
    with DirectoryHandle(own) as handle, pytest.raises(OSError):
        handle.read("result")


def test_files_move_in_and_out(own: Path, tmp_path: Path) -> None:
    (tmp_path / "log").write_text("log")
    with DirectoryHandle(own) as handle, handle.directory("records") as folder:
        folder.take(tmp_path / "log", "build.txt")
        folder.take(tmp_path / "none", "none.txt")
        assert folder.read("build.txt") == b"log"
        folder.give("build.txt", tmp_path / "again")
        folder.give("none.txt", tmp_path / "none")
        (own / "records" / "link").symlink_to(tmp_path / "again")
        folder.give("link", tmp_path / "stolen")
    assert (tmp_path / "again").read_text() == "log"
    assert not (tmp_path / "none").exists() and not (tmp_path / "stolen").exists()
