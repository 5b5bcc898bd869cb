"""Toolchains in the configuration, and in requirements of packages."""

from __future__ import annotations

from typing import Any

import pytest

from spack.config.toolchains import with_toolchains
from spack.errors import SpecError

TOOLCHAINS = """\
toolchains:
  mixed:
  - spec: cflags=-O3
  - {spec: "%c=llvm", when: "%c"}
  - {spec: "%fortran=gcc", when: "%fortran"}
  short: "%c,cxx=gcc@12"
"""


def test_they_are_read(files: Any) -> None:
    files.write("user/toolchains.yaml", TOOLCHAINS)
    found = files.load().toolchains
    assert str(found["short"]) == "%c,cxx=gcc@12"
    assert str(found["mixed"]) == "cflags=-O3 %[when='%fortran'] fortran=gcc %[when='%c'] c=clang"
    assert files.load("none").toolchains == {}


def test_what_cannot_be_one_names_its_line(files: Any) -> None:
    files.write("user/toolchains.yaml", "toolchains:\n  bad: gcc\n")
    with pytest.raises(SpecError) as caught:
        assert files.load().toolchains
    assert str(caught.value).startswith(f"{files.root}/user/toolchains.yaml:2: ")


def test_requirements_name_them(files: Any) -> None:
    files.write("user/toolchains.yaml", TOOLCHAINS)
    files.write(
        "user/packages.yaml",
        """\
packages:
  a: {require: "%short"}
  b: {require: ["@2: %mixed", {spec: "%mixed", when: "+x"}]}
  c: {prefer: ["%mixed"], conflict: ["%short"]}
  d: {require: [{one_of: ["%short", "%mixed"]}]}
  e: {require: "%gcc"}
""",
    )
    settings = files.load()
    found = with_toolchains(settings.packages, settings.toolchains)
    rows = {
        name: [(group.specs, group.when) for group in (*x.require, *x.prefer, *x.conflict)]
        for name, x in found.items()
    }
    assert rows["a"] == [(("%c,cxx=gcc@12",), "")]
    assert rows["b"] == [
        (("@2: cflags=-O3",), ""),
        (("%c=clang",), "%c"),
        (("%fortran=gcc",), "%fortran"),
        (("cflags=-O3",), "+x"),
        (("%c=clang",), "+x %c"),
        (("%fortran=gcc",), "+x %fortran"),
    ]
    assert rows["c"] == [
        (("cflags=-O3",), ""),
        (("%c=clang",), "%c"),
        (("%fortran=gcc",), "%fortran"),
        (("%c,cxx=gcc@12",), ""),
    ]
    assert len(rows["d"]) == 1 and rows["d"][0][0][0] == "%c,cxx=gcc@12"
    assert found["e"] == settings.packages["e"]
