"""What was asked before is answered from the cache, as long as the answer is true."""

from __future__ import annotations

from pathlib import Path
from typing import Callable

import pytest

from kits.command import Command, Result
from kits.recipe_repository import RecipeRepository

Ask = Callable[..., Result]
Kept = Callable[[], list[Path]]


@pytest.fixture
def answers(tmp_path: Path) -> Callable[[], list[Path]]:
    """Return the files of answers that are kept."""
    return lambda: sorted((tmp_path / "misc/solutions").iterdir())


@pytest.fixture
def ask(spack: Command, recipes: RecipeRepository, tmp_path: Path) -> Ask:
    """Run a command with a cache of its own, in which the answer for ``top`` is."""
    recipes.plain("base")
    recipes.plain("top", "base")

    def run(*words: str) -> Result:
        return spack("-c", f"config:misc_cache:{tmp_path / 'misc'}", *words)

    assert "top@1.0" in run("spec", "top").out
    return run


def test_an_answer_is_read_again(ask: Ask, answers: Kept) -> None:
    (first,) = answers()
    ask("spec", "base")
    (second,) = set(answers()) - {first}
    second.write_bytes(first.read_bytes())
    assert "top@1.0" in ask("spec", "base").out
    assert "base@1.0" in ask("solve", "base").out, "solve looks at it again"
    assert "base@1.0" in ask("spec", "base").out


def test_what_an_answer_depends_on_is_part_of_the_question(
    ask: Ask, answers: Callable[[], list[Path]], recipes: RecipeRepository
) -> None:
    before = len(answers())
    ask("spec", "--fresh", "top")
    ask("-c", "packages:base:variants:build_system=generic", "spec", "top")
    assert len(answers()) == before + 2
    ask("install", "base")
    assert ask("spec", "-I", "top").out.count("[+]") == 1
    recipe = next(recipes.root.glob("packages/base/package.py"))
    recipe.write_text(recipe.read_text().replace('version("1.0"', 'version("2.0"'))
    assert "base@2.0" in ask("spec", "--fresh", "top").out


def test_a_damaged_answer_is_found_again(ask: Ask, answers: Kept) -> None:
    (kept,) = answers()
    whole = kept.read_text()
    for text in ("", "{}", "[]", whole[:-20], '{"roots": ["x"], "nodes": {}, "held_back": []}'):
        kept.write_text(text)
        assert "top@1.0" in ask("spec", "top").out
        assert kept.read_text() == whole


def test_a_cache_that_cannot_be_written_is_done_without(
    ask: Ask, answers: Callable[[], list[Path]]
) -> None:
    (kept,) = answers()
    kept.unlink()
    kept.parent.rmdir()
    kept.parent.write_text("in the way")
    assert "top@1.0" in ask("spec", "top").out
