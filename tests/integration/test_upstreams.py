"""Install trees behind one another: what an upstream has is used, shown, and never changed."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from kits.command import Command, Snapshot
from kits.recipe_repository import RecipeRepository


@pytest.fixture
def trees(
    make_spack: Callable[[Path], Command],
    make_recipes: Callable[[Command, Path], RecipeRepository],
    tmp_path: Path,
) -> dict[str, Command]:
    """Return ``far`` with ``base``; ``near``, behind it, with ``middle``; ``own`` behind both."""
    made: dict[str, Command] = {}
    for name in ("far", "near", "own"):
        spack = make_spack(tmp_path / name)
        recipes = make_recipes(spack, tmp_path / name / "tiny")
        recipes.plain("base")
        recipes.c_program("middle", "int main(void) { return 0; }\n", "base")
        recipes.plain("top", "middle", install="Executable('middle')()\n")
        upstreams = "".join(
            f"  {key}:\n    install_tree: {made[key].home.store}\n" for key in reversed(list(made))
        )
        if upstreams:
            (spack.home.config / "upstreams.yaml").write_text(f"upstreams:\n{upstreams}")
        made[name] = spack
        spack("install", {"far": "base", "near": "middle", "own": "top"}[name])
    return made


def test_what_upstreams_have_is_used_and_shown(trees: dict[str, Command]) -> None:
    own, near, far = trees["own"], trees["near"], trees["far"]
    assert own.prefix("base") == far.prefix("base")
    assert own.prefix("middle") == near.prefix("middle")
    assert own.prefix("top").is_relative_to(own.home.store)
    shown = own("find", "-I").lines
    assert {"[^] base@1.0", "[^] middle@1.0", "[+] top@1.0"} <= {line.strip() for line in shown}
    assert "[^]      ^middle@1.0" in own("spec", "-I", "top").out
    assert "0 to build" not in own("install", "top", "base").text
    assert [x.name.partition("-")[0] for x in own.home.store.glob("linux*/*")] == ["top"]
    own("verify")


def test_views_and_environments_use_upstreams(trees: dict[str, Command], tmp_path: Path) -> None:
    own = trees["own"]
    own("view", "add", tmp_path / "view", "top")
    for name in ("base", "middle", "top"):
        subprocess.run([tmp_path / "view" / "bin" / name], check=True)
    own("env", "create", "-d", tmp_path / "env")
    own("-e", tmp_path / "env", "add", "middle")
    own("-e", tmp_path / "env", "install")
    assert (tmp_path / "env" / ".spack-env" / "view" / "bin" / "middle").exists()


def test_nothing_in_an_upstream_is_changed(
    trees: dict[str, Command], packages_of: Callable[[Path], Snapshot]
) -> None:
    own = trees["own"]
    before = {name: packages_of(trees[name].home.store) for name in ("far", "near")}
    result = own.fails("uninstall", "-y", "middle")
    assert "it is in the upstream" in result.err
    own("uninstall", "-y", "top")
    assert own("gc", "-y").code == 0
    own("install", "base", "middle")
    assert {name: packages_of(trees[name].home.store) for name in ("far", "near")} == before
    assert {"base", "middle"} < set(own.names()) and "top" not in own.names()


def test_an_upstream_node_can_be_built_here(trees: dict[str, Command]) -> None:
    own = trees["own"]
    own("install", "--overwrite", "-y", "base")
    assert own.prefix("base").is_relative_to(own.home.store)
    own("uninstall", "-y", "-f", "base")
    assert own.prefix("base") == trees["far"].prefix("base")


def test_an_upstream_that_is_none(trees: dict[str, Command], tmp_path: Path) -> None:
    own = trees["own"]
    (tmp_path / "empty" / ".spack-db").mkdir(parents=True)
    (own.home.config / "upstreams.yaml").write_text(
        f"upstreams:\n  x:\n    install_tree: {tmp_path / 'empty'}\n"
    )
    result = own.fails("find")
    assert "is not an install tree" in result.err and "spack config blame upstreams" in result.err
