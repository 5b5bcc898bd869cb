"""Files that get a second path."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from spack.util.file_clones import FileLinker


def test_content_and_mode(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_bytes(b"content")
    source.chmod(0o444)
    linker = FileLinker()
    for name in ("one", "two"):
        target = tmp_path / name
        linker.link(str(source), str(target), 0o444)
        assert target.read_bytes() == b"content"
        assert target.stat().st_mode & 0o777 == 0o444
        with pytest.raises(FileExistsError):
            linker.link(str(source), str(target), 0o444)


def test_another_file_system(tmp_path: Path) -> None:
    memory = Path("/dev/shm")
    if not os.access(memory, os.W_OK) or memory.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("there is no second file system that can be written")
    source = tmp_path / "source"
    source.write_bytes(b"content" * 1000)
    source.chmod(0o555)
    target = memory / f"spack-test-{os.getpid()}"
    try:
        FileLinker().link(str(source), str(target), 0o555)
        assert target.read_bytes() == source.read_bytes()
        assert target.stat().st_mode & 0o777 == 0o555
    finally:
        target.unlink(missing_ok=True)
