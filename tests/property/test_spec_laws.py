"""Laws of versions, constraints and the parser.

The strategies draw few names and versions, so that relations hold often enough to mean something.
"""

from __future__ import annotations

from typing import Any

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from spack.errors import SpecError
from spack.spec import (
    ArchSpec,
    ConcreteSpec,
    Dependency,
    Edge,
    Spec,
    VariantValue,
    Version,
    VersionList,
    VersionRange,
    any_version,
    dump,
    load,
    parse,
    parse_many,
)

law = settings(max_examples=100, deadline=None)

components = st.sampled_from(
    ["0", "1", "2", "10", "a", "b", "aa", "z", "rc1", "alpha", "beta2", "main", "develop"]
)
version_texts = st.lists(components, min_size=1, max_size=4).map(".".join)
versions = version_texts.map(Version)


@st.composite
def ranges(draw: Any) -> VersionRange:
    lo, hi = draw(st.none() | versions), draw(st.none() | versions)
    try:
        return VersionRange(lo, hi)
    except SpecError:
        return VersionRange(hi, lo)


git_versions = version_texts.map(lambda text: Version(f"git.main={text}"))
version_lists = st.lists(versions | ranges() | git_versions, min_size=1, max_size=3).map(
    lambda elements: VersionList(elements)
)

names = st.sampled_from(["p", "q", "py-r", "gcc", "llvm"])
values = st.text(st.characters(codec="ascii", exclude_characters="\\"), min_size=1, max_size=5)
plain_values = st.sampled_from(["a", "b", "c"])


@st.composite
def variant_values(draw: Any, name: str, propagate: bool) -> VariantValue:
    propagated = propagate and draw(st.booleans())
    if draw(st.booleans()):
        return VariantValue.boolean(name, draw(st.booleans()), propagated)
    text = draw(st.lists(plain_values, min_size=1, max_size=2).map(",".join) | st.just("*"))
    return VariantValue.parse(name, text, propagated, text != "*" and draw(st.booleans()))


@st.composite
def nodes(draw: Any, name: st.SearchStrategy[str], propagate: bool = False) -> Spec:
    keys = draw(st.lists(st.sampled_from(["x", "y"]), unique=True))
    targets = st.none() | st.sampled_from(["zen2", "zen3", "zen2:", ":zen3", "m1", "x86_64_v3:"])
    return Spec.of(
        draw(name),
        versions=draw(st.just(any_version) | version_lists),
        variants={key: draw(variant_values(key, propagate)) for key in keys},
        flags=draw(st.just({}) | st.just({"cflags": ("-O2", "-g")})),
        arch=ArchSpec(
            draw(st.none() | st.sampled_from(["linux", "darwin"])),
            draw(st.none() | st.sampled_from(["rhel9", "debian12"])),
            draw(targets),
        ),
        hash_prefix=draw(st.none() | st.sampled_from(["abc", "abcdef", "xyz"])),
    )


@st.composite
def dependencies(draw: Any, conditions: bool) -> Dependency:
    direct = draw(st.booleans())
    spec = draw(nodes(names))
    if not direct and draw(st.booleans()):
        below = Dependency(draw(nodes(st.just("zlib"))), direct=True)
        spec = spec.replace(dependencies=(below,))
    return Dependency(
        spec,
        direct,
        draw(st.sampled_from([(), ("build",), ("link", "run")])),
        tuple(sorted(draw(st.sets(st.sampled_from(["c", "mpi"]))))),
        direct and draw(st.booleans()),
        draw(st.none() | st.just(parse("+x"))) if conditions else None,
    )


@st.composite
def specs(
    draw: Any,
    name: st.SearchStrategy[str] = names,
    propagate: bool = False,
    conditions: bool = False,
) -> Spec:
    spec: Spec = draw(nodes(name, propagate))
    found = draw(st.lists(dependencies(conditions), max_size=2))
    unique = {(d.spec.name, d.direct): d for d in found}
    return spec.replace(dependencies=tuple(unique.values()))


one_package = specs(st.just("p"))


# ---- versions -----------------------------------------------------------------------------


@law
@given(versions | git_versions, versions | git_versions, versions | git_versions)
def test_versions_are_totally_ordered(a: Version, b: Version, c: Version) -> None:
    assert (a < b) + (a == b) + (a > b) == 1
    assert (a <= b) == (not b < a)
    if a < b and b < c:
        assert a < c
    if a == b:
        assert hash(a) == hash(b)


@law
@given(version_lists)
def test_version_lists_survive_their_text(a: VersionList) -> None:
    assert VersionList(str(a)) == a


@law
@given(version_lists, version_lists, versions)
def test_version_lists_are_sets(a: VersionList, b: VersionList, version: Version) -> None:
    both, either = a.intersection(b), a.union(b)
    assert version.satisfies(both) == (version.satisfies(a) and version.satisfies(b))
    assert version.satisfies(either) == (version.satisfies(a) or version.satisfies(b))
    assert both == b.intersection(a)
    assert either == b.union(a)
    assert both.satisfies(a)
    assert a.satisfies(either)
    assert a.intersects(b) == b.intersects(a) == bool(both)
    assert a.union(a) == a.intersection(a) == a


@law
@given(version_lists, version_lists, version_lists)
def test_satisfies_of_version_lists_is_a_partial_order(
    a: VersionList, b: VersionList, c: VersionList
) -> None:
    assert a.satisfies(a)
    assert a.satisfies(any_version)
    if a.satisfies(b) and b.satisfies(c):
        assert a.satisfies(c)
    if a.satisfies(b) and b.satisfies(a):
        assert a == b
    if a.satisfies(b):
        assert a.intersects(b)


@law
@given(version_texts, st.integers(1, 4))
def test_what_a_version_starts_with_holds_it(text: str, length: int) -> None:
    version = Version(text)
    assume(length <= len(version))
    start = version.up_to(length)
    assume(not version.is_prerelease() and not start.is_prerelease())
    assert version.satisfies(VersionList(str(start)))


# ---- parser -------------------------------------------------------------------------------


@law
@given(specs(names | st.just(""), propagate=True, conditions=True))
def test_parse_inverts_format(spec: Spec) -> None:
    assert parse(str(spec)) == spec
    assert str(parse(str(spec))) == str(spec)


@law
@given(st.lists(specs(propagate=True, conditions=True), max_size=3))
def test_several_specs_in_one_text(found: list[Spec]) -> None:
    assert parse_many(" ".join(map(str, found))) == found
    assert parse_many([str(spec) for spec in found]) == found


@law
@given(values)
def test_any_value_survives_quoting(value: str) -> None:
    assume(value.lower() not in ("true", "false") and value != "*")
    spec = Spec.of("p", variants={"x": VariantValue.parse("x", value)})
    assert parse(str(spec)) == spec
    assert parse_many([f"x={value}"] if value[0] not in "'\"=" else [str(spec)])


@law
@given(st.text(st.sampled_from("pq1.@:,=+~^%[]/'\"* -x_\\é\n"), max_size=14))
def test_any_text_is_a_spec_or_an_error_with_a_location(text: str) -> None:
    try:
        found = parse_many(text)
    except SpecError as error:
        assert error.long_message is not None
        assert "^" in error.long_message
        for start, end, _ in error.facts["problems"]:
            assert 0 <= start <= end <= len(text)
    else:
        assert [parse(str(spec)) for spec in found if spec.file is None] == [
            spec.replace(namespace=parse(str(spec)).namespace)
            for spec in found
            if spec.file is None
        ] or "." in text


# ---- constraints --------------------------------------------------------------------------


@law
@given(one_package, one_package, one_package)
def test_satisfies_is_a_preorder(a: Spec, b: Spec, c: Spec) -> None:
    assert a.satisfies(a)
    assert a.satisfies("")
    assert a.satisfies("p")
    if a.satisfies(b) and b.satisfies(c):
        assert a.satisfies(c)


@law
@given(specs(conditions=True), specs(conditions=True))
def test_intersects_is_symmetric_and_follows_from_satisfies(a: Spec, b: Spec) -> None:
    assert a.intersects(b) == b.intersects(a)
    assert a.intersects(a)
    if a.satisfies(b):
        assert a.intersects(b)


@law
@given(one_package, one_package)
def test_constrain_is_the_intersection(a: Spec, b: Spec) -> None:
    if not a.intersects(b):
        try:
            a.constrain(b)
        except SpecError as error:
            assert error.facts["part"]
        else:
            raise AssertionError("constrain found something in common")
        return
    try:
        both = a.constrain(b)
    except SpecError:
        return  # several edges to one name clash only together
    assert both.satisfies(a)
    assert both.satisfies(b)
    assert both.constrain(a) == both
    # no text says that a direct dependency has dependencies of its own: %a %b are both the node's
    if not any(below.direct and below.spec.dependencies for below in both.dependencies):
        assert parse(str(both)) == both


@law
@given(one_package, one_package)
def test_constrain_commutes(a: Spec, b: Spec) -> None:
    a, b = a.without_dependencies(), b.without_dependencies()
    if a.intersects(b):
        both, other = a.constrain(b), b.constrain(a)
        assert both.satisfies(other)
        assert other.satisfies(both)


# ---- concrete specs -----------------------------------------------------------------------


@st.composite
def graphs(draw: Any) -> ConcreteSpec:
    made: list[ConcreteSpec] = []
    for index in range(draw(st.integers(1, 6))):
        below = draw(st.lists(st.sampled_from(made), unique=True)) if made else []
        edges = [
            Edge(
                spec,
                draw(st.sampled_from([("build",), ("link",), ("build", "run"), ("test",)])),
                draw(st.sampled_from([(), ("c",), ("c", "mpi")])),
            )
            for spec in below
        ]
        variants = {
            "x": VariantValue.boolean("x", draw(st.booleans())),
            "y": VariantValue.multi("y", tuple(draw(st.sets(plain_values, min_size=1)))),
        }
        made.append(
            ConcreteSpec(
                f"n{index}", "venv", draw(versions), variants, {}, "linux", "rhel9", "zen2", edges
            )
        )
    return made[-1]


@law
@given(graphs())
def test_plain_form_keeps_the_graph(spec: ConcreteSpec) -> None:
    again = load(dump([spec]))
    assert again[spec.dag_hash()] == spec
    assert all(node.replace().dag_hash() == digest for digest, node in again.items())


@law
@given(graphs(), specs(st.just("") | st.sampled_from(["n0", "n1"])))
def test_a_configuration_satisfies_what_its_constraint_satisfies(
    spec: ConcreteSpec, wanted: Spec
) -> None:
    own = spec.as_spec(dependencies=True)
    assert spec.satisfies(own)
    if own.satisfies(wanted):
        assert spec.satisfies(wanted)
    if spec.satisfies(wanted.without_dependencies()):
        assert own.intersects(wanted.without_dependencies())
