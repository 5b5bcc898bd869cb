"""Concrete specs that a solution may reuse, by name and by hash."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Callable, Protocol

from spack.spec import ConcreteSpec

__all__ = ["ReusableSpecs", "SpecPool"]


class ReusableSpecs(Protocol):
    """A source of reusable specs; asking for one name must not cost reading all."""

    def names(self) -> Collection[str]:
        """Return the names of the packages of which there are specs."""

    def best(
        self, name: str, best_first: Callable[[Collection[str]], Sequence[str]], most: int
    ) -> tuple[Sequence[ConcreteSpec], int]:
        """Return specs of package *name*, and how many more there are.

        :param best_first: puts versions in order. :param most: how many specs are enough.
        """

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

    def best(
        self, name: str, best_first: Callable[[Collection[str]], Sequence[str]], most: int
    ) -> tuple[Sequence[ConcreteSpec], int]:
        """Return all specs of package *name*: they are in memory, and few."""
        return self.named(name), 0

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
