"""Versions, ranges and lists as the package API has them, and more."""

from __future__ import annotations

import copy
import pickle

import pytest

from spack.errors import SpecError
from spack.spec import (
    EmptyRangeError,
    GitVersion,
    Version,
    VersionError,
    VersionList,
    VersionRange,
    any_version,
    ver,
)

YES = {"yes": True, "no": False}


@pytest.mark.table("versions.txt", "order")
def test_order(row: tuple[str, ...]) -> None:
    left, right, result = row
    a, b = ver(left), ver(right)
    assert (a < b, a == b, a > b) == (result == "<", result == "==", result == ">")
    assert (a <= b, a >= b, a != b) == (result != ">", result != "<", result != "==")
    assert (b > a, b < a) == (a < b, a > b)
    if result == "==":
        assert hash(a) == hash(b)


@pytest.mark.table("versions.txt", "satisfies")
def test_satisfies(row: tuple[str, ...]) -> None:
    left, right, result = row
    assert ver(left).satisfies(ver(right)) is YES[result]
    assert (ver(left) in ver(right)) is YES[result]
    assert VersionList(left).satisfies(VersionList(right)) is YES[result]
    assert ver(left).satisfies(VersionList(right)) is YES[result]


@pytest.mark.table("versions.txt", "intersects")
def test_intersects(row: tuple[str, ...]) -> None:
    left, right, result = row
    assert ver(left).intersects(ver(right)) is YES[result]
    assert ver(right).overlaps(ver(left)) is YES[result]
    assert VersionList(left).intersects(VersionList(right)) is YES[result]


@pytest.mark.table("versions.txt", "intersection")
def test_intersection(row: tuple[str, ...]) -> None:
    left, right, result = row
    a, b = VersionList(left), VersionList(right)
    assert str(a.intersection(b)) == result
    assert a.intersection(b) == b.intersection(a)


@pytest.mark.table("versions.txt", "union")
def test_union(row: tuple[str, ...]) -> None:
    left, right, result = row
    assert str(VersionList(left).union(VersionList(right))) == result
    assert str(VersionList(right).union(ver(left))) == result
    assert str(VersionList([left, right])) == result


@pytest.mark.table("versions.txt", "canonical")
def test_canonical_form(row: tuple[str, ...]) -> None:
    text, result = row
    assert str(VersionList(text)) == result
    assert str(VersionList(result)) == result


@pytest.mark.table("versions.txt", "error")
def test_errors(row: tuple[str, ...]) -> None:
    text, message = row
    with pytest.raises(VersionError, match=r".") as caught:
        VersionList(text)
    assert caught.value.message == message


def test_errors_are_what_recipes_and_the_cli_catch() -> None:
    for kind in (ValueError, SpecError):
        with pytest.raises(kind, match="is not a version"):
            Version("foo 1.2.0")
    with pytest.raises(EmptyRangeError, match="empty") as caught:
        VersionRange("2", "1.0")
    assert caught.value.hint == "write the lower end first: 1.0:2"
    with pytest.raises(TypeError, match="not from NoneType"):
        Version(None)  # type: ignore[arg-type]  # what a recipe may do
    with pytest.raises(TypeError, match="not dict"):
        ver({})


def test_parts() -> None:
    version = Version("1.23-4_5b")
    assert [str(version.up_to(n)) for n in (1, 2, 3, 4, 5)] == [
        "1",
        "1.23",
        "1.23-4",
        "1.23-4_5",
        "1.23-4_5b",
    ]
    assert [str(version.up_to(-n)) for n in (1, 2)] == ["1.23-4_5", "1.23-4"]
    assert (str(version.up_to_1), str(version.up_to_2), str(version.up_to_3)) == (
        "1",
        "1.23",
        "1.23-4",
    )
    assert str(Version("0.1_2-3")[0:2]) == "0.1"
    assert str(Version("1.2")[5:]) == ""
    assert list(version) == [1, 23, 4, 5, "b"]
    assert (version[0], version[-1], len(version)) == (1, "b", 5)
    assert str(Version("1.2.3b").dashed) == "1-2-3b"
    assert str(Version("1-2_3b").dotted) == "1.2.3b"
    assert str(Version("1.2-3b").underscored) == "1_2_3b"
    assert str(Version("1.2-3b").joined) == "123b"
    assert Version("1a2b3alpha4").dotted_numeric_string == "1.0.2.0.3.0.4"
    assert Version("1.2rc").dotted_numeric_string == "1.2.0"
    assert Version("1.2").string == "1.2"
    assert bool(Version("0"))
    assert Version("2.7").version[0] == (2, 7)
    assert Version("2.7b-rc2").version == ((2, 7, "b"), Version("1-rc2").version[1])
    assert Version(3) == Version("3")


def test_a_slice_is_made_of_components_as_upstream() -> None:
    assert str(Version("2023.02.1").up_to(2)) == "2023.2"
    assert str(Version("2023.02.1").dotted) == "2023.02.1"


def test_kinds() -> None:
    assert not Version("1.2").isdevelop()
    assert Version("1.develop").isdevelop()
    assert not Version("mydevelop").isdevelop()
    assert Version("1.2rc1").is_prerelease()
    assert not Version("1.2b1").is_prerelease()


def test_git_versions() -> None:
    version = Version("git.foo/bar")
    assert isinstance(version, GitVersion)
    assert (str(version), version.ref, version.is_commit, version.resolved) == (
        "git.foo/bar",
        "foo/bar",
        False,
        False,
    )
    assert version.std_version is None
    with pytest.raises(VersionError, match="no version is known for the git reference 'foo/bar'"):
        _ = version.ref_version
    resolved = version.with_reference(Version("1.2-3"))
    assert (str(resolved), str(resolved.ref_version)) == ("git.foo/bar=1.2-3", "1.2-3")
    assert [str(v) for v in (resolved.dotted, resolved.dashed, resolved.joined)] == [
        "1.2.3",
        "1-2-3",
        "123",
    ]
    assert str(resolved.underscored) == "1_2_3"
    assert (str(resolved.up_to(2)), list(resolved), len(resolved)) == ("1.2", [1, 2, 3], 3)
    commit = Version("a" * 40)
    assert isinstance(commit, GitVersion)
    assert (commit.is_commit, commit.commit_sha) == (True, "a" * 40)
    assert str(commit.with_reference(Version("2"))) == "a" * 40 + "=2"
    assert Version("git.main=develop").isdevelop()


def test_lists() -> None:
    versions = VersionList(["=master", "=1.2.3", "=foobar"])
    assert str(versions.lowest()) == "foobar"
    assert str(versions.highest()) == "master"
    assert str(versions.highest_numeric()) == str(versions.preferred()) == "1.2.3"
    assert str(VersionList(["=main"]).preferred()) == "main"
    assert VersionList("1:2").lowest() is None
    assert VersionList("=1.2").concrete == Version("1.2")
    assert VersionList("1.2").concrete is None
    assert VersionList("1.2").concrete_range_as_version == Version("1.2")
    assert VersionList("=1.2").concrete_range_as_version == Version("1.2")
    assert VersionList("1.2:1.3").concrete_range_as_version is None
    assert VersionList("1,3").concrete_range_as_version is None
    assert VersionList(":").is_any
    assert VersionList.any() is any_version
    assert not VersionList()
    assert (len(versions), str(versions[0]), next(str(v) for v in reversed(versions))) == (
        3,
        "foobar",
        "master",
    )
    assert VersionList(versions) is versions
    assert str(VersionList(Version("1"))) == "=1"
    assert ver(["1.2", "=1.4"]) == VersionList("1.2,=1.4")
    assert ver(1.2) == ver("1.2")
    assert VersionRange("1.2").union(ver(":1.2")) == ver(":")


def test_unions_and_intersections_are_as_simple_as_they_are() -> None:
    assert ver("1:2").union(ver("2:3")) == ver("1:3")
    assert ver("1:2").union(ver("4")) == VersionList("1:2,4")
    assert ver("1:2").intersection(ver("1.5:")) == ver("1.5:2")
    assert ver("1:2").intersection(ver("=1.5")) == ver("=1.5")
    assert ver("1:2").intersection(ver("3:")) == VersionList()
    assert ver("=1.5").union(ver("1:2")) == ver("1:2")
    assert ver("=1.5").union(ver("=1.6")) == VersionList("=1.5,=1.6")
    assert ver("=1.5").intersection(ver("1:2")) == ver("=1.5")
    assert ver("=1.5").intersection(ver("2:")) == VersionList()
    assert ver("=git.a=1.5").intersection(ver("1:2")) == Version("git.a=1.5")
    assert ver("1:2,2.5") == VersionList("1:2,2.5") and ver("1:2,3") == VersionList("1:3")


def test_values_are_immutable_and_can_be_copied() -> None:
    for value in (Version("1.2"), Version("git.a=1"), VersionRange("1", "2"), VersionList("1,=3")):
        with pytest.raises(AttributeError, match="immutable"):
            value.order = ()
        with pytest.raises(AttributeError, match="immutable"):
            del value.order
        assert copy.deepcopy(value) == value
        assert pickle.loads(pickle.dumps(value)) == value
        assert repr(value).endswith('")')
    assert Version("1.2") is Version("1.2")
    assert Version("1.2") != "1.2"
    assert Version("1.2").__lt__("1.3") is NotImplemented
