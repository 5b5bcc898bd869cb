"""Both builders of Python packages make the same tree, and python_wheel makes it again.

By default a few recipes are compared, one for each kind of build backend;
``SPACK_TEST_RECIPES="py-black py-mypy"`` names others, and ``SPACK_TEST_RECIPES=all`` takes every
recipe of this repository.

What differs, and why:

* bytecode: pip's is bound to the source by a checked hash and names the absolute path, ours is
  unchecked and relative; pip also compiles scripts and data (``bin/__pycache__``);
* extension modules: the search path of libraries and the debug information name the prefix and the
  stage, which have the hash of the spec in them; RECORD has their digests.
"""

from __future__ import annotations

import csv
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any, Mapping

import pytest

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


def tree(prefix: Path, scratch: Path) -> Mapping[str, Any]:
    """Kind, mode and content, without what is listed above."""
    found: dict[str, Any] = {}
    for path in sorted(prefix.rglob("*")):
        name = str(path.relative_to(prefix))
        if name.startswith((".spack", "bin/__pycache__")):
            continue
        mode = oct(path.lstat().st_mode)
        if path.is_symlink():
            found[name] = (mode, os.readlink(path))
        elif path.is_dir():
            found[name] = (mode,)
        elif path.name == "RECORD":
            found[name] = (mode, record(path, prefix))
        else:
            found[name] = (mode, content(path, prefix, scratch))
    return found


def record(path: Path, prefix: Path) -> list[list[str]]:
    """The rows, without digests of extension modules and bytecode of scripts."""
    with path.open(newline="") as stream:
        rows = list(csv.reader(stream))
    rows = [[row[0], "", ""] if row[0].endswith(".so") else row for row in rows]
    return [row for row in rows if "bin/__pycache__" not in row[0]]


def content(path: Path, prefix: Path, scratch: Path) -> bytes:
    data = path.read_bytes()
    if path.suffix == ".pyc":
        return b""
    if data.startswith(b"\x7fELF"):
        stripped = scratch / "stripped"
        command = ["strip", "-g", "-R", ".note.gnu.build-id", "-o", stripped, path]
        subprocess.run(command, check=True)
        data = stripped.read_bytes()
    digest = prefix.name.rpartition("-")[2].encode()
    return data.replace(digest, b"@" * len(digest))


@pytest.mark.slow
def test_pip_and_the_wheel_builder_make_the_same_tree(
    spack: Any, root: Path, tmp_path: Path
) -> None:
    different: dict[str, list[str]] = {}
    for name in recipes_to_compare(root):
        found = []
        for builder in ("python_wheel", "python_pip"):
            spec = f"{name} build_system={builder}"
            spack("install", spec)
            found.append(tree(spack.prefix(spec), tmp_path))
        paths = {*found[0], *found[1]}
        wrong = sorted(path for path in paths if found[0].get(path) != found[1].get(path))
        if wrong:
            different[name] = wrong
    assert different == {}


@pytest.mark.slow
def test_builds_are_reproducible(spack: Any, root: Path, tmp_path: Path) -> None:
    """Another stage, umask, time and home: every byte and mode is the same, bytecode included."""
    names = [name for name in recipes_to_compare(root) if name != "py-markupsafe"]
    spack("install", *names)
    first = {name: exact(spack.prefix(name)) for name in names}
    home = tmp_path / "other-home-with-a-longer-name"
    home.mkdir()
    options = ["-c", f"config:build_stage:[{home / 'stages'}]"]
    options += ["-c", f"config:source_cache:{home / 'sources'}"]  # where no wheels are kept
    shutil.copytree(spack.place.config, home / ".spack")
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
