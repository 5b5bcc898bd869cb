"""Recipes use only names that they define, that the API exports or that the engine injects."""

from __future__ import annotations

import builtins
import dis
from collections.abc import Iterator
from pathlib import Path
from types import CodeType

import spack.package

#: What dependencies and the engine put into a recipe's module, see ``setup_dependent_package``.
INJECTED = {
    "autoreconf",
    "cargo",
    "cmake",
    "configure",
    "ctest",
    "dso_suffix",
    "gmake",
    "installer",
    "make",
    "make_jobs",
    "meson",
    "ninja",
    "pip",
    "prefix",
    "python",
    "python_include",
    "python_platlib",
    "python_purelib",
    "spack_cc",
    "spack_cxx",
    "spack_f77",
    "spack_fc",
    "static_to_shared_library",
}

KNOWN = INJECTED | set(spack.package.__all__) | set(dir(builtins)) | {"__file__", "__name__"}


def codes(code: CodeType) -> Iterator[CodeType]:
    """*code* and all code within it."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from codes(constant)


def names(code: CodeType, operation: str) -> set:
    return {
        instruction.argval
        for part in codes(code)
        for instruction in dis.get_instructions(part)
        if instruction.opname == operation
    }


def free_names(file: Path) -> set:
    code = compile(file.read_text(encoding="utf-8"), str(file), "exec")
    stored = names(code, "STORE_NAME") | names(code, "STORE_GLOBAL")
    return names(code, "LOAD_GLOBAL") - stored - KNOWN


def test_own_recipes(root: Path) -> None:
    recipes = sorted((root / "packages").glob("*/package.py"))
    found = {str(file): sorted(free) for file in recipes if (free := free_names(file))}
    assert recipes and found == {}


def test_it_finds_them(tmp_path: Path) -> None:
    file = tmp_path / "package.py"
    file.write_text(
        "from spack.package import *\nCONSTANT = 1\n\n\nclass X(Package):\n"
        "    def install(self, spec, prefix):\n        make(CONSTANT, mkae, len(join_path()))\n"
    )
    assert free_names(file) == {"mkae"}
