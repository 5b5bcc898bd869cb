"""The facts of one round: where their writers put them, and what the writers share.

Writers (:mod:`~spack.solver.literal_facts` and its siblings) import this module; the encoder calls
the writers.
"""

from __future__ import annotations

from collections.abc import Sequence

from spack.recipe.records import DependencyRecord
from spack.solver.assumptions import Assumptions
from spack.solver.conditions import Conditions
from spack.solver.cycles import reachable
from spack.solver.quoting import quote
from spack.solver.round_context import RoundContext
from spack.spec import Dependency, Spec

__all__ = ["FactSink"]


class FactSink:
    """The facts of one round, with the numbers and the graph that their writers share.

    :ivar universe: the packages that take part, in order.
    :ivar dependencies: dependency records by number, with the package that declares them.
    :ivar links: possible parents by link or run edges.
    :ivar edges: possible children by any edge.
    :ivar tools: packages that a build may need.
    :ivar demanded: packages that a root or the configuration wants somewhere below a node.
    :ivar demanded_directly: packages that they want as a direct dependency.
    """

    def __init__(self, context: RoundContext) -> None:
        self.context = context
        self.catalog = context.catalog
        self.conditions = Conditions(context)
        self.assumptions = Assumptions()
        self.facts: list[str] = []
        self.universe: dict[str, None] = {}
        self.dependencies: dict[int, tuple[str, DependencyRecord]] = {}
        self.links: dict[str, set[str]] = {}
        self.edges: dict[str, set[str]] = {}
        self.tools: set[str] = set()
        self.demanded: set[str] = set(context.learned.assumed)
        self.demanded_directly: set[str] = set()
        self._count = 0

    def below_tools(self) -> set[str]:
        """Return the packages that only a build may need: tools and their dependencies."""
        return reachable(self.tools, self.edges)

    def targets_of(self, record: DependencyRecord) -> tuple[str, ...]:
        """Return the packages that a dependency may lead to."""
        name = Spec.parse(record.spec).name
        return self.catalog.providers(name) if self.catalog.is_virtual(name) else (name,)

    def demand(self, dependencies: Sequence[Dependency]) -> None:
        """Note what a node must depend on; a virtual package means its providers."""
        for dependency in dependencies:
            name = dependency.spec.name
            if dependency.direct:
                self.demanded_directly.add(name)
            elif name:
                self.demanded.update(
                    self.catalog.providers(name) if self.catalog.is_virtual(name) else (name,)
                )

    def number(self) -> int:
        """Return a new number for a dependency, definition, requirement or conflict."""
        self._count += 1
        return self._count

    def emit(self, *rows: str) -> None:
        """Append facts."""
        self.facts.extend(rows)

    def visit(self, name: str) -> None:
        """Let *name* take part."""
        self.universe.setdefault(name)

    def where(self, package: str, line: int) -> str:
        """Return ``file:line`` of a recipe; the package's name without one."""
        recipe = self.catalog.recipe(package)
        path = recipe.path if recipe is not None else package
        return f"{path}:{line}" if line else path

    def conjunction(self, predicate: str, term: int | str, condition: int) -> None:
        """Emit the *condition* of something, unless it always holds."""
        if condition:
            self.emit(f"{predicate}({term},{condition}).")

    def impose(self, number: int, name: str, spec: Spec) -> None:
        """Write what a dependency says of the package *name* that it leads to."""
        literals = self.conditions.compile(name, spec)
        target = quote(name)
        self.emit(
            *(f"dlit({number},{target},{i})." for i in ((0,) if literals is None else literals))
        )

    def link(self, name: str, target: str, types: Sequence[str]) -> None:
        """Note that *name* may depend on *target*."""
        self.edges.setdefault(name, set()).add(target)
        if "build" in types or "test" in types:
            self.tools.add(target)
        if "link" in types or "run" in types:
            self.links.setdefault(target, set()).add(name)
