"""Packages that import their names at the first use offer what type checkers see."""

from __future__ import annotations

import ast
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

LIB = Path(__file__).resolve().parents[3] / "lib"
PACKAGES = sorted(
    ".".join(file.parent.relative_to(LIB).parts)
    for file in (LIB / "spack").rglob("__init__.py")
    if "= lazy_names(" in file.read_text(encoding="utf-8")
)


@pytest.mark.parametrize("name", PACKAGES)
def test_each_name_is_that_of_the_import_for_type_checkers(name: str) -> None:
    package = import_module(name)
    tree = ast.parse(Path(str(package.__file__)).read_text(encoding="utf-8"))
    imported = {
        alias.name: node.module
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and str(node.module).startswith(f"{name}.")
        for alias in node.names
    }
    assert sorted(imported) == sorted(package.__all__)
    modules = {path.stem for path in Path(str(package.__file__)).parent.glob("*.py")}
    assert modules.isdisjoint(imported)
    for attribute, module in imported.items():
        assert getattr(package, attribute) is getattr(import_module(str(module)), attribute)


def test_another_name_is_refused() -> None:
    with pytest.raises(AttributeError, match=r"module 'spack\.spec' has no attribute 'nothing'"):
        _ = import_module("spack.spec").nothing


@pytest.mark.parametrize("words", ["find", "env list"])
def test_commands_that_show_what_is_there_load_no_graphs_of_specs(
    words: str, tmp_path: Path
) -> None:
    environ = {"HOME": str(tmp_path), "PATH": "/usr/bin:/bin", "PYTHONPATH": ":".join(sys.path)}
    command = [sys.executable, "-S", "-c", _PROGRAM, str(LIB), *words.split()]
    subprocess.run(command, env=environ, check=True, capture_output=True)  # fills the cache
    done = subprocess.run(command, env=environ, check=True, capture_output=True, text=True)
    assert done.stdout.splitlines()[-1] == "[]"


_PROGRAM = """
import sys
sys.path.insert(0, sys.argv[1])
from spack.cli.main import main
assert main(["-c", "config:install_tree:root:~/store", *sys.argv[2:]]) == 0
loaded = set(sys.modules) & {
    "spack.spec.concrete", "spack.spec.parser", "spack.config.packages", "spack.recipe.records",
    "spack.store.locks", "spack.store.journal", "spack.solver", "locale",
}
print(sorted(loaded))
"""
