"""Relations between single nodes: what ``satisfies`` and ``intersects`` mean for their parts.

The functions take anything with the attributes of a node (a constraint or a concrete spec):
``name``, ``namespace``, ``versions``, ``variants``, ``flags``, ``arch``. Dependencies are the
business of the callers, since a constraint and a concrete graph look for them differently.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from spack.spec.architecture import NO_ARCH
from spack.spec.version_list import any_version

if TYPE_CHECKING:
    from spack.spec.variant import VariantValue

__all__ = [
    "BUILTIN_TO_LEGACY",
    "FLAG_NAMES",
    "LEGACY_TO_BUILTIN",
    "NOTHING",
    "Flag",
    "merged_flags",
    "node_intersects",
    "node_satisfies",
    "read_only",
]

#: Makes a read-only view of a mapping (types.MappingProxyType, without the import).
read_only = type(type.__dict__)

#: The empty mapping of variants, of flags or of attributes.
NOTHING: Mapping[str, Any] = read_only({})

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


def merged_flags(first: Iterable[str], second: Iterable[str]) -> tuple[Flag, ...]:
    """Return *first*, then what only *second* has; a flag is passed on if both pass it on."""
    kept = {str(flag): getattr(flag, "propagate", False) for flag in first}
    for flag in second:
        propagate = getattr(flag, "propagate", False)
        kept[str(flag)] = kept.get(str(flag), propagate) and propagate
    return tuple(Flag(text, propagate) for text, propagate in kept.items())


def identity_satisfies(first: Any, second: Any) -> bool:
    """Return whether names and namespaces agree where both have them."""
    if first.name != second.name and first.name and second.name:
        return False
    return (
        second.namespace is None
        or first.namespace is None
        or bool(first.namespace == second.namespace)
    )


def node_satisfies(first: Any, second: Any) -> bool:
    """Return whether whatever is *first* is also *second*, ignoring dependencies and hashes."""
    if not identity_satisfies(first, second):
        return False
    versions = second.versions
    if versions is not any_version and not first.versions.satisfies(versions):
        return False
    if (second.variants or not first.concrete) and not variants_satisfy(first, second):
        return False
    if second.arch is not NO_ARCH and not first.arch.satisfies(second.arch):
        return False
    for name, flags in second.flags.items():
        if not set(first.flags.get(name, ())).issuperset(flags):
            return False
    return True


def variants_satisfy(first: Any, second: Any) -> bool:
    """Return variants of *second* are in *first*; propagated ones are only not contradicted.

    A value that *first* passes on (``++x``) says nothing about *first* itself, so it does not
    satisfy a plain ``+x``; what either side passes on must not contradict any node of the
    other side.
    """
    variants: Mapping[str, VariantValue] = first.variants
    passed_on = []
    for name, wanted in second.variants.items():
        if wanted.propagate:
            passed_on.append(wanted)
            continue
        value = variants.get(name)
        if value is None or value.propagate or not value.satisfies(wanted):
            return False
    if passed_on and not _compatible(passed_on, first):
        return False
    if first.concrete:
        return True
    passed_on = [value for value in variants.values() if value.propagate]
    return not passed_on or _compatible(passed_on, second)


def _compatible(passed_on: list[VariantValue], spec: Any) -> bool:
    for node in spec.traverse():
        for wanted in passed_on:
            value = node.variants.get(wanted.name)
            if value is not None and not value.satisfies(wanted):
                return False
    return True


def node_intersects(first: Any, second: Any) -> bool:
    """Return whether something can be *first* and *second*, ignoring dependencies and hashes."""
    if not identity_satisfies(first, second):
        return False
    if first.namespace and second.namespace and first.namespace != second.namespace:
        return False
    if not first.versions.intersects(second.versions):
        return False
    for name, value in second.variants.items():
        other = first.variants.get(name)
        if other is not None and not value.intersects(other):
            return False
    return bool(
        first.arch is NO_ARCH or second.arch is NO_ARCH or first.arch.intersects(second.arch)
    )
