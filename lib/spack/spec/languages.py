"""Languages that compilers are for, a row each; their names are virtual packages."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["LANGUAGES", "LANGUAGE_NAMES", "Language"]


class Language(NamedTuple):
    """One language.

    :ivar name: of the virtual package.
    :ivar attribute: of a compiler's package object: the path of its compiler.
    :ivar old_names: prefixes of the attributes of the old compiler object.
    :ivar variables: names a compiler for builds in the environment.
    :ivar libtool: name of the block of a generated ``libtool``.
    :ivar flags: the kind of compiler flags that is for this language alone.
    """

    name: str
    attribute: str
    old_names: tuple[str, ...]
    variables: tuple[str, ...]
    libtool: str
    flags: str


#: All languages; the first whose compiler a package uses answers for all.
LANGUAGES = (
    Language("c", "cc", ("cc",), ("CC",), libtool="LIBTOOL CONFIG", flags="cflags"),
    Language("cxx", "cxx", ("cxx",), ("CXX",), libtool="LIBTOOL TAG CONFIG: CXX", flags="cxxflags"),
    Language(
        "fortran",
        "fortran",
        ("fc", "f77"),
        ("FC", "F77"),
        libtool="LIBTOOL TAG CONFIG: FC",
        flags="fflags",
    ),
)

LANGUAGE_NAMES = tuple([row.name for row in LANGUAGES])
