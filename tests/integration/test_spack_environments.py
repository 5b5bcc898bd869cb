"""Environments that Spack concretized: installed as they are locked, and kept."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from kits.command import Command
from kits.recipe_repository import RecipeRepository
from kits.spack_files import to_spack_lock
from spack.spec import ConcreteSpec, to_specfile


@pytest.fixture
def spack(
    make_spack: Callable[[Path], Command],
    make_recipes: Callable[[Command, Path], RecipeRepository],
    tmp_path: Path,
) -> Command:
    spack = make_spack(tmp_path)
    recipes = make_recipes(spack, tmp_path / "tiny")
    recipes.plain("base")
    recipes.c_program("prog", "int main(void) { return 0; }\n", "base")
    recipes.python_project("sweet", {"sweet.py": "def main():\n    print('sweet')\n"})
    return spack


@pytest.fixture
def environment(spack: Command, tmp_path: Path) -> tuple[Path, list[ConcreteSpec]]:
    """Return the directory of an environment that Spack concretized, and its nodes."""
    path = tmp_path / "env"
    spack("env", "create", "-d", path)
    spack("-e", path, "add", "prog", "py-sweet")
    spack("-e", path, "concretize")
    return path, to_spack_lock(path / "spack.lock")


def test_it_is_installed_as_it_is_locked(
    spack: Command, environment: tuple[Path, list[ConcreteSpec]]
) -> None:
    path, nodes = environment
    text = (path / "spack.lock").read_text()
    assert "is up to date" in spack("-e", path, "concretize").text
    spack("-e", path, "install")
    assert (path / "spack.lock").read_text() == text
    installed = set(spack("find", "--format", "{hash}").lines)
    assert installed >= {node.dag_hash() for node in nodes if node.external is None}
    programs = path / ".spack-env" / "view" / "bin"
    subprocess.run([programs / "prog"], check=True)
    subprocess.run([programs / "python", "-c", "import sweet"], check=True)


def test_what_is_added_leaves_the_rest_as_it_was(
    spack: Command, environment: tuple[Path, list[ConcreteSpec]], tmp_path: Path
) -> None:
    path, nodes = environment
    spack("-e", path, "add", "base")
    spack("-e", path, "concretize")
    locked = json.loads((path / "spack.lock").read_text())["concrete_specs"]
    assert set(locked) == {node.dag_hash() for node in nodes}


def test_a_spec_file_of_spack_on_the_command_line(
    spack: Command, environment: tuple[Path, list[ConcreteSpec]], tmp_path: Path
) -> None:
    _, nodes = environment
    (base,) = (node for node in nodes if node.name == "base")
    (tmp_path / "spec.json").write_text(json.dumps(to_specfile(base)))
    spack("install", tmp_path / "spec.json")
    assert spack("find", "--format", "{hash}", "base").lines == [base.dag_hash()]
    assert spack.prefix("base").name.endswith(base.dag_hash())
    stored = json.loads((spack.prefix("base") / ".spack" / "spec.json").read_text())
    assert stored == to_specfile(base)


def test_a_lock_that_was_changed_names_the_node(
    spack: Command, environment: tuple[Path, list[ConcreteSpec]]
) -> None:
    path, _ = environment
    lock = json.loads((path / "spack.lock").read_text())
    for node in lock["concrete_specs"].values():
        if node["name"] == "base":
            node["version"] = "2.0"
    (path / "spack.lock").write_text(json.dumps(lock))
    failed = spack.fails("-e", path, "install")
    assert "the content of base@2.0/" in failed.err and "restore it" in failed.err
