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
