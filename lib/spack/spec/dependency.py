"""Dependencies of constraints: what follows a ``^``, ``%`` or ``%%``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from spack.spec.canonical_text import dependency_text
from spack.spec.deptypes import DEPTYPES
from spack.spec.version_list import any_version

if TYPE_CHECKING:
    from spack.spec.constraint import Spec

__all__ = ["Dependency", "merged_dependencies"]

_set = object.__setattr__


class Dependency:
    """An edge of a constraint; immutable and hashable.

    :param direct: ``%`` (an edge of this very node) rather than ``^`` (somewhere below).
    :param deptypes: the types that the edge has at least, in order; empty for any.
    :param virtuals: what the dependency provides on this edge, sorted.
    :param propagate: ``%%``, also passed on to run dependencies as a preference.
    :param when: the edge is there only where this holds; None for always.
    """

    __slots__ = ("deptypes", "direct", "propagate", "spec", "virtuals", "when")

    spec: Spec
    direct: bool
    deptypes: tuple[str, ...]
    virtuals: tuple[str, ...]
    propagate: bool
    when: Spec | None

    def __init__(
        self,
        spec: Spec,
        direct: bool = False,
        deptypes: tuple[str, ...] = (),
        virtuals: tuple[str, ...] = (),
        propagate: bool = False,
        when: Spec | None = None,
    ) -> None:
        _set(self, "spec", spec)
        _set(self, "direct", direct)
        _set(self, "deptypes", deptypes)
        _set(self, "virtuals", virtuals)
        _set(self, "propagate", propagate)
        _set(self, "when", when)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError("Dependency is immutable")

    @property
    def _key(self) -> tuple[Any, ...]:
        return (
            self.spec,
            self.direct,
            self.deptypes,
            self.virtuals,
            self.propagate,
            self.when,
        )

    def __reduce__(self) -> tuple[Any, ...]:
        return Dependency, self._key

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Dependency):
            return self._key == other._key
        return NotImplemented

    def __hash__(self) -> int:
        return hash(self._key)

    def __str__(self) -> str:
        return dependency_text(self)

    def __repr__(self) -> str:
        return f'Dependency("{self}")'

    def replace(self, **parts: Any) -> Dependency:
        """Return this edge with the given parts (the constructor's keywords) exchanged."""
        for part in ("spec", "direct", "deptypes", "virtuals", "propagate", "when"):
            parts.setdefault(part, getattr(self, part))
        return Dependency(**parts)

    def same_node(self, other: Dependency) -> bool:
        """Return whether both name one package under one condition."""
        return self.spec.name == other.spec.name != "" and self.when == other.when

    def same_kind(self, other: Dependency) -> bool:
        """Return whether both speak of one edge, so that what they say must hold together."""
        return (
            self.same_node(other)
            and self.direct == other.direct
            and not (
                self.deptypes and other.deptypes and set(self.deptypes).isdisjoint(other.deptypes)
            )
        )

    def merge(self, other: Dependency) -> Dependency:
        """Return both at once, for edges to the same node.

        :raises SpecError: when the nodes contradict each other.
        """
        types = set(self.deptypes) | set(other.deptypes)
        return Dependency(
            self.spec.constrain(other.spec),
            self.direct or other.direct,
            tuple(kind for kind in DEPTYPES if kind in types),
            tuple(sorted({*self.virtuals, *other.virtuals})),
            propagate=self.propagate or other.propagate,
            when=self.when,
        )

    def satisfies(self, other: Dependency) -> bool:
        """Return whether a spec with this edge has an edge like *other*."""
        if other.direct and not self.direct:
            return False
        if other.propagate and not self.propagate:
            return False
        if other.direct and not set(other.deptypes).issubset(self.deptypes):
            return False
        if not set(other.virtuals).issubset((*self.virtuals, self.spec.name)):
            return False
        if self.when is not None and (other.when is None or not other.when.satisfies(self.when)):
            return False
        wanted = other.spec
        if wanted.name and wanted.name in self.virtuals and wanted.name != self.spec.name:
            if wanted.versions is not any_version:
                return False  # the version of a virtual is not that of its provider
            wanted = wanted.with_name("")
        return self.spec.satisfies(wanted)


def merged_dependencies(
    first: tuple[Dependency, ...], second: tuple[Dependency, ...]
) -> tuple[Dependency, ...]:
    """Return the edges of both; those that can be one edge are merged.

    Of an edge's candidates one of the same kind comes first; another that has the same name and
    condition is taken when the nodes can be one. ``^b`` and ``%b`` make ``%b``.

    :raises SpecError: when nodes of the same kind contradict each other.
    """
    result = list(first)
    for edge in second:
        if edge in result:
            continue
        index = _partner(result, edge)
        if index is None:
            result.append(edge)
        else:
            result[index] = result[index].merge(edge)
    return tuple(result)


def _partner(known: list[Dependency], edge: Dependency) -> int | None:
    """Return the index of the edge that *edge* is merged with, if any."""
    same = [index for index, item in enumerate(known) if item.same_kind(edge)]
    if same:
        return same[0]
    for index, item in enumerate(known):
        if item.same_node(edge) and item.spec.intersects(edge.spec):
            return index
    return None
