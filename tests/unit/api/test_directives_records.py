"""Directives append records with the whole condition and the line."""

from __future__ import annotations

import pytest

from spack.api.definition import abandon
from spack.api.directives import VersionDeclaration
from spack.api.variants import Variant
from spack.errors import RecipeError
from spack.package import (
    Package,
    PackageBase,
    build_system,
    can_splice,
    conflicts,
    default_args,
    depends_on,
    extends,
    license,
    maintainers,
    patch,
    provides,
    redistribute,
    requires,
    resource,
    variant,
    version,
    when,
)
from spack.recipe import (
    ConflictRecord,
    DependencyRecord,
    ExtendsRecord,
    LicenseRecord,
    PatchRecord,
    ProvidesRecord,
    RequirementRecord,
    ResourceRecord,
)


def declared(cls: type, kind: type) -> list:
    return [item for item in cls.__declared__ if type(item) is kind]


def test_versions() -> None:
    class A(PackageBase):
        version("1.10", sha256="aa", preferred=True)
        version(2, "0" * 64)
        version("main", branch="main", get_full_repo=None)

    one, two, main = declared(A, VersionDeclaration)
    assert (one.version, dict(one.options)) == ("1.10", {"sha256": "aa", "preferred": True})
    assert (two.version, dict(two.options)) == ("2", {"sha256": "0" * 64})
    assert dict(main.options) == {"branch": "main"}
    assert one.line and two.line == one.line + 1
    assert [str(v) for v in A.versions] == ["1.10", "2", "main"]


@pytest.mark.parametrize("bad", [1.1, True, "=1.0"])
def test_a_version_that_is_none(bad: object) -> None:
    with pytest.raises(RecipeError, match="version"):

        class A(PackageBase):
            version(bad)


def test_a_version_has_no_condition() -> None:
    with pytest.raises(RecipeError, match='inside of a "with when"'):

        class A(PackageBase):
            with when("+x"):
                version("1")


def test_unknown_keywords_are_named() -> None:
    with pytest.raises(RecipeError, match="no keyword 'sha265'"):

        class A(PackageBase):
            version("1", sha265="aa")

    with pytest.raises(RecipeError, match=r"depends_on\(\) has no keyword 'types'") as error:

        class B(PackageBase):
            depends_on("x", types="build")

    assert "patches, spec, type, when" in (error.value.hint or "")


def test_dependencies() -> None:
    class A(PackageBase):
        depends_on("zlib@1.2:")
        depends_on("cmake", type="build", when="@2:")
        depends_on("x", "+y")
        depends_on("all", type="all")
        depends_on("z", type=["run", "build"])
        depends_on("never", when=False)
        depends_on("always", when=True)

    found = declared(A, DependencyRecord)
    assert [(d.spec, d.types, d.when) for d in found] == [
        ("zlib@1.2:", ("build", "link"), ""),
        ("cmake", ("build",), "@2:"),
        ("x", ("build", "link"), "+y"),
        ("all", ("build", "link", "run", "test"), ""),
        ("z", ("build", "run"), ""),
        ("always", ("build", "link"), ""),
    ]
    assert [d.line - found[0].line for d in found] == [0, 1, 2, 3, 4, 6]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"spec": "a ^b"}, '"\\^" cannot be used here'),
        ({"spec": "a", "type": "links"}, "unknown dependency type 'links'"),
        ({"spec": "a", "patches": 3}, "is not a patch"),
    ],
)
def test_bad_dependencies(arguments: dict, message: str) -> None:
    with pytest.raises(RecipeError, match=message):

        class A(PackageBase):
            depends_on(**arguments)


def test_conditions_are_a_conjunction() -> None:
    class A(PackageBase):
        with when("+a"):
            depends_on("one")
            with when("@2:"):
                depends_on("two", when="^python@:3.9")
        with when("@1:3"):
            depends_on("three", when="@2:4")
        with when("^python@3.9:"):
            depends_on("four", when="+d")
        depends_on("five")

    found = {d.spec: d.when for d in declared(A, DependencyRecord)}
    assert found["one"] == "+a"
    assert found["two"] == "+a @2:^python@:3.9" or found["two"].split() == [
        "+a",
        "@2:",
        "^python@:3.9",
    ]
    assert found["three"] == "@2:3"
    assert found["four"].replace(" ", "") == "+d^python@3.9:"
    assert found["five"] == ""


def test_what_can_never_hold_is_dropped() -> None:
    class A(PackageBase):
        with when("+a"):
            depends_on("one", when="~a")
        with when(False):
            depends_on("two")
            variant("v", default=False, description="never")
        with when(True):
            depends_on("three")

    assert [d.spec for d in declared(A, DependencyRecord)] == ["three"]
    assert not A.has_variant("v")


def test_default_arguments() -> None:
    class A(PackageBase):
        with default_args(type="run", when="+o"):
            depends_on("one")
            depends_on("two", type="build")
            depends_on("three", "+p")
            with default_args(type="link"):
                depends_on("four")
        with default_args(deprecated=True):
            version("1")
        depends_on("five")

    found = {d.spec: (d.types, d.when) for d in declared(A, DependencyRecord)}
    assert found == {
        "one": (("run",), "+o"),
        "two": (("build",), "+o"),
        "three": (("run",), "+p"),
        "four": (("link",), "+o"),
        "five": (("build", "link"), ""),
    }
    assert declared(A, VersionDeclaration)[0].options["deprecated"] is True


def test_extends_python_fetches_python_venv() -> None:
    class A(PackageBase):
        extends("python@3.8:", when="+p")
        extends("perl")

    assert [(e.spec, e.types, e.when) for e in declared(A, ExtendsRecord)] == [
        ("python@3.8:", ("build", "run"), "+p"),
        ("perl", ("build", "run"), ""),
    ]
    assert [(d.spec, d.when) for d in declared(A, DependencyRecord)] == [
        ("python@3.8:", "+p"),
        ("python-venv", "+p"),
        ("perl", ""),
    ]
    assert list(A.extendees) == ["python", "perl"]


def test_patches_and_nested_patches() -> None:
    class A(PackageBase):
        patch("a.patch", level=0, when="@1", working_dir="src", reverse=True)
        patch("https://example.org/b.patch", sha256="bb")
        depends_on("x", patches=patch("c.patch", when="@2"))
        depends_on("y", patches=["d.patch", patch("e.patch"), patch("f.patch", when=False)])

    assert [(p.source, p.level, p.when) for p in declared(A, PatchRecord)] == [
        ("a.patch", 0, "@1"),
        ("https://example.org/b.patch", 1, ""),
    ]
    x, y = declared(A, DependencyRecord)
    assert [(p.source, p.when) for p in x.patches] == [("c.patch", "@2")]
    assert [p.source for p in y.patches] == ["d.patch", "e.patch"]


def test_a_patch_from_the_network_needs_its_hash() -> None:
    with pytest.raises(RecipeError, match="has no sha256"):

        class A(PackageBase):
            patch("https://example.org/b.patch")


def test_the_other_directives() -> None:
    class A(PackageBase):
        conflicts("%gcc@:9", when="+x", msg="too old")
        conflicts("~y", "+z")
        requires("%gcc", "%clang", policy="any_of", when="@2:", msg="why")
        provides("mpi@3:", "mpi2", when="@2:")
        license("MIT", checked_by="me", when="@1:")
        resource(name="data", url="https://example.org/d.tar.gz", checksum="cc", destination="d")
        maintainers("c", "b")
        maintainers("b", "a")
        redistribute(binary=False, when="@1")
        can_splice("b@1", when="@2", match_variants="*")

    assert [(c.spec, c.when, c.message) for c in declared(A, ConflictRecord)] == [
        ("%gcc@:9", "+x", "too old"),
        ("~y", "+z", None),
    ]
    (required,) = declared(A, RequirementRecord)
    assert (required.specs, required.policy) == (("%gcc", "%clang"), "any_of")
    (provided,) = declared(A, ProvidesRecord)
    assert provided.virtuals == ("mpi@3:", "mpi2")
    assert A.provided_virtual_names() == ["mpi", "mpi2"]
    assert declared(A, LicenseRecord)[0].expression == "MIT"
    (data,) = declared(A, ResourceRecord)
    assert (data.sha256, data.destination) == ("cc", "d")
    assert A.maintainers == ["a", "b", "c"]


@pytest.mark.parametrize("text", ["@4.5", "+x", "cuda_arch=35", "x:=a,b", ""])
def test_a_dependency_has_a_name(text: str) -> None:
    with pytest.raises(RecipeError, match="names no package"):

        class A(PackageBase):
            depends_on(text)


@pytest.mark.parametrize("text", ["1:2", "1.2,1.3", "1 2", ":"])
def test_a_version_is_one_version(text: str) -> None:
    with pytest.raises(RecipeError, match="is not one version"):

        class A(PackageBase):
            version(text)


def test_licenses_exclude_each_other() -> None:
    class A(PackageBase):
        license("MIT", when="@:1")
        license("Apache-2.0", when="@2: +x")
        license("BSD-3-Clause", when="@2: ~x")

    with pytest.raises(RecipeError, match=r"at once: MIT when \+foo and Apache-2.0 when \+bar"):

        class B(PackageBase):
            license("MIT", when="+foo")
            license("Apache-2.0", when="+bar")

    with pytest.raises(RecipeError, match=r"at once: MIT and Apache-2.0"):

        class C(PackageBase):
            license("MIT")
            license("Apache-2.0")


def test_redistribute_only_switches_off() -> None:
    with pytest.raises(RecipeError, match="only switch off"):

        class A(PackageBase):
            redistribute(source=True)


def test_an_unknown_policy() -> None:
    with pytest.raises(RecipeError, match="unknown"):

        class A(PackageBase):
            requires("x", policy="all_of")


def test_base_classes_come_first_and_once() -> None:
    class Left(PackageBase):
        depends_on("common")
        depends_on("left")

    class Right(PackageBase):
        depends_on("right")

    class Middle(Left):
        depends_on("middle")

    class A(Middle, Right, Left):
        depends_on("own")

    order = [d.spec for d in declared(A, DependencyRecord)]
    assert order == ["common", "left", "right", "middle", "own"]


def test_directives_in_loops_conditions_and_functions() -> None:
    def helper(name: str) -> None:
        depends_on(name)

    class A(PackageBase):
        for number in range(3):
            depends_on(f"n{number}", when=f"@{number}")
        if number == 2:
            helper("last")
        del number

    found = declared(A, DependencyRecord)
    assert [d.spec for d in found] == ["n0", "n1", "n2", "last"]
    assert not hasattr(A, "number")


def test_a_directive_outside_of_a_class() -> None:
    abandon()  # bodies of other tests have failed
    with pytest.raises(RecipeError, match=r"version\(\) is called outside of a package class"):
        version("1")


def test_a_failed_class_body_leaves_nothing_behind() -> None:
    with pytest.raises(ZeroDivisionError):

        class A(PackageBase):
            with when("+x"):
                depends_on("lost")
                1 / 0  # noqa: B018  # the body fails here

    class B(PackageBase):
        depends_on("kept")

    assert [(d.spec, d.when) for d in declared(B, DependencyRecord)] == [("kept", "")]


def test_build_system_is_a_variant() -> None:
    class A(PackageBase):
        build_system("cmake", "autotools", default="autotools")

    class B(Package):
        pass

    (definition,) = declared(A, Variant)
    record = definition.record()
    assert (record.name, record.kind, record.default) == ("build_system", "single", ("autotools",))
    assert record.values == (("cmake", ""), ("autotools", ""))
    assert A.declared_build_systems == ("cmake", "autotools")
    assert B.declared_build_systems == ("generic",)
