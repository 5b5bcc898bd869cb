"""Compilers of the machine: families of programs that belong together.

A family is a row of :data:`FAMILIES`; programs of one directory that report the same version are
one compiler, with a path for each language. Cross compilers do not match the names.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from spack.host.search import Detected, Search, is_shim

__all__ = ["FAMILIES", "Family", "detect_compilers", "has_headers"]

#: ``-12``, ``-12.2``, ``-mp-12`` (MacPorts).
_SUFFIX = r"(?:-(?:mp-)?\d+(?:\.\d+)*)?"


class Family(NamedTuple):
    """How to recognise a compiler.

    :ivar programs: language to the pattern of the name without version suffix.
    :ivar version_argv: arguments that make it print its version.
    :ivar version: pattern whose first group is the version.
    :ivar real: what the name of the file behind all links must contain, as a pattern.
    :ivar variants: spec text by a rule of :func:`_variants`.
    :ivar parts: further programs beside it that decide a variant.
    :ivar header_argv: arguments with which it reads a header of the C library, and writes nothing.
    """

    name: str
    programs: Mapping[str, str]
    version_argv: tuple[str, ...]
    version: str
    real: str
    variants: str = ""
    parts: tuple[str, ...] = ()
    header_argv: tuple[str, ...] = ()


#: How gcc and clang read a header of the C library.
_HEADER_ARGV = ("-fsyntax-only", "-x", "c", "-include", "stdio.h", "/dev/null")

FAMILIES: tuple[Family, ...] = (
    Family(
        "gcc",
        {"c": "gcc", "cxx": r"g\+\+", "fortran": "gfortran"},
        ("-dumpfullversion", "-dumpversion"),
        r"^(\d+(?:\.\d+)*)\s*$",
        real=r"gcc|g\+\+|gfortran",
        variants="languages",
        header_argv=_HEADER_ARGV,
    ),
    Family(
        "llvm",
        {"c": "clang", "cxx": r"clang\+\+", "fortran": "flang(?:-new)?"},
        ("--version",),
        r"^(?!Apple|AMD|Intel)(?:\w+ )?(?:clang|flang(?:-new)?) version (\d+(?:\.\d+)*)",
        real="clang|flang",
        variants="programs",
        parts=("lld", "lldb"),
        header_argv=_HEADER_ARGV,
    ),
    Family(
        "apple-clang",
        {"c": "clang", "cxx": r"clang\+\+"},
        ("--version",),
        r"^Apple (?:clang|LLVM) version (\d+(?:\.\d+)*)",
        "clang",
    ),
    Family(
        "intel-oneapi-compilers",
        {"c": "icx", "cxx": "icpx", "fortran": "ifx"},
        ("--version",),
        r"(?:Intel\(R\) oneAPI DPC\+\+/C\+\+ Compiler|ifx \(I[A-Z]+\)) (\d+(?:\.\d+)*)",
        "icx|icpx|ifx",
    ),
    Family(
        "nvhpc",
        {"c": "nvc", "cxx": r"nvc\+\+", "fortran": "nvfortran"},
        ("--version",),
        r"nv(?:c|c\+\+|fortran) (\d+\.\d+)",
        "nvc|nvfortran",
    ),
)

_LANGUAGES = {"c": "c", "cxx": "c++", "fortran": "fortran"}


def detect_compilers(search: Search, name: str) -> list[Detected]:
    """Return the compilers of one family, that of the plain name first, then the newest."""
    family = next((row for row in FAMILIES if row.name == name), None)
    if family is None:
        return []
    groups: dict[tuple[str, str], dict[str, str]] = {}
    order: dict[tuple[str, str], tuple[bool, int]] = {}
    for language, pattern in family.programs.items():
        for path in _by_length(search.programs(pattern + _SUFFIX)):
            version = _version(search, family, path)
            if version is None:
                continue
            directory, program = os.path.split(path)
            key = (directory, version)
            groups.setdefault(key, {}).setdefault(language, path)
            rank = (not re.fullmatch(pattern, program), search.directories.index(directory))
            order[key] = min(order.get(key, rank), rank)
    keys = sorted(groups, key=lambda key: (order[key], _newest(key[1])))
    found: dict[tuple[str, ...], Detected] = {}
    for directory, version in keys:
        compilers = groups[directory, version]
        if "c" not in compilers:
            continue
        behind = tuple(os.path.realpath(path) for path in compilers.values())
        found.setdefault(
            behind,
            Detected(
                name,
                version,
                os.path.dirname(directory),
                {"compilers": compilers},
                f"{name}@{version}{_variants(family, compilers)}",
            ),
        )
    return list(found.values())


def has_headers(search: Search, compiler: Detected) -> bool:
    """Return whether a compiler finds the headers of the C library; True where it is not asked.

    Distributions have them in a package of their own: without it every program fails to compile.
    """
    family = next((row for row in FAMILIES if row.name == compiler.name), None)
    if family is None or not family.header_argv:
        return True
    path = compiler.extra_attributes["compilers"]["c"]
    return search.works("has headers", (path, *family.header_argv))


def _by_length(paths: Sequence[str]) -> list[str]:
    """Return short names first, the order of directories otherwise kept."""
    return sorted(paths, key=lambda path: len(os.path.basename(path)))


def _newest(version: str) -> tuple[int, ...]:
    return tuple(-int(part) for part in version.split("."))


def _version(search: Search, family: Family, path: str) -> str | None:
    if not re.search(family.real, os.path.basename(os.path.realpath(path))) or is_shim(path):
        return None
    output = search.output(f"version {' '.join(family.version_argv)}", (path, *family.version_argv))
    match = re.search(family.version, output or "", re.MULTILINE)
    return match.group(1) if match else None


def _variants(family: Family, compilers: Mapping[str, str]) -> str:
    if family.variants == "languages":
        return " languages='" + ",".join(_LANGUAGES[key] for key in compilers) + "'"
    if family.variants == "programs":
        directory = os.path.dirname(compilers["c"])
        signs = {"clang": True, "flang": "fortran" in compilers}
        for part in family.parts:
            program = "ld.lld" if part == "lld" else part
            signs[part] = os.path.exists(os.path.join(directory, program))
        return "".join(("+" if here else "~") + part for part, here in signs.items())
    return ""
