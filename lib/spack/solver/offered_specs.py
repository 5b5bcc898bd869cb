"""Which of the reusable specs of each package are offered to the solver.

A store of fifty thousand packages has a thousand of one name; to offer them all would cost a
second for each name, and the oldest are hardly ever the answer. Of a package with more than
:data:`MOST` reusable specs the best versions are offered, those that roots and requirements ask for
first, and what these link to and run, so that each can be taken whole. Where a solution builds such
a package, or there is none, four times as many are offered, up to :data:`LIMIT`.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from functools import partial
from typing import Callable, Protocol

from spack.solver.problem import Problem
from spack.solver.spec_pool import ReusableSpecs, SpecPool
from spack.spec import ConcreteSpec, Spec, Version, VersionList
from spack.spec.deptypes import RUN_TIME

__all__ = ["LIMIT", "MOST", "OfferedSpecs"]

#: Specs of one package that are offered at first.
MOST = 20
#: Specs of one package that are offered at most.
LIMIT = 320
_WIDER = 4

#: Versions that are compared by their meaning, at least; of more, those of the greatest numbers.
_COMPARED = 64


class VersionOrder(Protocol):
    """How the versions of a package are preferred."""

    def preferred(self, name: str) -> Collection[str]:
        """Return the versions of package *name* that its recipe prefers to greater ones."""

    def best_first(self, name: str, versions: Iterable[Version]) -> list[Version]:
        """Return *versions* of package *name*, the best first."""


class OfferedSpecs:
    """The reusable specs by name, as many as are offered.

    :param usable: whether a spec fits this machine and its configuration.
    """

    def __init__(
        self, problem: Problem, order: VersionOrder, usable: Callable[[ConcreteSpec], bool]
    ) -> None:
        reusable = problem.reusable
        self.pool: ReusableSpecs = (
            SpecPool(reusable) if isinstance(reusable, Sequence) else reusable
        )
        self.names = self.pool.names()
        self._problem = problem
        self._order = order
        self._usable = usable
        self._known: dict[str, dict[str, ConcreteSpec]] = {}
        #: How many are offered of packages that have more.
        self._windows: dict[str, int] = {}
        #: By name, what specs that are offered link to and run.
        self._needed: dict[str, dict[str, ConcreteSpec]] = {}
        self._followed: set[str] = set()
        self._grown: set[str] = set()

    def named(self, name: str) -> list[ConcreteSpec]:
        """Return what is offered of *name*."""
        known = self._known.get(name)
        if known is None:
            found: Sequence[ConcreteSpec] = ()
            rest = 0
            most = self._windows.get(name, MOST)
            if name in self.names:
                found, rest = self.pool.best(name, partial(self._best_first, name, most), most)
            if rest:
                self._windows[name] = most
            else:
                self._windows.pop(name, None)
            known = self._known[name] = {x.dag_hash(): x for x in found if self._usable(x)}
            self._add_needed(name)
            self._follow(known.values())
        return list(known.values())

    def by_hash(self, prefix: str) -> list[ConcreteSpec]:
        """Return the usable specs whose hash starts with *prefix*; they are offered from now on."""
        found = [spec for spec in self.pool.by_hash(prefix) if self._usable(spec)]
        for spec in found:
            self._need(spec)
        self._follow(found)
        return found

    def grown(self) -> set[str]:
        """Return the packages of which more is offered than :meth:`named` has said; once."""
        grown, self._grown = self._grown, set()
        for name in grown:
            self._add_needed(name)
        return grown

    @property
    def limited(self) -> frozenset[str]:
        """The packages of which more could be offered."""
        if self._problem.reuse is False:
            return frozenset()
        return frozenset(name for name, most in self._windows.items() if most < LIMIT)

    def widen(self, names: Iterable[str]) -> bool:
        """Offer more of those of *names* that have more; return whether that is possible."""
        wider = self.limited.intersection(names)
        for name in wider:
            self._windows[name] *= _WIDER
            self._known.pop(name, None)
        self._grown.update(wider)
        return bool(wider)

    def _add_needed(self, name: str) -> None:
        """Offer what is needed of a package that is not offered whole, if it may be reused."""
        known = self._known.get(name)
        if known is not None and name in self._windows:
            for digest in sorted(self._needed.get(name, {}).keys() - known.keys()):
                known.update((x.dag_hash(), x) for x in self.pool.by_hash(digest))

    def _follow(self, specs: Iterable[ConcreteSpec]) -> None:
        """Offer what *specs* link to and run."""
        waiting = list(specs)
        while waiting:
            spec = waiting.pop()
            digest = spec.dag_hash()
            if digest in self._followed:
                continue
            self._followed.add(digest)
            for edge in spec.edges:
                if edge.deptypes & RUN_TIME:
                    self._need(edge.spec)
                    waiting.append(edge.spec)

    def _need(self, spec: ConcreteSpec) -> None:
        digest = spec.dag_hash()
        known = self._known.get(spec.name)
        if known is None or digest not in known:
            self._needed.setdefault(spec.name, {})[digest] = spec
            if known is not None and spec.name in self._windows:
                self._grown.add(spec.name)

    def _best_first(self, name: str, most: int, texts: Collection[str]) -> list[str]:
        """Return the versions that may be offered, the best first."""
        asked = self._asked(name)
        found = {text: Version(text) for text in texts} if asked else {}
        wanted = [x for x in found.values() if any(group.holds(x) for group in asked)]
        chosen = sorted(texts, key=_numbers, reverse=True)[: max(most, _COMPARED)]
        chosen += [text for text in self._order.preferred(name) if text in texts]
        rest = [found.get(text) or Version(text) for text in dict.fromkeys(chosen)]
        order = self._order.best_first(name, wanted) + self._order.best_first(name, rest)
        return list(dict.fromkeys(version.string for version in order))

    def _asked(self, name: str) -> list[VersionList]:
        """Return the versions that roots, and requirements of the configuration, name."""
        named = [part for root in self._problem.roots for part in root.spec.traverse()]
        named += [root.spec for root in self._problem.develop.values()]
        settings = self._problem.packages.get(name)
        groups = (*settings.require, *settings.prefer) if settings is not None else ()
        found = [spec.versions for spec in named if spec.name == name]
        found += [Spec.parse(text).versions for group in groups for text in group.specs]
        found += [VersionList.parse(text) for text in (settings.version if settings else ())]
        return [versions for versions in found if not versions.is_any]


def _numbers(text: str) -> list[int]:
    return list(map(int, re.findall(r"\d{1,18}", text)))
