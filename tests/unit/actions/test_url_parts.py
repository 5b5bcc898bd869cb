"""Name and version in URLs of archives."""

from __future__ import annotations

import pytest

from spack.actions.url_parts import parse_url


@pytest.mark.parametrize(
    ("url", "name", "version"),
    [
        ("https://example.org/foo-1.2.tar.gz", "foo", "1.2"),
        ("https://example.org/o/My_Repo/archive/refs/tags/v1.2.3.tar.gz", "my-repo", "1.2.3"),
        ("https://example.org/o/repo/archive/1.2.3.zip", "repo", "1.2.3"),
        ("https://example.org/o/repo/-/archive/v2.0/repo-v2.0.tar.bz2", "repo", "2.0"),
        ("https://example.org/o/repo/releases/download/v3.1/tool-3.1.tar.gz", "tool", "3.1"),
        ("https://example.org/o/repo/get/4.0.tar.gz", "repo", "4.0"),
        ("https://example.org/boost_1_55_0.tar.gz", "boost", "1_55_0"),
    ],
)
def test_parts(url: str, name: str, version: str) -> None:
    parts = parse_url(url)
    assert (parts.name, parts.version) == (name, version)
