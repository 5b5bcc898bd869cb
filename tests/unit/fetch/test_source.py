"""Records become sources."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from spack.errors import FetchError
from spack.fetch.source import (
    Checksum,
    GitSource,
    IndexSource,
    UrlSource,
    extension_of,
    patch_source,
    resource_source,
    source_for,
)
from spack.recipe.records import PatchRecord, Recipe, ResourceRecord, VersionRecord

A = "a" * 64
COMMIT = "c" * 40


def recipe(*versions: VersionRecord, **attributes: Any) -> Recipe:
    return Recipe("py-foo", "venv", "/r/package.py", "", versions=versions, attributes=attributes)


def one(url: str | None, sha256: str | None = A, **options: Any) -> Any:
    record = VersionRecord("1.0", url=url, sha256=sha256, options=options, line=7)
    return source_for(recipe(record), "1.0")


def test_index() -> None:
    assert one("pypi:foo/foo-1.0.tar.gz") == IndexSource(
        "foo", "foo-1.0.tar.gz", Checksum("sha256", A), True, (), "py-foo@1.0", "/r/package.py:7"
    )


def test_wheels_are_used_as_they_are() -> None:
    found = one("pypi:foo/foo-1.0-py3-none-any.whl")
    assert not found.expand
    assert one("pypi:foo/foo-1.0.tar.gz", expand=False).expand is False
    assert one("https://h/foo.whl", expand=True).expand is True


@pytest.mark.parametrize(
    ("path", "project"),
    [
        ("/packages/source/f/foo.bar/foo.bar-1.0.tar.gz", "foo.bar"),
        ("/packages/py3/f/foo/foo-1.0-py3-none-any.whl", "foo"),
        ("/packages/cp311/f/foo/foo-1.0-cp311-cp311-any.whl", "foo"),
        ("/packages/ab/cd/" + "e" * 60 + "/foo_bar-1.0.tar.gz", "foo-bar"),
    ],
)
def test_addresses_of_an_index_are_resolved_by_name(path: str, project: str) -> None:
    found = one("https://files.example" + path)
    assert isinstance(found, IndexSource)
    assert (found.project, found.filename) == (project, path.rpartition("/")[2])
    assert found.urls == ("https://files.example" + path,)


@pytest.mark.parametrize(
    ("url", "filename"),
    [
        ("https://h/a/foo-1.0.tar.gz", "foo-1.0.tar.gz"),
        ("https://h/a/foo%2B1.zip?raw=true", "foo+1.zip"),
        ("https://h/get?file=/x/foo-1.0.tgz", "foo-1.0.tgz"),
        ("https://h/p/foo-1.0.tar.gz/download", "foo-1.0.tar.gz"),
        ("https://h/archive?id=3#/foo-1.0.tar.bz2", "foo-1.0.tar.bz2"),
        ("https://h/..%2F..%2Fevil.tgz", "_.._evil.tgz"),
        ("https://h/", "download"),
    ],
)
def test_file_names(url: str, filename: str) -> None:
    found = one(url)
    assert isinstance(found, UrlSource)
    assert found.filename.replace("..", "", 1) == filename or found.filename == filename
    assert "/" not in found.filename


def test_extension_and_checksums() -> None:
    found = one("https://h/v1.0", None, extension="tar.gz", md5="F" * 32)
    assert found.filename == "v1.0.tar.gz"
    assert found.checksum == Checksum("md5", "f" * 32)
    assert one("https://h/x.tgz", None).checksum is None
    names = ("a.tar.gz", "a-1.0.tgz", "a.whl", "v1.0", "LICENSE")
    assert [extension_of(name) for name in names] == ["tar.gz", "tgz", "whl", "", ""]


def test_further_urls() -> None:
    assert one("https://h/a.tgz", urls=("https://i/a.tgz",)).urls == (
        "https://h/a.tgz",
        "https://i/a.tgz",
    )


def test_git() -> None:
    found = one(
        None,
        None,
        git="https://h/foo.git",
        commit=COMMIT,
        submodules=True,
        submodules_delete=("x",),
        get_full_repo=True,
    )
    assert found == GitSource(
        "https://h/foo.git",
        COMMIT,
        submodules=True,
        drop_submodules=("x",),
        full=True,
        what="py-foo@1.0",
        origin="/r/package.py:7",
    )
    record = VersionRecord("main", options={"branch": "main"})
    got = source_for(recipe(record, git="https://h/foo.git", submodules=True), "main")
    assert isinstance(got, GitSource)
    assert (got.branch, got.submodules, got.ref) == ("main", True, "main")


def test_versions_that_are_git_references() -> None:
    known = recipe(git="https://h/foo.git")
    for version in ("git.main", "git.main=1.0"):
        got = source_for(known, version)
        assert isinstance(got, GitSource) and got.branch == "main"
    for version in (COMMIT, f"git.{COMMIT}=1.0"):
        got = source_for(known, version)
        assert isinstance(got, GitSource) and got.commit == COMMIT


def test_no_source() -> None:
    with pytest.raises(FetchError, match=r"py-foo has no version 2\.0") as caught:
        source_for(recipe(), "2.0")
    assert caught.value.hint and "spack versions py-foo" in caught.value.hint
    with pytest.raises(FetchError, match="sources from hg are not supported"):
        one(None, None, hg="https://h/foo")
    with pytest.raises(FetchError, match=r"py-foo@1.0 has no source") as caught:
        one(None)
    assert caught.value.hint and "/r/package.py:7" in caught.value.hint


def test_resources_and_patches() -> None:
    record = ResourceRecord("r", url="https://h/r.tgz", sha256=A, line=3)
    assert isinstance(resource_source(recipe(), record), UrlSource)
    record = ResourceRecord("r", options={"git": "https://h/r", "tag": "v1"})
    assert isinstance(resource_source(recipe(), record), GitSource)
    with pytest.raises(FetchError, match="resource r of py-foo has neither url nor git"):
        resource_source(recipe(), ResourceRecord("r"))
    assert patch_source(recipe(), PatchRecord("fix.patch", A)) == Path("/r/fix.patch")
    found = patch_source(recipe(), PatchRecord("https://h/x.patch.gz", A, archive_sha256="b" * 64))
    assert isinstance(found, UrlSource)
    assert found.expand and found.checksum == Checksum("sha256", "b" * 64)
