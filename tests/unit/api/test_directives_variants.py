"""Variants and their sets of values."""

from __future__ import annotations

from typing import Any

import pytest

from spack.api.variants import Variant
from spack.errors import RecipeError
from spack.package import (
    PackageBase,
    any_combination_of,
    auto_or_any_combination_of,
    conditional,
    disjoint_sets,
    variant,
)


def record(*args: Any, **kwargs: Any) -> Any:
    return Variant(*args, **kwargs).record()


@pytest.mark.parametrize(("default", "text"), [(True, "true"), (False, "false"), ("True", "true")])
def test_boolean(default: object, text: str) -> None:
    found = record("x", default, "words")
    assert (found.kind, found.default) == ("bool", (text,))
    assert found.values == (("true", ""), ("false", ""))
    assert found.description == "words"


def test_any_text() -> None:
    found = record("x", "none")
    assert (found.kind, found.default, found.values) == ("single", ("none",), None)
    assert record("x", "1", values=int).values is None
    assert record("x", "1", values=lambda value: True).values is None


def test_single_and_multi() -> None:
    single = record("x", "b", values=("a", "b"))
    assert (single.kind, single.values) == ("single", (("a", ""), ("b", "")))
    multi = record("x", "a,b", values=("a", "b", "c"), multi=True)
    assert (multi.kind, multi.default) == ("multi", ("a", "b"))
    assert record("x", ("a", "b"), values=("a", "b"), multi=True).default == ("a", "b")


def test_numbers_are_texts() -> None:
    assert record("x", "17", values=(11, 14, 17)).values == (("11", ""), ("14", ""), ("17", ""))


def test_conditional_values() -> None:
    values = ("a", conditional("b", "c", when="@2:"), conditional("d", when=False))
    found = Variant("x", "a", values=values)
    assert found.record().values == (("a", ""), ("b", "@2:"), ("c", "@2:"))
    assert "b" in found.values
    assert [str(value) for value in found.values] == ["a", "b", "c", "d"]


def test_any_combination() -> None:
    found = Variant("x", values=any_combination_of("a", "b"))
    row = found.record()
    assert (row.kind, row.default) == ("multi", ("none",))
    assert row.sets == (("none",), ("a", "b"))
    assert row.values == (("none", ""), ("a", ""), ("b", ""))
    assert found.values.feature_values == ("a", "b")
    assert list(found.values) == ["none", "a", "b"]
    assert "a" in found.values and len(found.values) == 3 and found.values[0] == "none"


def test_auto_or_any_combination() -> None:
    row = record("x", values=auto_or_any_combination_of("a", "b"))
    assert row.default == ("auto",)
    assert row.sets == (("auto",), ("a", "b"))


def test_disjoint_sets() -> None:
    values = disjoint_sets(("auto",), ("a", "b")).with_default("auto")
    found = Variant("x", values=values.with_non_feature_values("auto"))
    row = found.record()
    assert row.default == ("auto",)
    assert row.sets == (("none",), ("auto",), ("a", "b"))
    assert found.values.feature_values == ("a", "b", "none")
    assert disjoint_sets(("a",), ("b", "c")).feature_values == ("a", "b", "c", "none")
    assert disjoint_sets(("a",)).prohibit_empty_set().feature_values == ("a",)
    again = disjoint_sets(("a",)).prohibit_empty_set().allow_empty_set().allow_empty_set()
    assert again.feature_values == ("a", "none") and again.sets == [("none",), ("a",)]
    without = disjoint_sets(("a",), ("b",)).prohibit_empty_set().with_default("a")
    assert record("x", values=without).sets == (("a",), ("b",))
    with pytest.raises(RecipeError, match="no default"):
        Variant("x", values=disjoint_sets(("a",)).prohibit_empty_set())


@pytest.mark.parametrize(
    ("sets", "message"),
    [
        ((("a", "b"), ("b", "c")), "the value 'b' is in two sets of values"),
        ((("a",), ("none", "c")), "the value 'none' is in a set with other values"),
        ((("a",), (conditional("a", when="@2:"),)), "the value 'a' is in two sets"),
    ],
)
def test_sets_that_are_not_disjoint(sets: tuple[Any, ...], message: str) -> None:
    with pytest.raises(RecipeError, match=message):
        disjoint_sets(*sets)


def test_conditional_values_in_sets() -> None:
    row = record("x", values=any_combination_of("a", conditional("b", when="@2:")))
    assert row.values == (("none", ""), ("a", ""), ("b", "@2:"))
    assert row.sets == (("none",), ("a", "b"))


def test_a_predicate_that_documents_its_values() -> None:
    def allowed(value: str) -> bool:
        """make,ninja"""  # noqa: D400 - the values
        return value in ("make", "ninja")

    assert record("x", "make", values=allowed).values == (("make", ""), ("ninja", ""))

    def other(value: str) -> bool:
        """Return some words, not a list of values."""
        return True

    assert record("x", "make", values=other).values is None


@pytest.mark.parametrize("default", [None, "", ()])
def test_no_default(default: object) -> None:
    with pytest.raises(RecipeError, match="no default value"):
        Variant("x", default, values=("a", "b"))


def test_two_defaults() -> None:
    with pytest.raises(RecipeError, match="variant 'x' has two defaults"):
        Variant("x", "a", values=any_combination_of("a", "b"))


def test_reserved_names() -> None:
    with pytest.raises(RecipeError, match="'platform' is reserved"):

        class A(PackageBase):
            variant("platform", default=False)


def test_definitions_by_condition() -> None:
    class Base(PackageBase):
        variant("x", default="a", values=("a",))
        variant("y", default=False)

    class A(Base):
        variant("x", default="b", values=("b",))
        variant("x", default="c", values=("c",), when="@2:")

    assert A.variant_names() == ["x", "y"]
    assert A.has_variant("y") and not A.has_variant("z")
    found = [(str(condition), d.default) for condition, d in A.variant_definitions("x")]
    assert found == [("", "b"), ("@2:", "c")]

    class B(A):
        variant("x", default="d", values=("d",), when="@1:")
        variant("x", default="e", values=("e",), when="@2:")
        variant("x", default="f", values=("f",), when="@1")

    found = [(str(condition), d.default) for condition, d in B.variant_definitions("x")]
    assert found == [("", "b"), ("@1:", "d"), ("@2:", "e"), ("@1", "f")]

    class C(B):
        variant("x", default="g", values=("g",))

    assert [d.default for _, d in C.variant_definitions("x")] == ["g"]
