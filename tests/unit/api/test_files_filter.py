"""Editing files in place."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from spack.api.files import FileFilter, change_sed_delimiter, filter_file


def test_groups_and_functions(tmp_path: Path) -> None:
    file = tmp_path / "f"
    file.write_text("CC = gcc\nCXX = g++\n")
    filter_file(r"^(\w+) = (.*)", r"\1 := wrap-\2", file)
    assert file.read_text() == "CC := wrap-gcc\nCXX := wrap-g++\n"
    filter_file("wrap", lambda match: match.group().upper(), file)
    assert "WRAP-gcc" in file.read_text()


def test_plain_text_and_backup(tmp_path: Path) -> None:
    file = tmp_path / "f"
    file.write_text("a.b axb\n")
    filter_file("a.b", "c", file, string=True, backup=True)
    assert file.read_text() == "c axb\n"
    assert (tmp_path / "f~").read_text() == "a.b axb\n"


def test_only_between_markers(tmp_path: Path) -> None:
    file = tmp_path / "f"
    file.write_text("x\n# begin\nx\n  # end\nx\n# begin\nx\n")
    filter_file("x", "y", file, start_at="# begin", stop_at="# end")
    assert file.read_text() == "x\n# begin\ny\n  # end\nx\n# begin\nx\n"


def test_bytes_line_ends_and_mode_survive(tmp_path: Path) -> None:
    file = tmp_path / "f"
    file.write_bytes(b"a\r\n\xff\xfe\nb")
    file.chmod(0o555)
    filter_file("a", "c", file)
    assert file.read_bytes() == b"c\r\n\xff\xfe\nb"
    assert stat.S_IMODE(file.stat().st_mode) == 0o555


def test_absent_files(tmp_path: Path) -> None:
    filter_file("a", "b", tmp_path / "none", ignore_absent=True)
    with pytest.raises(FileNotFoundError):
        filter_file("a", "b", tmp_path / "none")


def test_file_filter_remembers_its_files(tmp_path: Path) -> None:
    file = tmp_path / "f"
    file.write_text("a\n")
    edit = FileFilter(file)
    edit.filter("a", "b")
    edit.filter(regex="b", repl="c", string=True)
    assert file.read_text() == "c\n"


def test_a_file_that_does_not_change_is_not_written(tmp_path: Path) -> None:
    file = tmp_path / "f"
    file.write_text("a\n")
    before = file.stat().st_mtime_ns
    filter_file("z", "y", file)
    assert file.stat().st_mtime_ns == before


def test_sed_delimiters(tmp_path: Path) -> None:
    file = tmp_path / "f"
    file.write_text("sed 's/a/b/g' x\nsed \"s/a/b/\"\ns/c/d/\nthis/is/a/path\n")
    change_sed_delimiter("/", "@", file)
    assert file.read_text() == "sed 's@a@b@g' x\nsed \"s@a@b@\"\ns@c@d@\nthis/is/a/path\n"
