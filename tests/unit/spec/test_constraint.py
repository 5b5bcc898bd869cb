"""Constraints: relations, intersection, identity, parts."""

from __future__ import annotations

import copy
import pickle

import pytest

from spack.errors import SpecError
from spack.spec import ArchSpec, Dependency, Spec, VariantValue, VersionList, parse

YES = {"yes": True, "no": False}


@pytest.mark.table("relations.txt")
def test_relations(row: tuple[str, ...]) -> None:
    left, right, results = row
    satisfies, intersects = (YES[result] for result in results.split(" / "))
    a, b = parse(left), parse(right)
    assert a.satisfies(b) is a.satisfies(right) is satisfies
    assert a.intersects(b) is b.intersects(left) is intersects


@pytest.mark.table("constrain.txt")
def test_constrain(row: tuple[str, ...]) -> None:
    left, right, result = row
    a, b = parse(left), parse(right)
    if result.startswith("error: "):
        with pytest.raises(SpecError, match="have nothing in common") as caught:
            a.constrain(right)
        assert caught.value.facts["part"] == result[len("error: ") :]
        assert (caught.value.ref, caught.value.facts["left"]) == ("spec-conflict", str(a))
        return
    both = a.constrain(b)
    assert str(both) == result
    assert both.satisfies(b)
    assert both.satisfies(a)
    assert both.constrain(b) == both


def test_deps_can_be_left_out() -> None:
    a, b = parse("p@1 ^q@1"), parse("p+x ^q@2")
    assert not a.intersects(b)
    assert a.intersects(b, deps=False)
    assert str(a.constrain(b, deps=False)) == "p@1+x ^q@1"
    assert parse("p@1.2 ^q").satisfies("p@1 ^z", deps=False)
    assert str(a.without_dependencies()) == "p@1"
    assert parse("p").without_dependencies() is parse("p")
    assert parse("p ^q").copy() is parse("p ^q")
    assert parse("p+x ^q").copy(deps=False) == parse("p+x")


def test_identity() -> None:
    assert parse("p +x y=a,b") == parse("p y=b,a +x")
    assert hash(parse("p +x y=a,b")) == hash(parse("p y=b,a +x"))
    assert parse("p ^a ^b") == parse("p ^b ^a")
    for text in ("p@1", "p+x", "p~x", "p++x", "p x=a", "p x:=a", "p %a", "p ^a", "q", "n.p", "p/a"):
        assert parse(text) != parse("p")
    for text in ("p cflags=-g", "p cflags==-g", "p os=a", "p ^[when=+x] a", "p ^v=a", "p %%a"):
        assert parse(text) != parse("p ^[deptypes=build] a")
    assert parse("p") != "p"


@pytest.mark.parametrize(
    "texts",
    [
        ("a", "b", "c.b", "d.b"),
        ("a@2", "a@10", "a@10.1", "b@1"),
        ("p", "p x=a", "p x=a,b", "p x==a,b", "p x==a,b,c"),
        ("p ^a", "p ^a@1", "p ^b", "p ^b %c"),
        ("p@1 cflags=-O1", "p@1 cflags=-O2", "p@1+x"),
    ],
)
def test_order(texts: tuple[str, ...]) -> None:
    ascending = [parse(text) for text in texts]
    descending = ascending[::-1]
    assert sorted(descending) == ascending
    for index, first in enumerate(ascending[:-1]):
        second = ascending[index + 1]
        assert first < second and first <= second and second > first and second >= first
        assert not second <= first and not first >= second
        assert first <= first and first >= first and not first < first


def test_values_are_immutable_and_can_be_copied() -> None:
    spec = parse("n.p@1+x cflags==-g os=a ^[when=+x] v=a@2 %b")
    for value in (spec, spec.dependencies[0], spec.arch, spec.variants["x"]):
        with pytest.raises(AttributeError, match="immutable"):
            setattr(value, "name", "q")  # noqa: B010  # mypy knows that it cannot be set
        assert copy.deepcopy(value) == value
        assert copy.copy(value) == value
        assert pickle.loads(pickle.dumps(value)) == value
        assert hash(value) == hash(copy.deepcopy(value))
        assert repr(value)
        assert value != 1
    with pytest.raises(TypeError):
        spec.variants["y"] = spec.variants["x"]  # type: ignore[index]  # on purpose
    assert pickle.loads(pickle.dumps(spec)).flags["cflags"][0].propagate


def test_parts_can_be_replaced() -> None:
    spec = parse("p@1 ^q")
    assert str(spec.with_name("z")) == "z@1 ^q"
    assert spec.with_name("p") is spec
    assert str(spec.with_name("")) == "@1 ^q"
    assert str(spec.replace(versions=VersionList("2"), arch=ArchSpec(os="a"))) == "p@2 os=a ^q"
    assert parse("").anonymous
    assert not spec.anonymous
    assert not spec.concrete


def test_a_version_is_there_when_it_is_exact() -> None:
    assert str(parse("p@=1.2").version) == "1.2"
    with pytest.raises(SpecError, match=r"'p@1\.2' has no single version"):
        _ = parse("p@1.2").version


def test_in_looks_at_the_node_or_at_a_dependency() -> None:
    spec = parse("p@1.2+x %c=gcc@12 ^q~y")
    for text in ("p", "@1.2", "+x", "p+x", "gcc", "gcc@12", "c", "q~y", Spec("q")):
        assert text in spec
    for text in ("p~x", "gcc@11", "q+y", "z", "cxx"):
        assert text not in spec


def test_traverse() -> None:
    names = [node.name for node in parse("p %a ^b %c").traverse()]
    assert names == ["p", "a", "b", "c"]


def test_dependencies_as_values() -> None:
    dependency = Dependency(parse("gcc@12"), direct=True, deptypes=("build",), virtuals=("c",))
    spec = Spec.of("p", dependencies=(dependency,))
    assert spec == parse("p %[deptypes=build] c=gcc@12")
    assert repr(dependency) == 'Dependency("%[deptypes=build] c=gcc@12")'
    assert str(Dependency(parse(""), virtuals=("c",))) == "^[virtuals=c] *"


def test_a_concrete_value_of_a_variant_against_constraints() -> None:
    single = Spec.of("p", variants={"x": VariantValue.single("x", "a")})
    multi = Spec.of("p", variants={"x": VariantValue.multi("x", ("b", "a"))})
    assert single.satisfies("x=a")
    assert single.satisfies("x:=a")
    assert not single.intersects("x=b")
    assert multi.satisfies("x=a")
    assert multi.satisfies("x:=b,a")
    assert not multi.intersects("x:=a")
    assert str(multi) == "p x:=a,b"
    assert multi.variants["x"].value == ("a", "b")
    assert "a" in multi.variants["x"]
    assert True in parse("+x").variants["x"]
    assert False not in parse("+x").variants["x"]


def test_contradicting_values_name_both() -> None:
    with pytest.raises(SpecError, match=r"'\+x' and '~x' contradict each other"):
        parse("+x").variants["x"].constrain(parse("~x").variants["x"])
    with pytest.raises(SpecError, match="'linux-None-None' and 'darwin-None-None' have nothing"):
        parse("platform=linux").arch.constrain(parse("platform=darwin").arch)
