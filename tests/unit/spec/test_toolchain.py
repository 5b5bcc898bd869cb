"""Toolchains: one name for several direct dependencies."""

from __future__ import annotations

import pytest

from spack.errors import SpecError
from spack.spec import expand_toolchains, parse, toolchain

TOOLCHAINS = {
    "both": toolchain([("%c=gcc@12", "%c"), ("%cxx=gcc@12", "%cxx")]),
    "simple": toolchain("%c=gcc %cxx=llvm"),
    "clang": toolchain("%[when=+x] c=llvm"),
    "flags": toolchain([("cflags=-O3", ""), ("%c=gcc", "%c"), ("cxxflags=-g", "")]),
}


@pytest.mark.parametrize(
    "text, expanded",
    [
        ("p", "p"),
        ("p %gcc ^q", "p %gcc ^q"),
        ("p %simple", "p %c=gcc %cxx=clang"),
        ("p %%simple", "p %%c=gcc %%cxx=clang"),
        ("p %clang", "p %[when='+x'] c=clang"),
        ("p %c=clang", "p %c=clang"),
        ("p %flags", "p cflags=-O3 cxxflags=-g %[when='%c'] c=gcc"),
        ("p ^q %flags", "p ^q cflags=-O3 cxxflags=-g %[when='%c'] c=gcc"),
        ("p ^q %simple", "p ^q %c=gcc %cxx=clang"),
        ("p %simple %gcc@12:", "p %c=gcc@12: %cxx=clang"),
        ("p %both", "p %[when='%c'] c=gcc@12 %[when='%cxx'] cxx=gcc@12"),
    ],
)
def test_expand(text: str, expanded: str) -> None:
    assert str(expand_toolchains(parse(text), TOOLCHAINS)) == expanded


def test_conditions_add_up() -> None:
    (edge,) = toolchain([("%[when=+x] c=gcc", "+y")]).dependencies
    assert str(edge.when) == "+x+y"


@pytest.mark.parametrize("entry", ["^gcc", "gcc", "gcc %c=gcc", "%gcc ^q %c"])
def test_entries_hold_direct_dependencies_only(entry: str) -> None:
    with pytest.raises(SpecError, match="holds more than direct dependencies"):
        toolchain(entry)


def test_a_toolchain_takes_no_attributes() -> None:
    with pytest.raises(SpecError, match="'simple' is a toolchain and takes no attributes"):
        expand_toolchains(parse("p %simple@2"), TOOLCHAINS)
    with pytest.raises(SpecError, match="have nothing in common"):
        expand_toolchains(parse("p %gcc@11 %simple %llvm@1"), {"simple": toolchain("%gcc@12")})
