"""Concrete specs that a solution may reuse, by name and by hash."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Protocol

from spack.spec import ConcreteSpec

__all__ = ["ReusableSpecs", "SpecPool"]


class ReusableSpecs(Protocol):
    """A source of reusable specs; asking for one name must not cost reading all."""

    def names(self) -> Collection[str]:
        """Return the names of the packages of which there are specs."""

    def named(self, name: str) -> Sequence[ConcreteSpec]:
        """Return the specs of package *name*, in a stable order."""

    def by_hash(self, prefix: str) -> Sequence[ConcreteSpec]:
        """Return the specs whose hash starts with *prefix*."""

    def targets(self) -> Collection[str]:
        """Return the targets that the specs have."""

    def is_fixed(self, digest: str) -> bool:
        """Return whether the spec of this hash was decided before, so that it may be anything."""


class SpecPool:
    """Specs in memory, with what they link to and run.

    :param specs: each spec is in the pool once, in the order in which it is met.
    """

    def __init__(self, specs: Iterable[ConcreteSpec]) -> None:
        self._by_hash: dict[str, ConcreteSpec] = {}
        self._by_name: dict[str, list[ConcreteSpec]] = {}
        for root in specs:
            for spec in root.traverse(("link", "run")):
                if spec.dag_hash() not in self._by_hash:
                    self._by_hash[spec.dag_hash()] = spec
                    self._by_name.setdefault(spec.name, []).append(spec)

    def names(self) -> Collection[str]:
        """Return the names of the packages of which there are specs."""
        return self._by_name.keys()

    def named(self, name: str) -> Sequence[ConcreteSpec]:
        """Return the specs of package *name*, in the order in which they were met."""
        return self._by_name.get(name, ())

    def by_hash(self, prefix: str) -> Sequence[ConcreteSpec]:
        """Return the specs whose hash starts with *prefix*."""
        exact = self._by_hash.get(prefix)
        if exact is not None:
            return (exact,)
        return [spec for digest, spec in self._by_hash.items() if digest.startswith(prefix)]

    def targets(self) -> Collection[str]:
        """Return the targets that the specs have."""
        return {str(spec.target) for spec in self._by_hash.values()}

    def is_fixed(self, digest: str) -> bool:
        """Return whether the spec of this hash was decided before: none was."""
        return False
