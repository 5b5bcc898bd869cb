"""Recipes that say something else than the distributions that they build."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from spack.recipe.records import DependencyRecord, Recipe, VersionRecord
from spack.recipe.requirements import (
    Declared,
    RequirementFinding,
    compare,
    project_of,
    read,
)


def recipe(name: str, *dependencies: Any, versions: Sequence[str] = ("1.0",)) -> Recipe:
    """Return a recipe whose dependencies are rows (line, spec, types[, when])."""
    return Recipe(
        name=name,
        namespace="test",
        path=f"/repo/{name}/package.py",
        content_hash="",
        versions=tuple(VersionRecord(version, line=9) for version in versions),
        dependencies=tuple(
            DependencyRecord(
                row[1], tuple(row[2].split()), row[3] if len(row) > 3 else "", (), row[0]
            )
            for row in dependencies
        ),
        attributes={"pypi": f"{name[3:]}/x.tar.gz"} if name.startswith("py-") else {},
    )


OTHERS = {
    "py-hatchling": recipe("py-hatchling", versions=("2.0", "1.21", "1.18")),
    "py-click": recipe("py-click", versions=("8.1", "7.0")),
}


def findings(
    of: Recipe,
    requires: Sequence[str],
    types: Sequence[str] = ("build",),
    holds: Any = lambda when: when in ("", "@=1.0"),
    python: str = "3.11",
) -> list[RequirementFinding]:
    def recipe_of(name: str) -> Recipe | None:
        return OTHERS.get(name)

    environment = {"python_version": python, "python_full_version": f"{python}.1"}
    texts = read(requires, environment, lambda text: "pyproject.toml:2")
    return compare(Declared(of, holds, types, recipe_of, ("run",)), texts)


@pytest.mark.parametrize(
    ("dependencies", "requires", "expected"),
    [
        ([(5, "py-hatchling@1.21:", "build")], ["hatchling>=1.21"], []),
        ([(5, "py-hatchling@1.18:", "build")], ["Hatchling >= 1.18"], []),
        (
            [],
            ["hatchling>=1.21"],
            [
                "missing /repo/py-a/package.py:9: pyproject.toml:2 requires hatchling>=1.21: "
                'add depends_on("py-hatchling@1.21:", type="build")'
            ],
        ),
        (
            [(5, "py-hatchling", "build")],
            ["hatchling>=1.21"],
            [
                "bound /repo/py-a/package.py:5: py-hatchling admits 1.18, but pyproject.toml:2 "
                "requires hatchling>=1.21"
            ],
        ),
        (
            [(5, "py-hatchling@2:", "build")],
            ["hatchling>=1.21"],
            [
                "narrow /repo/py-a/package.py:5: py-hatchling@2: excludes 1.21, but "
                "pyproject.toml:2 requires hatchling>=1.21"
            ],
        ),
        (
            [(5, "py-hatchling", "build"), (6, "py-click", "build")],
            ["hatchling"],
            ["extra /repo/py-a/package.py:6: py-click (build) is not required"],
        ),
        # Two records together: the bounds are joined.
        (
            [(5, "py-hatchling@1.20:", "build"), (6, "py-hatchling@:1", "build")],
            ["hatchling>=1.20,<2"],
            [],
        ),
        # Two requirements on one project.
        (
            [(5, "py-hatchling@1.20:", "build"), (6, "py-hatchling@:1", "build")],
            ["hatchling>=1.20", "hatchling<2"],
            [],
        ),
        # What means other reasons than importing, or comes from a base class, is not a news.
        ([(5, "py-click", "run"), (0, "py-pip", "build"), (6, "cmake", "build")], ["cmake"], []),
        ([], ["wheel", "a"], []),
        # A condition that depends on what is not known neither counts nor is superfluous.
        ([(5, "py-click", "build", "+docs")], [], []),
    ],
)
def test_what_is_found(
    dependencies: Sequence[Any], requires: Sequence[str], expected: Sequence[str]
) -> None:
    def holds(when: str) -> bool | None:
        return None if "+" in when else when in ("", "@=1.0")

    found = findings(recipe("py-a", *dependencies), requires, holds=holds)
    assert [f"{row.kind} {row}" for row in found] == expected


def test_markers_and_extras() -> None:
    requires = ['click; python_version < "3.10"', 'click; extra == "docs"']
    assert findings(recipe("py-a"), requires, python="3.11") == []
    assert [row.kind for row in findings(recipe("py-a"), requires, python="3.9")] == ["missing"]


def test_names() -> None:
    assert project_of("py-a", recipe("py-a")) == "a"
    assert project_of("py-a-b", None) == "a-b"
    assert project_of("cmake", None) == "cmake"


def test_malformed() -> None:
    with pytest.raises(ValueError, match="Expected"):
        read(["a >>= 1"], {}, lambda text: "")
