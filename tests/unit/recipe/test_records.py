"""Recipes as plain data."""

from __future__ import annotations

import json
import marshal
import pickle

from spack.recipe import (
    DependencyRecord,
    PatchRecord,
    Recipe,
    ResourceRecord,
    VariantRecord,
    VersionRecord,
)

PATCH = PatchRecord("fix.patch", "00" * 32, when="@1", line=9)
RECIPE = Recipe(
    name="py-x",
    namespace="venv",
    path="/somewhere/package.py",
    content_hash="ab" * 32,
    description="Words.",
    versions=(VersionRecord("1.0", "pypi:x/x-1.0.tar.gz", "cd" * 32, options={"expand": False}),),
    variants=(VariantRecord("d", "bool", ("false",), (("true", ""), ("false", ""))),),
    dependencies=(
        DependencyRecord("python@3.9:", ("build", "run"), line=7),
        DependencyRecord("zlib", ("link",), "@1", (PATCH,)),
    ),
    resources=(ResourceRecord("data", placement={"a": "b"}),),
    executables=("^x$",),
    attributes={"tags": ("a", "b"), "has_code": True},
)


def test_marshal_round_trip() -> None:
    again = Recipe.from_data(marshal.loads(marshal.dumps(RECIPE.to_data())))
    assert again == RECIPE
    assert again.dependencies == RECIPE.dependencies
    assert again.dependencies[1].patches[0].source == "fix.patch"
    assert again.versions[0].options == {"expand": False}
    assert again.fullname == "venv.py-x"


def test_json_round_trip() -> None:
    again = Recipe.from_data(json.loads(json.dumps(RECIPE.to_data())))
    assert again.dependencies == RECIPE.dependencies
    assert again.variants == RECIPE.variants
    assert again.executables == ("^x$",)


def test_records_of_a_kind_are_made_when_asked_for() -> None:
    again = Recipe.from_data(RECIPE.to_data())
    assert "dependencies" not in again.__dict__
    assert again.dependencies is again.dependencies
    assert again.to_data() == RECIPE.to_data()


def test_a_read_recipe_can_be_pickled_and_hashed() -> None:
    again = Recipe.from_data(RECIPE.to_data())
    assert pickle.loads(pickle.dumps(again)) == again
    assert len({again, Recipe.from_data(RECIPE.to_data())}) == 1
