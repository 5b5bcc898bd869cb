"""Software of the machine that recipes recognise: programs, libraries, with their variants."""

from __future__ import annotations

from pathlib import Path

import pytest

from kits.command import Command
from kits.recipe_repository import RecipeRepository

MPI = """\
executables = ["^mpi_info$"]
version("5.0")
variant("fast", default=False, description="x")
variant("kind", default="a", values=("a", "b"), description="x")

@classmethod
def determine_version(cls, exe):
    output = Executable(exe)(output=str, error=str)
    match = re.search(r"MPI (\\S+)", output)
    return match.group(1) if match else None

@classmethod
def determine_variants(cls, exes, version):
    print("recipes may print")
    return [("+fast kind=b", {"compilers": {}})]
"""

BLAS = """\
libraries = ["libfastblas"]
version("1.0")

@classmethod
def determine_version(cls, lib):
    match = re.search(r"-r(\\d+\\.\\d+)", lib)
    return match.group(1) if match else None
"""

BROKEN = """\
executables = ["^broken$"]

@classmethod
def determine_version(cls, exe):
    raise RuntimeError("it does not answer")
"""

PICKY = """\
executables = ["^picky-.*$"]
version("2.0")

@classmethod
def filter_detected_exes(cls, prefix, exes):
    return [exe for exe in exes if not exe.endswith("-config")]

@classmethod
def determine_version(cls, exe):
    return exe.rpartition("-")[2]

@classmethod
def validate_detected_spec(cls, spec, extra):
    assert not spec.satisfies("@3")
"""


def program(path: Path, text: str = "") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """Return a prefix as a module has it, and Debian's directory of one architecture."""
    prefix = tmp_path / "apps" / "mpi"
    program(prefix / "bin" / "mpi_info", "echo MPI 5.0")
    program(prefix / "bin" / "broken")
    program(prefix / "bin" / "picky-2.0")
    program(prefix / "bin" / "picky-3.0")
    program(prefix / "bin" / "picky-config")
    libraries = prefix / "lib" / "x86_64-linux-gnu"
    libraries.mkdir(parents=True)
    (libraries / "libfastblas-r1.0.so").touch()
    return prefix


def test_recipes_recognise_what_is_there(
    spack: Command, recipes: RecipeRepository, machine: Path
) -> None:
    for name, body in (("fastmpi", MPI), ("fastblas", BLAS), ("broken", BROKEN), ("picky", PICKY)):
        path = recipes.add(name, body)
        path.write_text("import re\n" + path.read_text())
    listed = spack("external", "list").lines
    assert {"fastmpi", "fastblas", "cmake"} <= set(listed)

    names = ("fastmpi", "fastblas", "broken", "picky")
    shown = spack("external", "find", "-n", "-p", machine, *names)
    assert [line.split("  ")[2].strip() for line in shown.lines] == [
        "fastmpi@5.0 +fast kind=b",
        "fastblas@1.0",
        "picky@2.0",
    ]
    assert "the recipe of broken cannot look for it: it does not answer" in shown.err

    spack("external", "find", "--not-buildable", "-p", machine, "fastmpi", "fastblas")
    written = (spack.home.config / "packages.yaml").read_text()
    assert f"prefix: {machine}" in written and "fastmpi@5.0 +fast kind=b" in written
    concrete = spack("spec", "fastmpi").out
    assert "fastmpi@5.0" in concrete and "+fast" in concrete and "kind=b" in concrete
    assert "cannot detect base" in spack.fails("external", "find", "base", code=2).err


def test_everything(spack: Command, recipes: RecipeRepository, machine: Path) -> None:
    path = recipes.add("fastmpi", MPI)
    path.write_text("import re\n" + path.read_text())
    usual = spack("external", "find", "-n", "-p", machine, check=False)
    assert "fastmpi" not in usual.out
    assert "fastmpi" in spack("external", "find", "-n", "--all", "-p", machine).out
