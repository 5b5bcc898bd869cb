"""Wheels of a package index: chosen when a spec is concretized, and nothing else installed."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from kits.command import Command
from kits.recipe_repository import RecipeRepository
from kits.wheel_index import WheelIndex


@pytest.fixture
def index(spack: Command, tmp_path: Path) -> WheelIndex:
    spack("arch")  # the tool's own dependencies are not in the index
    return WheelIndex(tmp_path / "index")


def add_recipe(recipes: RecipeRepository, name: str, *lines: str, version: str = "1.0") -> Path:
    """Add a recipe whose source cannot be had: what is installed was a wheel."""
    body = [
        f'pypi = "{name}/{name}-{version}.tar.gz"',
        f'version("{version}", sha256="{"0" * 64}")',
        *lines,
    ]
    return recipes.add(f"py-{name}", "\n".join(body) + "\n", base="PythonPackage")


def test_a_wheel_with_its_dependencies(
    spack: Command, recipes: RecipeRepository, index: WheelIndex
) -> None:
    add_recipe(
        recipes,
        "sweet",
        'depends_on("py-sour", type=("build", "run"))',
        'depends_on("py-flit-core", type="build")',
        'depends_on("gmake", type=("build", "link"))',
    )
    add_recipe(recipes, "sour")
    wheel = index.add("sweet", requires=["sour"], scripts={"sweet": "sweet:main"})
    index.add("sour")
    shown = spack("spec", "--wheels", "only", "--json", "py-sweet", environ=index.environ).out
    nodes = {node["name"]: node for node in json.loads(shown)["spec"]["nodes"]}
    assert set(nodes) == {"py-sweet", "py-sour", "python", "python-venv"}
    chosen = nodes["py-sweet"]["parameters"]
    assert chosen["build_system"] == "python_binary"
    assert chosen["wheel"] == wheel.name
    assert chosen["wheel_sha256"] == hashlib.sha256(wheel.read_bytes()).hexdigest()
    edges = nodes["py-sweet"]["dependencies"]
    types = {edge["name"]: edge["parameters"]["deptypes"] for edge in edges}
    assert types == {
        "py-sour": ["run"],
        "python": ["build", "run"],
        "python-venv": ["build", "run"],
    }
    spack("install", "--wheels", "only", "py-sweet", environ=index.environ)
    prefix = spack.prefix("py-sweet")
    info = next(prefix.glob("lib/python*/site-packages/sweet-1.0.dist-info"))
    assert (info / "INSTALLER").read_text() == "spack\n"
    assert "sweet.py,sha256=" in (info / "RECORD").read_text()
    assert (prefix / "bin" / "sweet").is_file()
    assert spack("verify", "manifest", "-a").code == 0
