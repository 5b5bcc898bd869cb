"""Which compilers generate code for which microarchitecture, as archspec knows it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

__all__ = ["ARCHSPEC_NAMES", "CompilerRanges", "compiler_ranges", "is_in_ranges"]

#: By target and archspec's name of a compiler: ranges of versions that generate code for it.
CompilerRanges = Mapping[str, Mapping[str, Sequence[str]]]

#: Packages that archspec calls by another name.
ARCHSPEC_NAMES = {
    "llvm": "clang",
    "intel-oneapi-compilers": "oneapi",
    "intel-oneapi-compilers-classic": "intel",
}


def compiler_ranges(targets: Sequence[str]) -> dict[str, dict[str, list[str]]]:
    """Return the ranges of *targets*: ``{"zen4": {"gcc": ["10.3:12.2", "12.3:"], "intel": []}}``.

    Compilers that archspec knows nothing of are not named; what it knows for other processors of
    the family only has no range. Targets that need no flags are not named either.
    """
    import archspec.cpu  # start-up: 40 ms; warm runs take the cache

    found: dict[str, dict[str, list[str]]] = {}
    for name in targets:
        known = archspec.cpu.TARGETS.get(name)
        if known is None or (known.vendor == "generic" and not known.parents):
            continue
        found[name] = {
            compiler: [entry["versions"] for entry in known.compilers.get(compiler, ())]
            for compiler in known.family.compilers
        }
    return found


def is_in_ranges(version: str, ranges: Sequence[str]) -> bool:
    """Return whether a compiler's *version* is in one of archspec's ranges.

    Both ends are compared number by number, as archspec does: 12.2.0 is above 12.2. What is not
    made of numbers, a branch for one, is.
    """
    if not re.fullmatch(r"\d+(\.\d+)*", version):
        return True
    numbers = _numbers(version)
    for text in ranges:
        low, _, high = text.partition(":")
        if (not low or _numbers(low) <= numbers) and (not high or numbers <= _numbers(high)):
            return True
    return False


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version.partition("-")[0]))
