"""Platform, operating system and target in constraints.

A target constraint is a comma list of names and ranges over the microarchitecture graph:
``x86_64_v3:`` is that target and everything that extends it, ``:zen2`` everything that zen2
extends, ``a:b`` what is between. The graph is archspec's; it is asked only when texts differ.
"""

from __future__ import annotations

from typing import Any

from spack.errors import SpecError

__all__ = ["ArchSpec", "target_data", "target_intersection", "target_satisfies"]

ANY = "*"


class ArchSpec:
    """``platform``, ``os`` and ``target``, each a text or None; immutable and hashable."""

    __slots__ = ("os", "platform", "target")

    platform: str | None
    os: str | None
    target: str | None

    def __init__(
        self,
        platform: str | None = None,
        os: str | None = None,
        target: str | None = None,
    ) -> None:
        _set(self, "platform", platform)
        _set(self, "os", os)
        _set(self, "target", target)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError("ArchSpec is immutable")

    @property
    def parts(self) -> tuple[str | None, str | None, str | None]:
        """Platform, operating system and target."""
        return (self.platform, self.os, self.target)

    def __reduce__(self) -> tuple[Any, ...]:
        return ArchSpec, self.parts

    def __eq__(self, other: object) -> bool:
        if isinstance(other, ArchSpec):
            return self.parts == other.parts
        return NotImplemented

    def __hash__(self) -> int:
        return hash(self.parts)

    def __bool__(self) -> bool:
        return self is not NO_ARCH and any(self.parts)

    def __str__(self) -> str:
        return f"{self.platform}-{self.os}-{self.target}"

    def __repr__(self) -> str:
        return f"ArchSpec{self.parts!r}"

    def satisfies(self, other: ArchSpec) -> bool:
        """Return whether every machine that is of this kind is of the *other* kind."""
        return (
            _part_satisfies(self.platform, other.platform)
            and _part_satisfies(self.os, other.os)
            and (
                other.target is None
                or (self.target is not None and target_satisfies(self.target, other.target))
            )
        )

    def intersects(self, other: ArchSpec) -> bool:
        """Return whether a machine can be of both kinds."""
        return (
            _part_intersects(self.platform, other.platform)
            and _part_intersects(self.os, other.os)
            and (
                self.target is None
                or other.target is None
                or bool(target_intersection(self.target, other.target))
            )
        )

    def constrain(self, other: ArchSpec) -> ArchSpec:
        """Return both at once.

        :raises SpecError: when no machine is of both kinds.
        """
        if not self:
            return other
        if not other:
            return self
        if not self.intersects(other):
            raise SpecError(
                f"the architectures '{self}' and '{other}' have nothing in common",
                facts={"left": str(self), "right": str(other)},
                ref="arch-conflict",
            )
        target = self.target or other.target
        if self.target is not None and other.target is not None:
            target = target_intersection(self.target, other.target)
        return ArchSpec(
            _part_common(self.platform, other.platform), _part_common(self.os, other.os), target
        )


_set = object.__setattr__

#: No constraint.
NO_ARCH = ArchSpec()


def _part_satisfies(first: str | None, second: str | None) -> bool:
    return second is None or first == second or (second == ANY and first is not None)


def _part_intersects(first: str | None, second: str | None) -> bool:
    return first is None or second is None or first == second or ANY in (first, second)


def _part_common(first: str | None, second: str | None) -> str | None:
    return second if first is None or (first == ANY and second is not None) else first


def target_satisfies(target: str, constraint: str) -> bool:
    """Return whether *target* (a name, or itself ranges) is entirely in *constraint*.

    Names that archspec does not know are related to nothing but themselves. Asks archspec
    only when the texts differ and a range is involved.
    """
    if target == constraint or constraint == ANY:
        return True
    second = [_ends(part) for part in constraint.split(",")]
    return all(
        any(_within(first, other) for other in second)
        for first in (_ends(part) for part in target.split(","))
    )


def target_intersection(left: str, right: str) -> str:
    """Return the constraint that holds the targets of both; ``""`` when there is none."""
    if left == right or right == ANY:
        return left
    if left == ANY:
        return right
    found: list[str] = []
    for first in left.split(","):
        for second in right.split(","):
            common = _common(_ends(first), _ends(second))
            if common and common not in found:
                found.append(common)
    return ",".join(found)


#: Lower end, upper end, and whether it is a range; a plain name is both its ends.
_Range = tuple[str, str, bool]


def _ends(part: str) -> _Range:
    lo, colon, hi = part.strip().partition(":")
    return (lo, hi, True) if colon else (lo, lo, False)


def _within(first: _Range, second: _Range) -> bool:
    if not second[2]:
        return first[:2] == second[:2]
    return (not second[0] or _all_extend(first, second[0])) and (
        not second[1] or (first[1] != "" and _extends(second[1], first[1]))
    )


def _all_extend(targets: _Range, ancestor: str) -> bool:
    """Return whether every one of *targets* is *ancestor* or extends it."""
    lo, hi, _ = targets
    if lo:
        return _extends(lo, ancestor)
    # below hi are hi and what it extends
    return hi != "" and all(_extends(name, ancestor) for name in (hi, *_ancestors(hi)))


def _common(first: _Range, second: _Range) -> str:
    lo = first[0] or second[0]
    if first[0] and second[0]:
        lo = first[0] if _extends(first[0], second[0]) else second[0]
        if not _extends(lo, first[0]) or not _extends(lo, second[0]):
            return ""
    hi = first[1] or second[1]
    if first[1] and second[1]:
        hi = first[1] if _extends(second[1], first[1]) else second[1]
        if not _extends(first[1], hi) or not _extends(second[1], hi):
            return ""
    if lo and hi and not _extends(hi, lo):
        return ""
    return lo if lo == hi and lo else f"{lo}:{hi}"


def target_data(target: str) -> str | dict[str, Any]:
    """Return *target* as plain specs have it: what archspec knows of a processor, else the name.

    Generic targets, and names that archspec does not know, are their names.
    """
    if target in _GENERIC:
        return target
    if target not in _data_of:
        from archspec.cpu import TARGETS  # start-up: see _ancestors

        found = TARGETS.get(target)
        _data_of[target] = {} if found is None or found.vendor == "generic" else found.to_dict()
        _data_of[target].pop("compilers", None)
    return dict(_data_of[target]) or target


#: Usual generic targets: archspec need not be asked.
_GENERIC = frozenset(["", "x86_64", "x86_64_v2", "x86_64_v3", "x86_64_v4", "aarch64", "ppc64le"])

_data_of: dict[str, dict[str, Any]] = {}


def _extends(target: str, ancestor: str) -> bool:
    """Return whether *target* is *ancestor* or extends it."""
    return target == ancestor or ancestor in _ancestors(target)


def _ancestors(target: str) -> frozenset[str]:
    known = _ancestors_of.get(target)
    if known is None:
        # start-up: archspec reads its tables at import, 36 ms, and most specs need no ranges
        from archspec.cpu import TARGETS

        found = TARGETS.get(target)
        known = frozenset(parent.name for parent in found.ancestors) if found else frozenset()
        _ancestors_of[target] = known
    return known


_ancestors_of: dict[str, frozenset[str]] = {}
