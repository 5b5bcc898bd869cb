"""Which patches and resources of a recipe apply to a node."""

from __future__ import annotations

import pytest

from spack.actions.staging import patches_of, resources_of
from spack.errors import RecipeError
from spack.recipe import DependencyRecord, PatchRecord, ProvidesRecord, Recipe, ResourceRecord
from spack.spec import ConcreteSpec, Edge, VariantValue

OLD = PatchRecord("old.patch", "1" * 64, when="^java@:8")
NEW = PatchRecord("new.patch", "2" * 64, when="^java@9:")
ADDED = PatchRecord("added.patch", "3" * 64)

RECIPES = {
    "hdf": Recipe(
        "hdf",
        "test",
        "package.py",
        "0" * 64,
        patches=(OLD, NEW),
        resources=(ResourceRecord("doc", when="^java@9:"), ResourceRecord("all")),
        dependencies=(DependencyRecord("java@9:", ("link",), "", (ADDED,)),),
    ),
    "jdk": Recipe("jdk", "test", "package.py", "0" * 64, provides=(ProvidesRecord(("java@9:",)),)),
}


def recipe_of(node: ConcreteSpec) -> Recipe:
    return RECIPES[node.name]


def test_conditions_on_the_version_of_a_virtual() -> None:
    jdk = ConcreteSpec("jdk", "test", "17.0.2")
    hdf = ConcreteSpec("hdf", "test", "4.2", edges=(Edge(jdk, ("link",), ("java",)),))
    own = patches_of(hdf, RECIPES["hdf"], (), recipe_of)
    assert own == [(RECIPES["hdf"], NEW)]
    added = patches_of(jdk, RECIPES["jdk"], (hdf,), recipe_of)
    assert added == [(RECIPES["hdf"], ADDED)]
    assert [r.name for r in resources_of(RECIPES["hdf"], hdf, recipe_of)] == ["doc", "all"]
    alone = ConcreteSpec("hdf", "test", "4.2")
    assert patches_of(alone, RECIPES["hdf"], (), recipe_of) == []
    assert [r.name for r in resources_of(RECIPES["hdf"], alone, recipe_of)] == ["all"]


def test_a_node_of_spack_gets_the_patches_that_are_part_of_it() -> None:
    jdk = ConcreteSpec("jdk", "test", "17.0.2")
    edges = (Edge(jdk, ("link",), ("java",)),)
    patches = {"patches": VariantValue.multi("patches", ("2" * 64,))}
    package_hash = "z" * 52 + "===="
    hdf = ConcreteSpec("hdf", "test", "4.2", patches, edges=edges, package_hash=package_hash)
    assert hdf.is_of_spack and not jdk.is_of_spack
    assert patches_of(hdf, RECIPES["hdf"], (), recipe_of) == [(RECIPES["hdf"], NEW)]
    with pytest.raises(
        RecipeError, match="as it is locked: the recipe has other patches"
    ) as caught:
        patches_of(hdf.replace(variants={}), RECIPES["hdf"], (), recipe_of)
    assert caught.value.facts == {"locked": [], "recipe": ["2" * 64]}
