"""Relations between single nodes: what ``satisfies`` and ``intersects`` mean for their parts.

The functions take anything with the attributes of a node (a constraint or a concrete spec):
``name``, ``namespace``, ``versions``, ``variants``, ``flags``, ``arch``. Dependencies are the
business of the callers, since a constraint and a concrete graph look for them differently.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from spack.spec.architecture import NO_ARCH
from spack.spec.variant import VariantValue
from spack.spec.version_list import any_version

__all__ = [
    "BUILTIN_TO_LEGACY",
    "DEPTYPES",
    "FLAG_NAMES",
    "LEGACY_TO_BUILTIN",
    "NOTHING",
    "Flag",
    "node_intersects",
    "node_satisfies",
    "read_only",
]

#: Makes a read-only view of a mapping (types.MappingProxyType, without the import).
read_only = type(type.__dict__)

#: The empty mapping of variants, of flags or of attributes.
NOTHING: Mapping[str, Any] = read_only({})

#: Types of dependencies in the order in which they are written.
DEPTYPES = ("build", "link", "run", "test")

#: Keys whose values are compiler flags.
FLAG_NAMES = ("cflags", "cppflags", "cxxflags", "fflags", "ldflags", "ldlibs")

#: Names that compilers had before they were packages: accepted after ``%`` and printed back.
LEGACY_TO_BUILTIN = {
    "clang": "llvm",
    "oneapi": "intel-oneapi-compilers",
    "intel": "intel-oneapi-compilers-classic",
    "rocmcc": "llvm-amdgpu",
    "arm": "acfl",
}

BUILTIN_TO_LEGACY = {builtin: legacy for legacy, builtin in LEGACY_TO_BUILTIN.items()}


class Flag(str):
    """One compiler flag with its value (``-isystem dir``); ``propagate`` as in ``cflags==``."""

    __slots__ = ("propagate",)

    propagate: bool

    def __new__(cls, text: str, propagate: bool = False) -> Flag:
        flag = super().__new__(cls, text)
        flag.propagate = propagate
        return flag

    def __getnewargs__(self) -> tuple[Any, ...]:
        return str(self), self.propagate


def split_flags(text: str, propagate: bool = False) -> tuple[Flag, ...]:
    """Return the flags in *text*: a word without a leading ``-`` belongs to the one before."""
    flags: list[str] = []
    for word in text.split():
        if flags and not word.startswith("-"):
            flags[-1] += " " + word
        else:
            flags.append(word)
    return tuple(Flag(flag, propagate) for flag in flags)


def identity_satisfies(mine: Any, theirs: Any) -> bool:
    """Names and namespaces agree where both have them."""
    if mine.name != theirs.name and mine.name and theirs.name:
        return False
    return (
        theirs.namespace is None
        or mine.namespace is None
        or bool(mine.namespace == theirs.namespace)
    )


def node_satisfies(mine: Any, theirs: Any) -> bool:
    """Whether whatever is *mine* is also *theirs*, dependencies and hashes aside."""
    if not identity_satisfies(mine, theirs):
        return False
    versions = theirs.versions
    if versions is not any_version and not mine.versions.satisfies(versions):
        return False
    if (theirs.variants or not mine.concrete) and not variants_satisfy(mine, theirs):
        return False
    if theirs.arch is not NO_ARCH and not mine.arch.satisfies(theirs.arch):
        return False
    for name, flags in theirs.flags.items():
        if not set(mine.flags.get(name, ())).issuperset(flags):
            return False
    return True


def variants_satisfy(mine: Any, theirs: Any) -> bool:
    """Variants of *theirs* are in *mine*; propagated ones are only not contradicted.

    A value that *mine* passes on (``++x``) says nothing about *mine* itself, so it does not
    satisfy a plain ``+x``; what either side passes on must not contradict any node of the
    other side.
    """
    variants: Mapping[str, VariantValue] = mine.variants
    passed_on = []
    for name, wanted in theirs.variants.items():
        if wanted.propagate:
            passed_on.append(wanted)
            continue
        value = variants.get(name)
        if value is None or value.propagate or not value.satisfies(wanted):
            return False
    if passed_on and not _compatible(passed_on, mine):
        return False
    if mine.concrete:
        return True
    passed_on = [value for value in variants.values() if value.propagate]
    return not passed_on or _compatible(passed_on, theirs)


def _compatible(passed_on: list[VariantValue], spec: Any) -> bool:
    for node in spec.traverse():
        for wanted in passed_on:
            value = node.variants.get(wanted.name)
            if value is not None and not value.satisfies(wanted):
                return False
    return True


def node_intersects(mine: Any, theirs: Any) -> bool:
    """Whether something can be *mine* and *theirs*, dependencies and hashes aside."""
    if not identity_satisfies(mine, theirs):
        return False
    if mine.namespace and theirs.namespace and mine.namespace != theirs.namespace:
        return False
    if not mine.versions.intersects(theirs.versions):
        return False
    for name, value in theirs.variants.items():
        other = mine.variants.get(name)
        if other is not None and not value.intersects(other):
            return False
    return bool(mine.arch is NO_ARCH or theirs.arch is NO_ARCH or mine.arch.intersects(theirs.arch))
