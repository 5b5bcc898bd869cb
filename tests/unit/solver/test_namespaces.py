"""Recipes of the namespaces that specs name."""

from __future__ import annotations

from dataclasses import replace
from types import ModuleType
from typing import Any

import pytest

from spack.errors import RecipeError, UnsatisfiableError
from spack.recipe.records import Recipe
from spack.solver.namespaces import recipes_for
from spack.solver.problem import Root
from spack.spec import Spec


class TwoRepositories:
    """The recipes of ``first``, and those of ``second`` behind their full names."""

    def __init__(self, kit: ModuleType) -> None:
        def named(name: str, namespace: str, versions: list[str]) -> Recipe:
            recipe: Recipe = kit.recipe(name, {"versions": versions})
            return replace(recipe, namespace=namespace)

        self.recipes = {
            "py-a": named("py-a", "first", ["1"]),
            "first.py-a": named("py-a", "first", ["1"]),
            "second.py-a": named("py-a", "second", ["7"]),
        }

    def get(self, name: str) -> Recipe | None:
        return self.recipes.get(name)

    def providers(self, virtual: str) -> tuple[str, ...]:
        return ()

    def is_virtual(self, name: str) -> bool:
        return False

    def suggestions(self, name: str) -> tuple[str, ...]:
        return ()


def solved(kit: ModuleType, *roots: str, packages: Any = None, **more: Any) -> Any:
    problem = kit.problem_of({"packages": {}, "roots": [], "config": packages or {}})
    wanted = tuple(Root(Spec.parse(text)) for text in roots)
    recipes = recipes_for(TwoRepositories(kit), wanted, problem.packages)
    return kit.concretize(replace(problem, roots=wanted, recipes=recipes, **more)).roots[0]


def test_the_first_repository_answers_where_no_namespace_is_named(kit: ModuleType) -> None:
    assert solved(kit, "py-a").format("{namespace}.{name}@{version}") == "first.py-a@1"


@pytest.mark.parametrize("text", ["second.py-a", "second.py-a@7"])
def test_a_root_names_a_namespace(kit: ModuleType, text: str) -> None:
    assert solved(kit, text).format("{namespace}.{name}@{version}") == "second.py-a@7"


def test_a_requirement_names_a_namespace(kit: ModuleType) -> None:
    packages = {"py-a": {"require": "second.py-a"}}
    assert solved(kit, "py-a", packages=packages).namespace == "second"


def test_what_is_installed_is_of_the_namespace(kit: ModuleType) -> None:
    first = solved(kit, "py-a")
    assert solved(kit, "py-a", reusable=(first,)) == first
    assert solved(kit, "second.py-a", reusable=(first,)).namespace == "second"
    second = solved(kit, "second.py-a")
    assert solved(kit, "first.py-a", reusable=(second,)).namespace == "first"


def test_a_namespace_without_the_package(kit: ModuleType) -> None:
    with pytest.raises(RecipeError, match="the repository third has no package py-a") as caught:
        solved(kit, "third.py-a")
    assert caught.value.hint


def test_two_namespaces_for_one_package(kit: ModuleType) -> None:
    with pytest.raises(UnsatisfiableError, match=r"from first .* and from second"):
        solved(kit, "first.py-a", "second.py-a")
