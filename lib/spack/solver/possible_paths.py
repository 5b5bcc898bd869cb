"""Which packages can lead to which: the graph of all dependencies that recipes declare.

A placeholder satisfies a demand for something below it only when a path of
declared link and run dependencies leads from it to there. The last step of such a path is a
dependency on the package by name, or on a virtual package that it provides; the second kind
makes it the provider, which decides most demands (``^mpich`` below what uses ``mpi`` itself).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from spack.solver.candidates import Catalog
from spack.solver.expansion import dependency_records
from spack.spec import Spec
from spack.spec.deptypes import RUN_TIME

__all__ = ["BY_NAME", "PossiblePaths"]

#: The last step of a path that ends with a dependency by name, not by a virtual package.
BY_NAME = ""


class PossiblePaths:
    """Declared link and run dependencies, walked on demand; conditions are not looked at.

    The possible closure of a package of upstream's 8,900 has some 400 packages and takes 40 ms.
    """

    def __init__(self, catalog: Catalog) -> None:
        self.catalog = catalog
        self._children: dict[str, dict[str, set[str]]] = {}

    def children(self, name: str) -> Mapping[str, set[str]]:
        """Return what a node of *name* may link to or run, and by which virtual packages."""
        known = self._children.get(name)
        if known is None:
            known = self._children[name] = {}
            if self.catalog.fixed(name) is None:
                for record in dependency_records(self.catalog, name):
                    if not RUN_TIME.isdisjoint(record.types):
                        self._add(known, Spec.parse(record.spec).name)
            for spec in self.catalog.installed(name):
                for edge in spec.edges:
                    if edge.deptypes & RUN_TIME:
                        known.setdefault(edge.spec.name, set()).update(edge.virtuals or (BY_NAME,))
        return known

    def _add(self, known: dict[str, set[str]], target: str) -> None:
        if not self.catalog.is_virtual(target):
            known.setdefault(target, set()).add(BY_NAME)
            return
        for provider in self.catalog.providers(target):
            known.setdefault(provider, set()).add(target)

    def leading(self, starts: Iterable[str], target: str) -> dict[str, set[str]]:
        """Return the packages from which a path leads to *target*, with its possible last steps.

        :param starts: only what these can lead to is looked at.
        """
        parents: dict[str, set[str]] = {}
        found: dict[str, set[str]] = {}
        queue = list(starts)
        seen = set(queue)
        while queue:
            name = queue.pop()
            for child, steps in self.children(name).items():
                parents.setdefault(child, set()).add(name)
                if child == target:
                    found.setdefault(name, set()).update(steps)
                if child not in seen:
                    seen.add(child)
                    queue.append(child)
        queue = list(found)
        while queue:
            name = queue.pop()
            for parent in parents.get(name, ()):
                steps = found.setdefault(parent, set())
                if not found[name] <= steps:
                    steps |= found[name]
                    queue.append(parent)
        return found

    def between(self, start: str, target: str, detour: int) -> set[str]:
        """Return the packages on paths from *start* to *target* that are nearly the shortest.

        :param detour: by how many steps a path may be longer than the shortest one.
        """
        leading = self.leading([start], target)
        down = self._distances(start, leading)
        backwards: dict[str, set[str]] = {}
        for name in leading:
            for child in self.children(name):
                backwards.setdefault(child, set()).add(name)
        up = {target: 0}
        queue = [target]
        for name in queue:
            for parent in backwards.get(name, ()):
                if parent not in up:
                    up[parent] = up[name] + 1
                    queue.append(parent)
        shortest = up.get(start)
        if shortest is None:
            return set()
        return {n for n in down if n in up and down[n] + up[n] <= shortest + detour} - {target}

    def _distances(self, start: str, within: Mapping[str, set[str]]) -> dict[str, int]:
        found = {start: 0}
        queue = [start]
        for name in queue:
            for child in self.children(name):
                if child in within and child not in found:
                    found[child] = found[name] + 1
                    queue.append(child)
        return found
