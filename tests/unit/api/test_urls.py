"""The version in a sample url, and what replaces it."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from spack.api import declared_urls
from spack.api.identity import PackageIdentity
from spack.api.urls import index_source, sample_version, url_version
from spack.errors import RecipeError
from spack.package import PackageBase, join_url, substitute_version_in_url, version

HASH = "0" * 60


@pytest.mark.parametrize(
    ("url", "version"),
    [
        ("https://example.org/libpng-1.6.27.tar.gz", "1.6.27"),
        ("https://example.org/archive/v3.3.0.tar.gz", "3.3.0"),
        ("https://example.org/archive/refs/tags/2024.1.zip", "2024.1"),
        ("https://example.org/nauty26r7.tar.gz", "26r7"),
        ("https://example.org/boost_1_55_0.tar.bz2", "1_55_0"),
        ("https://example.org/atlas3.11.34.tar.bz2", "3.11.34"),
        ("https://example.org/m4-1.4.17.tar.gz", "1.4.17"),
        ("https://example.org/sphinx_rtd_theme-0.1.10a0.tar.gz", "0.1.10a0"),
        ("https://example.org/TH.data_1.0-8.tar.gz", "1.0-8"),
        ("https://example.org/tool-2.1-linux-x86_64.tar.gz", "2.1"),
        ("https://example.org/black-24.1.0-py3-none-any.whl", "24.1.0"),
        ("https://example.org/tool_1.2.orig.tar.xz", "1.2"),
        ("https://example.org/download.php?version=1.7.1", "1.7.1"),
        ("https://example.org/archive.tar.gz?sha=v0.3.0", "0.3.0"),
        ("https://example.org/get.php?filename=slepc-3.6.2.tar.gz", "3.6.2"),
        ("https://example.org/a/b/releases/download/v0.20.1/nextflow", "0.20.1"),
        ("https://sourceforge.example/projects/x/files/x-1.5.tar.gz/download", "1.5"),
        ("https://example.org/latest/tool.tar.gz", None),
        ("https://example.org/pandas-0.16.0.tar.gz#md5=bfe311f05dc0c351f8955fbd1e296e73", "0.16.0"),
        ("https://example.org/libvterm-0+bzr681.tar.gz", "681"),
        ("https://example.org/Bridger_r2014-12-01.tar.gz", "2014-12-01"),
        ("https://example.org/go1.4-bootstrap-20161024.tar.gz", "1.4-bootstrap-20161024"),
        ("https://example.org/STAR-CCM+11.06.010_02_linux-x86_64.tar.gz", "11.06.010_02"),
        ("https://example.org/tool-1.4.2.TAR", "1.4.2"),
        (
            "https://example.org/get_file.php?name=eos_v6.4.0beta.1_r20171213193219.tgz",
            "6.4.0beta.1",
        ),
        (
            "https://example.org/auth?package=x-archive&version=3.8-1-0-gf15c1c3ef",
            "3.8-1-0-gf15c1c3ef",
        ),
        ("https://example.org/tags/v0.0-3428-gcfcbb82b.tar.gz", "0.0-3428-gcfcbb82b"),
        ("https://example.org/count.php3?url=./cloog-0.18.1.tar.gz", "0.18.1"),
        ("https://example.org/down.php?file=libxc/libxc-2.2.2.tar.gz", "2.2.2"),
        ("https://example.org/x.cgi?path=%2Fdb%2Fdb-1.2.0-rc2-bin.tar.gz&a=1", "1.2.0-rc2"),
        (
            "https://example.org/x-1.0.0-beta-source-code.tar.gz?file=1&type=details&id=37",
            "1.0.0-beta",
        ),
    ],
)
def test_the_version_of_a_sample(url: str, version: str) -> None:
    assert sample_version(url) == version


def test_declared_versions_are_recognized() -> None:
    url = "https://example.org/count.php3?url=./cloog-0.18.1.tar.gz"
    assert sample_version(url, ("0.18.1", "0.18.4")) == "0.18.1"
    url = "https://example.org/PHOTOS.3.61/PHOTOS.3.61-LHC.tar.gz"
    assert sample_version(url, ("3.61", "3.6")) == "3.61"
    # Only as a whole: neither within a longer number, nor before a pre-release suffix.
    assert sample_version("https://example.org/MUST-v1.8.0-rc1.tar.gz", ("1.8.0",)) == "1.8.0-rc1"


@pytest.mark.parametrize(
    ("url", "new", "expected"),
    [
        (
            "https://example.org/HDF4.2.12/src/hdf-4.2.12.tar.gz",
            "4.3",
            "https://example.org/HDF4.3/src/hdf-4.3.tar.gz",
        ),
        ("https://example.org/v1/11.2/x-1.2.tgz", "1.3", "https://example.org/v1/11.2/x-1.3.tgz"),
        ("https://example.org/tool.tar.gz", "2", "https://example.org/tool.tar.gz"),
        ("pypi:py2neo/py2neo-2.0.tar.gz", "3.1", "pypi:py2neo/py2neo-3.1.tar.gz"),
        ("pypi:a-3/a_3-3.3.tar.gz", "4", "pypi:a-3/a_3-4.tar.gz"),
        ("pypi:x/x-1.0-py3-none-any.whl", "2.0", "pypi:x/x-2.0-py3-none-any.whl"),
        ("pypi:x/other-name-1.0.tar.gz", "2.0", "pypi:x/other-name-2.0.tar.gz"),
        ("pypi:iam_v1/iam-v1-0.1.tar.gz", "1-0.2", "pypi:iam_v1/iam-v1-0.2.tar.gz"),
    ],
)
def test_substitution(url: str, new: str, expected: str) -> None:
    assert substitute_version_in_url(url, new) == expected


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        (
            "https://index.example/packages/source/b/black/black-1.0.tar.gz",
            "black/black-1.0.tar.gz",
        ),
        (
            "https://index.example/packages/py3/p/pip/pip-1-py3-none-any.whl",
            "pip/pip-1-py3-none-any.whl",
        ),
        (
            f"https://files.example/packages/ab/cd/{HASH}/tool_x-1.0-py3-none-any.whl",
            "tool_x/tool_x-1.0-py3-none-any.whl",
        ),
        (f"https://files.example/packages/ab/cd/{HASH}/a-b-1.0.tar.gz", "a-b/a-b-1.0.tar.gz"),
    ],
)
def test_addresses_of_the_index_become_files_of_a_project(url: str, expected: str) -> None:
    assert index_source(url) == f"pypi:{expected}"


def test_other_addresses_stay() -> None:
    for url in ("https://example.org/packages/x-1.tar.gz", "https://example.org/x-1.tar.gz"):
        assert index_source(url) == url


def test_join_url() -> None:
    assert join_url("https://a.example/x/", "/y", "z.tar.gz") == "https://a.example/x/y/z.tar.gz"
    assert join_url("https://a.example/x/", "y/z", resolve_href=True) == "https://a.example/x/y/z"


class FromUrl(PackageBase):
    url = "https://example.org/x-1.0.tar.gz"
    version("2.0")
    version("1.5", url="https://elsewhere.example/x.zip")
    version("1.0")


class FromIndex(PackageBase):
    pypi = "Project/project-1.0.tar.gz"
    version("2.0")


class FromVersions(PackageBase):
    version("3.0")
    version("2.0", url="https://example.org/new-2.0.tar.gz")
    version("1.0", url="https://example.org/old-1.0.tar.gz")
    version("1.5")
    version("0.5")


def test_urls_of_versions() -> None:
    package = FromUrl(None)
    assert package.url_for_version("2.0") == "https://example.org/x-2.0.tar.gz"
    assert package.url_for_version("1.5") == "https://elsewhere.example/x.zip"
    assert FromIndex(None).url_for_version("2.0") == "pypi:Project/project-2.0.tar.gz"
    nearest = FromVersions(None).url_for_version
    assert nearest("3.0") == "https://example.org/new-3.0.tar.gz"
    assert nearest("1.5") == "https://example.org/old-1.5.tar.gz"
    assert nearest("0.5") == "https://example.org/old-0.5.tar.gz"


def test_mirrors() -> None:
    class Mirrored(PackageBase):
        urls = ("https://a.example/x-1.0.tar.gz", "https://b.example/x-1.0.tar.gz")
        version("2.0")

    assert Mirrored(None).all_urls_for_version("2.0") == [
        "https://a.example/x-2.0.tar.gz",
        "https://b.example/x-2.0.tar.gz",
    ]


def test_no_url_at_all() -> None:
    class Nothing(PackageBase):
        version("1.0")

    with pytest.raises(RecipeError, match=r"nothing declares no url for version 1.0") as error:
        Nothing(None).url_for_version("1.0")
    assert error.value.hint


def test_overrides_build_on_it() -> None:
    class Overridden(FromIndex):
        def url_for_version(self, version: object) -> str:
            return super().url_for_version(version).replace("project-", "Project_")

    assert Overridden(None).url_for_version("2.0") == "pypi:Project/Project_2.0.tar.gz"
    assert Overridden.url_for_version is not PackageIdentity.url_for_version


def test_urls_of_many_versions_search_them_once(monkeypatch: pytest.MonkeyPatch) -> None:
    searched = []

    def counted(url: str, declared: Iterable[str]) -> str | None:
        searched.append(url)
        return url_version(url, declared)

    monkeypatch.setattr(declared_urls, "url_version", counted)

    class Many(PackageBase):
        url = "https://example.org/x-1.0.tar.gz"
        for number in range(50):
            version(f"{number}.0")
        version("100.0", url="https://example.org/y-100.zip")

    package = Many(None)
    urls = [package.url_for_version(f"{number}.0") for number in range(50)]
    assert urls == [f"https://example.org/x-{number}.0.tar.gz" for number in range(50)]
    assert package.url_for_version("100.0") == "https://example.org/y-100.zip"
    assert len(searched) == 1
