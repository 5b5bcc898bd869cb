"""Specifiers of Python projects as ranges of recipes."""

from __future__ import annotations

import pytest
from packaging.specifiers import SpecifierSet
from packaging.version import Version as Parsed

from spack.recipe.specifier_ranges import specifier_range
from spack.spec import Version, VersionList


@pytest.mark.parametrize(
    ("specifiers", "expected"),
    [
        ("", ""),
        (">=3.9", "3.9:"),
        (">=3.8,<4", "3.8:3"),
        ("<2.0", ":1"),
        ("<2.5.0", ":2.4"),
        ("<0.1", ":0.0"),
        (">=1.2,!=1.3.0,<3", "1.2,1.3.1:2"),
        ("!=1.5.*", ":1.4,1.6:"),
        ("!=2.0.0", ":1,2.0.1:"),
        ("~=1.4.2", "1.4.2:1.4"),
        ("~=1.4", "1.4:1"),
        ("==1.5", "1.5:1.5.0"),
        ("==1.5.2", "1.5.2"),
        ("==1.5.*", "1.5"),
        ("<=1.5", ":1.5.0"),
        (">1.5", "1.5.1:"),
        ("<2.0.0a0", ":1"),
        (">=1.0rc1", "1.0rc1:"),
        (">=1.0.dev0", "1.0:"),
        ("===1.5", "=1.5"),
        ("!=1.0rc1", ""),
        ("==1!2", None),
        ("==1.0+cpu", None),
        ("<0", None),
        (">=2,<1", None),
    ],
)
def test_ranges(specifiers: str, expected: str | None) -> None:
    assert specifier_range(SpecifierSet(specifiers)) == expected


VERSIONS = [
    f"{major}.{minor}.{patch}" for major in range(3) for minor in range(4) for patch in range(3)
]


@pytest.mark.parametrize("operator", [">=", ">", "<=", "<", "==", "!=", "~="])
@pytest.mark.parametrize("bound", ["1", "1.0", "1.2", "1.2.0", "1.2.1", "2.0.0", "0.1.2"])
def test_the_same_versions_are_admitted(operator: str, bound: str) -> None:
    if operator == "~=" and "." not in bound:
        return  # not a specifier
    specifiers = SpecifierSet(f"{operator}{bound}")
    text = specifier_range(specifiers)
    assert text
    for version in VERSIONS:
        assert (Version(version) in VersionList(text)) == (Parsed(version) in specifiers), version
