"""The spellings of a package's name."""

from __future__ import annotations

import pytest

from spack.recipe.package_names import (
    building_name,
    class_name,
    directory_name,
    package_name,
    suggest_names,
)


@pytest.mark.parametrize(
    ("name", "directory", "cls"),
    [
        ("py-black", "py_black", "PyBlack"),
        ("zlib", "zlib", "Zlib"),
        ("7zip", "_7zip", "_7zip"),
        ("3proxy", "_3proxy", "_3proxy"),
        ("pass", "_pass", "Pass"),
        ("none", "none", "_None"),
        ("r-a4base", "r_a4base", "RA4base"),
        ("c", "c", "C"),
    ],
)
def test_three_spellings(name: str, directory: str, cls: str) -> None:
    assert directory_name(name) == directory
    assert package_name(directory) == name
    assert class_name(name) == cls


def test_suggestions_know_the_python_prefix() -> None:
    names = ["py-black", "py-click", "blast", "flake8"]
    assert suggest_names("black", names)[0] == "py-black"
    assert suggest_names("py-flake8", names)[0] == "flake8"
    assert "py-click" in suggest_names("py-clik", names)
    assert suggest_names("Py_Black", names)[0] == "py-black"
    assert suggest_names("wholly-different", names) == []


def test_the_engine_has_its_own_recipe_of_the_compiler_wrapper() -> None:
    assert building_name("builtin.compiler-wrapper") == "compiler-wrapper"
    assert building_name("builtin.python-venv") == "builtin.python-venv"
    assert building_name("mine.compiler-wrapper") == "mine.compiler-wrapper"
