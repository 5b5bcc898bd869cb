"""What a source archive shows without a build."""

from __future__ import annotations

import pytest

from spack.actions.sdist_contents import ArchiveContents, languages_of, modules_of


def contents(*names: str, **texts: str) -> ArchiveContents:
    return ArchiveContents(names, {key: text.encode() for key, text in texts.items()})


@pytest.mark.parametrize(
    ("names", "languages"),
    [
        (["src/a.c", "src/b.PYX"], ["c"]),
        (["a.cpp", "lib/b.f90", "core/src/lib.rs"], ["cxx", "fortran", "rust"]),
        (["tests/a.c", "docs/x/b.cpp", "examples/c.f"], []),
    ],
)
def test_languages_of_sources(names: list[str], languages: list[str]) -> None:
    assert languages_of(contents(*names)) == languages


def test_languages_that_are_declared() -> None:
    meson = "project('x', 'c', 'cython',\n  version: '1')\n"
    cmake = "cmake_minimum_required(VERSION 3.15)\nproject(x LANGUAGES CXX)\n"
    assert languages_of(ArchiveContents((), {"meson.build": meson.encode()})) == ["c"]
    assert languages_of(ArchiveContents((), {"CMakeLists.txt": cmake.encode()})) == ["cxx"]


def test_a_declaration_leaves_out_other_projects_of_the_archive() -> None:
    meson = b"project('x', 'c', 'cython')\nadd_languages('fortran', native: false)\n"
    names = ("x/a.pyx", "x/b.cpp", "vendored-meson/meson/test cases/rust/1/lib.rs")
    assert languages_of(ArchiveContents(names, {"meson.build": meson})) == ["c", "cxx", "fortran"]
    undeclared = {"CMakeLists.txt": b"project(x)\n"}
    assert languages_of(ArchiveContents(("a.f90",), undeclared)) == ["fortran"]


def test_modules() -> None:
    listed = ArchiveContents((), {"x.egg-info/top_level.txt": b"yaml\n_yaml\n"})
    assert modules_of(listed, "pyyaml") == ["yaml"]
    assert modules_of(contents("src/attr/__init__.py", "tests/__init__.py"), "attrs") == ["attr"]
    assert modules_of(contents("foo_bar/__init__.py", "other/__init__.py"), "foo-bar") == [
        "foo_bar"
    ]
    assert modules_of(contents("setup.py"), "x") == []
