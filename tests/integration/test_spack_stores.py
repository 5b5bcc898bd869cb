"""Install trees of Spack as upstreams: found, reused, built upon, shown, and never changed."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from kits.command import Command, TakeSnapshot
from kits.recipe_repository import RecipeRepository
from kits.spack_files import (
    spack_prefix,
    to_spack_lock,
    write_spack_index,
    write_spack_prefix,
)
from spack.spec import ConcreteSpec


class Site:
    """An install tree of Spack with ``base``, ``py-sweet``, and what they need."""

    def __init__(self, root: Path, nodes: list[ConcreteSpec]) -> None:
        self.root = root
        self.nodes = {node.name: node for node in nodes}
        for node in nodes:
            if node.external is None:
                self._install(node)
        write_spack_index(root, nodes)

    def _install(self, node: ConcreteSpec) -> None:
        prefix = Path(spack_prefix(self.root, node))
        if node.name == "python-venv":
            python = [node["python"].extra_attributes["executable"], "-I", "-m", "venv"]
            subprocess.run([*python, "--without-pip", prefix], check=True)
        files = {f"bin/{node.name}": f"#!/bin/sh\necho {node.name}\n"}
        if node.name == "py-sweet":
            major, minor = str(node["python"].version).split(".")[:2]
            site = f"lib/python{major}.{minor}/site-packages"
            interpreter = str(node["python"].extra_attributes["executable"])
            if "python-venv" in self.nodes:
                interpreter = f"{spack_prefix(self.root, self.nodes['python-venv'])}/bin/python3"
            script = f"#!{interpreter}\nimport sweet\nsweet.main()\n"
            files = {
                f"{site}/sweet.py": "import sys\ndef main():\n    print(sys.prefix)\n",
                "bin/sweet": script,
            }
        write_spack_prefix(self.root, node, files)


@pytest.fixture
def spack(
    make_spack: Callable[[Path], Command],
    make_recipes: Callable[[Command, Path], RecipeRepository],
    tmp_path: Path,
) -> Command:
    spack = make_spack(tmp_path)
    recipes = make_recipes(spack, tmp_path / "tiny")
    recipes.plain("base")
    recipes.plain("top", "base", install="Executable('base')()\n")
    recipes.python_project("sweet", {"sweet.py": ""})
    return spack


@pytest.fixture(params=["", "python-venv"])
def without(request: pytest.FixtureRequest) -> str:
    """Return what the tree does not have; python-venv came with Spack 0.23."""
    return str(request.param)


@pytest.fixture
def site(spack: Command, tmp_path: Path, without: str) -> Site:
    """Return an install tree of Spack, which is configured as an upstream."""
    path = tmp_path / "theirs"
    spack("env", "create", "-d", path)
    spack("-e", path, "add", "base", "py-sweet")
    spack("-e", path, "concretize")
    site = Site(tmp_path / "site", to_spack_lock(path / "spack.lock", without))
    spack("upstream", "add", "site", site.root)
    return site


@pytest.mark.parametrize("without", [""], indirect=True)
def test_what_spack_installed_is_found_and_reused(
    spack: Command, site: Site, tree_of: TakeSnapshot
) -> None:
    before = tree_of(site.root)
    assert "site" in spack("upstream", "list").out and "of Spack" in spack("upstream", "list").out
    assert "[^] base@1.0" in spack("find", "-I").out
    base = site.nodes["base"]
    assert f"[^]  {base.dag_hash(7)}" in spack("spec", "-I", "-l", "base").out
    shutil.rmtree(spack.home.store)
    loaded = spack("load", "--sh", "base").out + "base\n"
    assert subprocess.check_output(["sh", "-c", loaded], text=True) == "base\n"
    spack("install", "top")
    assert spack.prefix("base") == Path(spack_prefix(site.root, base))
    assert spack.prefix("top").is_relative_to(spack.home.store)
    assert "0 with differences" in spack("verify").text
    assert "it is in the upstream" in spack.fails("uninstall", "-y", "base").err
    assert tree_of(site.root) == before


def test_a_view_of_what_spack_installed_is_a_relocatable_venv(
    spack: Command, site: Site, tmp_path: Path, tree_of: TakeSnapshot
) -> None:
    before = tree_of(site.root)
    spack("-e", tmp_path / "theirs", "install")
    view = tmp_path / "theirs" / ".spack-env" / "view"
    moved = tmp_path / "moved"
    view.rename(moved)
    subprocess.run([moved / "bin" / "python", "-m", "sweet"], check=True)
    shown = subprocess.run([moved / "bin" / "sweet"], capture_output=True, text=True, check=True)
    assert shown.stdout == f"{moved}\n"
    assert (moved / "bin" / "base").exists()
    assert str(site.root) not in (moved / "bin" / "sweet").read_text()
    assert "all as they were made" in spack("view", "verify", moved).text
    assert tree_of(site.root) == before


@pytest.mark.parametrize("without", [""], indirect=True)
def test_what_recipes_say_of_using_what_spack_installed(
    spack: Command, site: Site, tmp_path: Path
) -> None:
    """Spack records no run environment: recipes are asked, and once only."""
    recipe = tmp_path / "tiny" / "packages" / "base" / "package.py"
    text = recipe.read_text()
    body = (
        "    def setup_run_environment(self, env):\n"
        '        env.set("BASE_HOME", self.prefix.share)\n'
    )
    recipe.write_text(text + "\n" + body)
    prefix = spack_prefix(site.root, site.nodes["base"])
    shown = spack("load", "--sh", "base").out
    assert f"BASE_HOME={prefix}/share" in shown or f"BASE_HOME='{prefix}/share'" in shown
    theirs = tmp_path / "theirs"
    spack("-e", theirs, "install")
    assert "BASE_HOME" in spack("env", "activate", "--sh", "-d", theirs).out
    assert "BASE_HOME" in (theirs / ".spack-env" / "view" / "bin" / "activate").read_text()
    recipe.write_text(text + "\n" + body.replace("self.prefix.share", "1 // 0"))
    spack("view", "add", tmp_path / "view", "base")
    spack("clean", "-m")
    refused = spack.fails("view", "add", tmp_path / "again", "base").err
    assert "base cannot be put into the view: " in refused and "package.py:" in refused


@pytest.mark.parametrize("without", [""], indirect=True)
def test_an_environment_of_spack_stays_as_it_is(
    spack: Command, site: Site, tmp_path: Path, tree_of: TakeSnapshot
) -> None:
    theirs = tmp_path / "theirs"
    view = theirs / ".spack-env" / "._view" / "abc"
    view.mkdir(parents=True)
    (view / "file").touch()
    (theirs / ".spack-env" / "view").symlink_to(view)
    failed = spack.fails("-e", theirs, "install")
    assert "was not made as a view" in failed.err
    assert "Spack made it: `spack -e ENV view make DIR`" in failed.err
    before = tree_of(theirs)
    spack("-e", theirs, "view", "make", tmp_path / "venv")
    shown = subprocess.run(
        [tmp_path / "venv" / "bin" / "sweet"], capture_output=True, text=True, check=True
    )
    assert shown.stdout == f"{tmp_path / 'venv'}\n"
    assert "is up to date" in spack("-e", theirs, "view", "-v", "make", tmp_path / "venv").text
    assert tree_of(theirs) == before
    spack("upstream", "rm", "site")
    failed = spack.fails("-e", theirs, "view", "make", tmp_path / "venv2")
    assert "not installed: " in failed.err and "spack upstream add NAME PATH" in failed.err


def test_an_environment_without_a_view_is_made_and_packed(
    spack: Command, site: Site, tmp_path: Path
) -> None:
    theirs = tmp_path / "theirs"
    manifest = theirs / "spack.yaml"
    manifest.write_text(manifest.read_text().replace("view: true", "view: false"))
    spack("-e", theirs, "env", "pack", tmp_path / "theirs.tar")
    (tmp_path / "out").mkdir()
    subprocess.run(["tar", "-xf", tmp_path / "theirs.tar", "-C", tmp_path / "out"], check=True)
    subprocess.run([tmp_path / "out" / "theirs" / "bin" / "sweet"], check=True)
    (theirs / "spack.lock").unlink()
    failed = spack.fails("-e", theirs, "view", "make", tmp_path / "venv")
    assert "theirs is not concretized" in failed.err


@pytest.mark.parametrize("without", [""], indirect=True)
def test_a_package_without_a_manifest_is_shown_too(
    spack: Command, site: Site, tmp_path: Path
) -> None:
    prefix = Path(spack_prefix(site.root, site.nodes["base"]))
    (prefix / ".spack" / "install_manifest.json").unlink()
    spack("view", "add", tmp_path / "view", "base")
    assert (tmp_path / "view" / "bin" / "base").exists()


@pytest.mark.parametrize("without", [""], indirect=True)
def test_a_damaged_database_is_named(spack: Command, site: Site) -> None:
    index = site.root / ".spack-db" / "index.json"
    index.write_text(index.read_text()[:100])
    failed = spack.fails("find")
    assert f"the database of Spack is damaged: {index}" in failed.err
    assert "spack reindex" in failed.err
    assert "unusable" in spack("upstream", "list").out


@pytest.mark.parametrize("without", [""], indirect=True)
def test_upstreams_are_configured(spack: Command, site: Site, tmp_path: Path) -> None:
    assert (
        "is not an install tree: it has no database" in spack.fails("upstream", "add", "x", "/").err
    )
    again = spack.fails("upstream", "add", "site", site.root, code=2)
    assert "already has an upstream site" in again.err
    assert "a subcommand is required" in spack.fails("upstream", code=2).err
    spack("upstream", "rm", "site")
    assert "there is no upstream site" in spack.fails("upstream", "rm", "site", code=2).err
    assert spack("upstream", "list").text == "==> no upstreams configured\n"
    assert site.root.is_dir()
