"""The spack_repo namespace."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Any

import pytest

from spack.errors import RecipeError
from spack.repo import Repository
from spack.repo.finder import install_finder, module_name
from spack.repo.load_class import load_class

pytestmark = pytest.mark.usefixtures("clean_imports")

PLAIN = 'class X(Package):\n    """Words."""\n\n    version("1")\n'


def test_a_recipe_is_a_module(make_repository: Any) -> None:
    repository = Repository.open(make_repository({"x": PLAIN}))
    install_finder([repository])
    assert module_name(repository, "x") == "spack_repo.mine.packages.x.package"
    module = importlib.import_module("spack_repo.mine.packages.x.package")
    assert module.X.name == "x"
    assert module.X.fullname == "mine.x"
    assert module.X.package_dir == str(repository.packages / "x")
    assert load_class(repository, "x") is module.X


def test_no_bytecode_is_left_in_the_repository(make_repository: Any) -> None:
    repository = Repository.open(make_repository({"x": PLAIN}))
    install_finder([repository])
    load_class(repository, "x")
    assert not list(repository.root.rglob("__pycache__"))


def test_relative_imports_and_inheritance_between_recipes(make_repository: Any) -> None:
    derived = "from ..x.package import X\n\n\nclass Y(X):\n    pass\n"
    repository = Repository.open(make_repository({"x": PLAIN, "y": derived}))
    install_finder([repository])
    cls = load_class(repository, "y")
    assert cls.name == "y"
    assert [str(version) for version in cls.versions] == ["1"]


def test_build_systems_are_the_engine_s(make_repository: Any) -> None:
    install_finder([Repository.open(make_repository({}))])
    alias = importlib.import_module("spack_repo.builtin.build_systems.generic")
    own = importlib.import_module("spack.build_systems.generic")
    assert alias is own
    assert own.__spec__ is not None and own.__spec__.name == "spack.build_systems.generic"


def test_build_systems_that_only_the_builtin_repository_has(make_repository: Any) -> None:
    root = make_repository({}, namespace="builtin")
    (root / "build_systems").mkdir()
    (root / "build_systems" / "special.py").write_text("from .generic import Package\nNEW = 1\n")
    (root / "build_systems" / "generic.py").write_text("raise RuntimeError('not the engine')\n")
    install_finder([Repository.open(root)])
    special = importlib.import_module("spack_repo.builtin.build_systems.special")
    from spack.api.package_base import Package

    assert (special.NEW, special.Package) == (1, Package)


def test_unknown_modules(make_repository: Any) -> None:
    install_finder([Repository.open(make_repository({"x": PLAIN}))])
    for name in ("spack_repo.other", "spack_repo.mine.packages.y", "spack_repo.mine.nothing"):
        with pytest.raises(ModuleNotFoundError):
            importlib.import_module(name)


def test_a_second_finder_replaces_the_first(make_repository: Any) -> None:
    first = Repository.open(make_repository({"x": PLAIN}))
    install_finder([first])
    load_class(first, "x")
    install_finder([Repository.open(make_repository({}, namespace="other"))])
    assert "spack_repo.mine.packages.x.package" not in sys.modules
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module("spack_repo.mine.packages.x.package")


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("class X(Package):\n    nonsense(1)\n", 7, "NameError: name 'nonsense' is not defined"),
        ("class X(Package)\n    pass\n", 6, "expected|invalid syntax"),
        ("class Y(Package):\n    pass\n", None, "defines no class X"),
        ('class X(Package):\n    version("1", sha265="0")\n', 7, "no keyword 'sha265'"),
        ("import requests_of_nobody\n", 6, "ModuleNotFoundError"),
    ],
)
def test_errors_name_the_line(make_repository: Any, text: Any, line: Any, message: Any) -> None:
    repository = Repository.open(make_repository({"x": text}))
    install_finder([repository])
    with pytest.raises(RecipeError, match=message) as error:
        load_class(repository, "x")
    file = repository.packages / "x" / "package.py"
    assert str(error.value).startswith(f"{file}:{line}:" if line else f"{file}:")
    assert error.value.hint


def test_an_error_in_a_function_that_the_body_calls(make_repository: Any, tmp_path: Path) -> None:
    text = "def helper():\n    return {}['missing']\n\n\nclass X(Package):\n    value = helper()\n"
    repository = Repository.open(make_repository({"x": text}))
    install_finder([repository])
    with pytest.raises(RecipeError, match=r"package.py:7: KeyError: 'missing'"):
        load_class(repository, "x")


@pytest.mark.parametrize(
    ("line", "expression"),
    [
        ("import spack.util.environment as envutil", "envutil.is_system_path('/usr')"),
        ("from spack.util.environment import EnvironmentModifications, set_env", "set_env"),
        ("from spack.util.executable import which, Executable", "which"),
        ("from spack.install_test import SkipTest", "SkipTest"),
    ],
)
def test_modules_from_before_the_public_api(
    make_repository: Any, line: str, expression: str
) -> None:
    """Recipes such as upstream's tcl, root, quest and pflare import from them."""
    text = f"{line}\n\n\nclass Old(Package):\n    x = {expression}\n"
    repository = Repository.open(make_repository({"old": text}))
    install_finder([repository])
    assert importlib.import_module(module_name(repository, "old")).Old.x
