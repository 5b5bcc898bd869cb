"""ELF files, made by the machine's compiler."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from spack.api import elf


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a shared library with a soname, a run path and a needed library."""
    compiler = shutil.which("gcc") or shutil.which("cc")
    if compiler is None:
        pytest.skip("no C compiler is installed")
    directory = tmp_path_factory.mktemp("elf")
    (directory / "x.c").write_text("double sin(double); double x(double y) { return sin(y); }\n")
    target = directory / "libx.so.1"
    command = [compiler, "-shared", "-fPIC", "-o", str(target), str(directory / "x.c")]
    command += ["-Wl,-soname,libx.so.1", "-Wl,-rpath,/a/lib:/b/lib", "-Wl,--no-as-needed", "-lm"]
    subprocess.run(command, check=True)
    return target


def test_what_is_read(library: Path) -> None:
    with library.open("rb") as stream:
        found = elf.parse_elf(stream, interpreter=True, dynamic_section=True)
    assert found.has_soname and found.dt_soname_str == b"libx.so.1"
    assert found.dt_rpath_str == b"/a/lib:/b/lib" and found.has_rpath
    assert b"libm.so.6" in found.dt_needed_strs and not found.has_pt_interp
    assert elf.get_rpaths(str(library)) == ["/a/lib", "/b/lib"]


def test_what_is_removed(library: Path, tmp_path: Path) -> None:
    copy = tmp_path / "libx.so"
    shutil.copy(library, copy)
    elf.delete_rpath(str(copy))
    with copy.open("rb+") as stream:
        found = elf.parse_elf(stream, dynamic_section=True)
        elf.delete_needed_from_elf(stream, found, b"libm.so.6")
        elf.delete_needed_from_elf(stream, found, b"none")
    with copy.open("rb") as stream:
        found = elf.parse_elf(stream, dynamic_section=True)
    assert not found.has_rpath and b"libm.so.6" not in found.dt_needed_strs
    assert found.dt_soname_str == b"libx.so.1"


def test_compatibility(library: Path) -> None:
    assert elf.get_elf_compat(str(library)) == elf.get_elf_compat("/bin/sh")


@pytest.mark.parametrize("data", [b"", b"\x7fELF", b"\x7fELF\x02\x01" + b"\0" * 20, b"text"])
def test_other_files_are_refused(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "f").write_bytes(data)
    with (tmp_path / "f").open("rb") as stream, pytest.raises(elf.ElfParsingError):
        elf.parse_elf(stream, dynamic_section=True)
    assert elf.get_rpaths(str(tmp_path / "f")) is None


def test_dynamic_linkers_are_found_in_compiler_output() -> None:
    text = 'collect2 "-dynamic-linker" "/lib64/ld-linux-x86-64.so.2" -o x'
    assert elf.parse_dynamic_linker(text) == "/lib64/ld-linux-x86-64.so.2"
    assert elf.parse_dynamic_linker("nothing") is None
