"""Stages that the user looks into: patched, unpacked again, found."""

from __future__ import annotations

from pathlib import Path

import pytest

from kits.command import Command
from kits.recipe_repository import RecipeRepository


@pytest.fixture
def staged(spack: Command, recipes: RecipeRepository) -> Command:
    """``one``, whose recipe has a patch."""
    source = recipes.archive("one-1.0", {"data": "one\n"})
    recipes.add("one", f'version("1.0", {source})\npatch("fix.patch")\n')
    patch = recipes.path("one").with_name("fix.patch")
    patch.write_text("--- a/data\n+++ b/data\n@@ -1 +1 @@\n-one\n+two\n")
    return spack


def test_patch_and_restage(staged: Command) -> None:
    done = staged("patch", "one").out
    assert "1 patch applied in " in done
    source = Path(staged("location", "--source-dir", "one").out.strip())
    assert (source / "data").read_text() == "two\n"
    (source / "mine").touch()
    staged("restage", "one")
    assert (source / "data").read_text() == "one\n"
    assert not (source / "mine").exists()
    staged("clean", "--stage")
    assert "is not staged" in staged.fails("restage", "one").err


def test_a_patch_that_does_not_apply(staged: Command, recipes: RecipeRepository) -> None:
    recipes.path("one").with_name("fix.patch").write_text(
        "--- a/data\n+++ b/data\n@@ -1 +1 @@\n-three\n+two\n"
    )
    assert "fix.patch" in staged.fails("patch", "one").err


INSTALL = """\
phases = ["prepare", "install"]

def prepare(self, spec, prefix):
    with open("prepared", "w") as stream:
        stream.write("x")

def install(self, spec, prefix):
    mkdirp(prefix.bin)
"""


@pytest.fixture
def two_phases(spack: Command, recipes: RecipeRepository) -> Command:
    """``two``, a package with two phases, over ``plain``."""
    recipes.plain("plain")
    source = recipes.archive("two-1.0", {"data": "two\n"})
    recipes.add("two", f'version("1.0", {source})\ndepends_on("plain")\n{INSTALL}')
    return spack


def test_install_stops_after_a_phase(two_phases: Command) -> None:
    done = two_phases("install", "--until", "prepare", "two")
    assert "stopped after phase 'prepare', as --until asks; the stage is kept: " in done.text
    source = Path(two_phases("location", "-c", "two").out.strip())
    assert (source / "prepared").is_file()
    assert two_phases.names() == ["plain"]  # what it needs is installed
    wrong = two_phases.fails("install", "-u", "nothing", "two").err
    assert "there is no phase 'nothing' to stop after" in wrong
    assert "the phases are prepare, install" in wrong


def test_install_keeps_sources(two_phases: Command) -> None:
    two_phases("install", "--source", "two")
    kept = two_phases.prefix("two") / "share" / "two" / "src"
    assert [path.name for path in kept.iterdir()] == ["data"]
