"""Upstream's recipes load unmodified, and say what they say upstream.

``expected.jsonl`` records, for some recipes of every kind, what the original engine computed from
them: urls of all versions (those of the package index as ``pypi:<project>/<file>``), conditions and
names of dependencies, variants, provided names. It was made from spack-packages 1e8cf059e35d55c4fe.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from spack.recipe import Recipe
from spack.repo import RepoPath, Repository
from spack.repo.facts_process import compute_facts
from spack.spec import Spec

EXPECTED = [
    json.loads(line)
    for line in (Path(__file__).parent / "expected.jsonl").read_text(encoding="utf-8").splitlines()
]

#: What this project's build systems declare in their own way.
OWN = {"py-pip", "py-wheel", "python", "python-venv", "cmake", "gmake", "ninja", "meson"}


@pytest.fixture(scope="module")
def repo(upstream: Path) -> Iterator[RepoPath]:
    """Only the recipes that are compared."""
    wanted = {row["name"] for row in EXPECTED}

    def some(roots: Any, work: Any) -> Iterator[Any]:
        chosen = [(i, d) for i, d in work if d.lstrip("_").replace("_", "-") in wanted]
        return compute_facts(roots, chosen)

    yield RepoPath([Repository.open(upstream)], None, build_index=some)


def canonical(when: str) -> str:
    return str(Spec(when))


@pytest.mark.parametrize("row", EXPECTED, ids=[row["name"] for row in EXPECTED])
def test_facts(repo: RepoPath, row: dict) -> None:
    recipe = repo.get(row["name"])
    assert isinstance(recipe, Recipe)
    urls = {version.version: version.url for version in recipe.versions}
    # No registry's host is written here, so there is nothing to compare with for some.
    assert row["urls"] is None or urls == row["urls"]
    variants = {(canonical(v.when), v.name) for v in recipe.variants}
    assert variants == {(canonical(when), name) for when, name, _ in row["variants"]}
    found = {(canonical(d.when), Spec(d.spec).name) for d in recipe.dependencies}
    expected = {(canonical(when), name) for when, name in row["deps"]}
    assert {pair for pair in found ^ expected if pair[1] not in OWN} == set()
    assert len(recipe.patches) == row["patches"]
    assert sorted({Spec(e.spec).name for e in recipe.extends}) == row["ext"]
    provided = {(canonical(p.when), v) for p in recipe.provides for v in map(canonical, p.virtuals)}
    listed = {(canonical(when), canonical(v)) for when, names in row["provides"] for v in names}
    assert provided == listed


@pytest.mark.slow
def test_every_recipe_loads(upstream: Path, tmp_path: Path) -> None:
    repository = Repository.open(upstream)
    repo = RepoPath([repository], tmp_path)
    assert len(repo.names()) == len(repository.names())
    assert repo.errors() == {}
    for name in repo.names():
        recipe = repo.get(name)
        assert recipe is not None and recipe.name == name
