"""Conditional methods."""

from __future__ import annotations

import pytest

from spack.api.when import NoSuchMethodError
from spack.package import PackageBase, when
from spack.spec import Spec


class Fake:
    """A spec that satisfies what its text satisfies."""

    def __init__(self, text: str) -> None:
        self.text = text

    def satisfies(self, condition: object) -> bool:
        return Spec(self.text).satisfies(str(condition))

    def __str__(self) -> str:
        return self.text


class Base(PackageBase):
    def first(self) -> str:
        return "base"

    @when("@9")
    def second(self) -> str:
        return "base 9"

    @property
    def third(self) -> str:
        return "base"


class Derived(Base):
    @when("@1")
    def first(self) -> str:
        return "one"

    @when("@:2")
    def first(self) -> str:  # noqa: F811
        return "up to two"

    @when("@1")
    def second(self) -> str:
        return "one"

    def plain(self, word: str, *, more: str = "") -> str:
        return f"default {word}{more}"

    @when("@1")
    def plain(self, word: str, *, more: str = "") -> str:  # noqa: F811
        """Words."""
        return f"one {word}{more}"

    @when(False)
    def never(self) -> str:
        return "never"

    @when(True)
    def always(self) -> str:
        return "always"


def package(text: str) -> Derived:
    return Derived(Fake(text))


def test_the_first_match_wins() -> None:
    assert package("x@=1").first() == "one"
    assert package("x@=2").first() == "up to two"


def test_then_the_plain_definition_before_it() -> None:
    assert package("x@=1").plain("a", more="b") == "one ab"
    assert package("x@=2").plain("a") == "default a"


def test_then_the_base_classes() -> None:
    assert package("x@=3").first() == "base"
    assert package("x@=9").second() == "base 9"


def test_else_an_error() -> None:
    with pytest.raises(NoSuchMethodError, match=r"Derived.second has no definition for x@=3"):
        package("x@=3").second()
    with pytest.raises(NoSuchMethodError):
        package("x@=3").never()


def test_constant_conditions() -> None:
    assert package("x@=3").always() == "always"


def test_it_looks_like_a_method() -> None:
    assert package("x@=1").plain.__name__ == "plain"
    assert Derived.plain.__doc__ == "default {word}{more}" or Derived.plain.__name__ == "plain"


def test_super_reaches_it() -> None:
    class Further(Derived):
        def first(self) -> str:
            return f"further, {super().first()}"

    assert Further(Fake("x@=1")).first() == "further, one"
    assert Further(Fake("x@=3")).first() == "further, base"


def test_a_block_inside_of_a_method_says_nothing() -> None:
    class Blocks(PackageBase):
        def run(self) -> str:
            with when("@9"):
                return "done"

    assert Blocks.run(None) == "done"
