"""Which dependencies take which part in a build; pure functions of the concrete graph.

====================  =====================================================================
direct                build dependencies of the root, and test dependencies when it is tested
linked                what the root links, and what that links
tools                 ``direct`` and what runs or links below it: programs and modules that run
====================  =====================================================================

All are in order: a dependency comes before its dependents.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from spack.spec import ConcreteSpec, traverse_all
from spack.spec.deptypes import DEPTYPES, RUN_TIME

__all__ = ["Roles", "roles"]


@dataclass(frozen=True)
class Roles:
    """The parts that the nodes below ``root`` take; see the module's docstring.

    :param order: all nodes with a part, dependencies first, externals before the rest.
    :param runtime: what is needed when the installed root is used; the root excluded.
    """

    root: ConcreteSpec
    direct: tuple[ConcreteSpec, ...]
    linked: tuple[ConcreteSpec, ...]
    tools: tuple[ConcreteSpec, ...]
    runtime: tuple[ConcreteSpec, ...]
    order: tuple[ConcreteSpec, ...]

    @property
    def build_time(self) -> frozenset[str]:
        """Hashes of what is searched for headers and libraries."""
        return frozenset(node.dag_hash() for node in (*self.direct, *self.linked))

    def dependents(self, node: ConcreteSpec) -> list[ConcreteSpec]:
        """Return the nodes with a part, and the root, that link or run *node* directly.

        The root by any edge of a build.
        """
        found = []
        for dependent in (*self.order, self.root):
            types = DEPTYPES if dependent is self.root else RUN_TIME
            if any(e.spec == node and not e.deptypes.isdisjoint(types) for e in dependent.edges):
                found.append(dependent)
        return found

    def all_dependents(self, node: ConcreteSpec) -> list[ConcreteSpec]:
        """Return nodes with a part, and the root, that depend on *node* directly, by whatever edge.

        Methods of a dependency that the root's recipe calls (``self["kokkos"].kokkos_cxx``) rely
        on the names that its own build had, such as ``spack_cxx``.
        """
        nodes = (*self.order, self.root)
        return [dependent for dependent in nodes if any(e.spec == node for e in dependent.edges)]


def roles(root: ConcreteSpec, run_tests: bool = False) -> Roles:
    """Return the roles of all nodes below *root* in its build."""
    direct_types = ("build", "test") if run_tests else ("build",)
    direct = tuple(root.dependencies(deptype=direct_types))
    linked = tuple(_closure(root.dependencies(deptype=("link",)), ("link",)))
    tools = tuple(_closure(direct, RUN_TIME))
    runtime = tuple(_closure(root.dependencies(deptype=RUN_TIME), RUN_TIME))
    taking_part: dict[str, ConcreteSpec] = {}
    below_linked = _closure(linked, RUN_TIME)
    for node in (*tools, *below_linked, *(runtime if run_tests else ())):
        taking_part.setdefault(node.dag_hash(), node)
    order = [
        node
        for node in root.traverse(DEPTYPES, root=False, order="post")
        if node.dag_hash() in taking_part
    ]
    order.sort(key=lambda node: node.external is None)
    return Roles(root, direct, linked, tools, runtime=runtime, order=tuple(order))


def _closure(starts: Iterable[ConcreteSpec], deptypes: Iterable[str]) -> list[ConcreteSpec]:
    return list(traverse_all(tuple(starts), deptypes, "post"))
