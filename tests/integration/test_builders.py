"""Both builders of Python packages make the same tree, and python_wheel makes it again.

By default a few recipes are compared, one for each kind of build backend;
``SPACK_TEST_RECIPES="py-black py-mypy"`` names other ones, and ``SPACK_TEST_RECIPES=all`` takes
every recipe of this repository.

``tests/bench/trees.py``, which says what differs and why, compares any packages of any repository.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from kits.command import Command
from kits.recipe_repository import RecipeRepository
from kits.trees import BUILDERS, differences, tree

_FEW = (
    "py-tomli py-packaging py-iniconfig py-click py-platformdirs py-jmespath py-pathspec py-build"
)


def recipes_to_compare(root: Path) -> list[str]:
    """Names of packages."""
    asked = os.environ.get("SPACK_TEST_RECIPES", _FEW)
    if asked != "all":
        return asked.split()
    names = (path.name.replace("_", "-") for path in (root / "packages").glob("py_*"))
    return sorted(set(names) - {"py-pip", "py-wheel"})  # these are installed from wheels


def wrong_paths(spack: Command, name: str, scratch: Path) -> list[str]:
    """Where the trees of the two builders differ."""
    found = []
    for builder in BUILDERS:
        spec = f"{name} build_system={builder}"
        spack("install", spec)
        found.append(tree(spack.prefix(spec), scratch))
    return differences(*found)


@pytest.mark.slow
def test_pip_and_the_wheel_builder_make_the_same_tree(
    spack: Command, root: Path, tmp_path: Path
) -> None:
    names = recipes_to_compare(root)
    different = {name: wrong_paths(spack, name, tmp_path) for name in names}
    assert {name: paths for name, paths in different.items() if paths} == {}


#: A project of old: no pyproject.toml, and files for every location that setup.py knows.
LEGACY = {
    "setup.py": """\
        from setuptools import Extension, find_namespace_packages, setup
        setup(
            name="old.style_pkg",
            version="1.0",
            packages=find_namespace_packages(include=["old.*"]),
            package_data={"old.style": ["*.txt"]},
            data_files=[("share/old", ["notes.txt"])],
            scripts=["scripts/old-tool", "scripts/old.sh"],
            headers=["old.h"],
            ext_modules=[Extension("old.style._fast", ["fast.c"])],
            entry_points={"console_scripts": ["old = old.style:main"]},
        )
        """,
    "old/style/__init__.py": "def main():\n    print('old')\n",
    "old/style/data.txt": "data\n",
    "notes.txt": "notes\n",
    "old.h": "#define OLD\n",
    "fast.c": """\
        #include <Python.h>
        static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "_fast", 0, -1, 0};
        PyMODINIT_FUNC PyInit__fast(void) { return PyModule_Create(&module); }
        """,
    "scripts/old-tool": "#!/usr/bin/env python\nprint('tool')\n",
    "scripts/old.sh": "#!/bin/sh\necho shell\n",
}


#: A backend in the tree that adds to what it wraps.
IN_TREE = {
    "pyproject.toml": """\
        [build-system]
        requires = ["setuptools"]
        build-backend = "own_backend"
        backend-path = ["tools"]
        [project]
        name = "inner"
        version = "1.0"
        """,
    "tools/own_backend.py": """\
        from setuptools import build_meta
        from setuptools.build_meta import *

        def build_wheel(directory, settings=None, metadata=None):
            with open("src/inner/made.py", "w") as stream:
                stream.write("MADE = True\\n")
            return build_meta.build_wheel(directory, settings, metadata)
        """,
    "src/inner/__init__.py": "",
}


@pytest.mark.slow
def test_source_trees_of_every_kind(
    spack: Command, recipes: RecipeRepository, tmp_path: Path
) -> None:
    """Without pyproject.toml, with files for every scheme; and with a backend in the tree."""
    source = recipes.archive("old-1.0", LEGACY)
    recipes.add(
        "py-old",
        f'version("1.0", {source})\ndepends_on("c", type="build")\n'
        'depends_on("py-setuptools", type="build")\n',
        base="PythonPackage",
    )
    source = recipes.archive("inner-1.0", IN_TREE)
    recipes.add(
        "py-inner",
        f'version("1.0", {source})\ndepends_on("py-setuptools", type="build")\n',
        base="PythonPackage",
    )
    for name in ("py-old", "py-inner"):
        assert wrong_paths(spack, name, tmp_path) == [], name
    prefix = spack.prefix("py-old build_system=python_wheel")
    there = {str(path.relative_to(prefix)) for path in prefix.rglob("*") if path.is_file()}
    for path in ("bin/old", "bin/old-tool", "bin/old.sh", "share/old/notes.txt"):
        assert path in there
    assert any(path.startswith("include/site/python3") for path in there)
    assert any(path.endswith("/old/style/data.txt") for path in there)
    inner = spack.prefix("py-inner build_system=python_wheel")
    assert list(inner.glob("lib/python3*/site-packages/inner/made.py"))


@pytest.mark.slow
def test_builds_are_reproducible(spack: Command, root: Path, tmp_path: Path) -> None:
    """Another stage, umask, time and home: every byte and mode is the same, bytecode included."""
    names = [name for name in recipes_to_compare(root) if name != "py-markupsafe"]
    spack("install", *names)
    first = {name: exact(spack.prefix(name)) for name in names}
    home = tmp_path / "other-home-with-a-longer-name"
    home.mkdir()
    options = ["-c", f"config:build_stage:[{home / 'stages'}]"]
    options += ["-c", f"config:source_cache:{home / 'sources'}"]  # where no wheels are kept
    shutil.copytree(spack.home.config, home / ".spack")
    for name in names:
        spack(
            *options,
            *("install", "--overwrite", name),
            under=("sh", "-c", 'umask 077; exec "$@"', "sh"),
            environ={"HOME": str(home), "TZ": "Asia/Kathmandu", "USER": "other"},
        )
    different = {
        name: sorted(p for p in {*again, *first[name]} if again.get(p) != first[name].get(p))
        for name in names
        for again in [exact(spack.prefix(name))]
    }
    assert {name: paths for name, paths in different.items() if paths} == {}


def exact(prefix: Path) -> Mapping[str, Any]:
    return {
        str(path.relative_to(prefix)): (path.stat().st_mode, path.read_bytes())
        for path in sorted(prefix.rglob("*"))
        if path.is_file() and ".spack" not in path.parts
    }
