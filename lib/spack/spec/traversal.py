"""Ways through a graph of concrete specs; with a stack, so that depth costs no stack frames.

Nodes are compared by identity: equal nodes of separately loaded graphs appear each.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Union

from spack.spec.deptypes import DEPTYPES, USUAL

if TYPE_CHECKING:
    from spack.spec.concrete import ConcreteSpec
    from spack.spec.edge import Edge

__all__ = ["DepTypes", "dependency_types", "post_order", "traverse_all", "traverse_edges"]

#: One type of dependencies, ``"all"``, or several types.
DepTypes = Union[str, Iterable[str]]


def dependency_types(deptypes: DepTypes) -> frozenset[str]:
    """Return the set of types that *deptypes* means."""
    if isinstance(deptypes, str):
        return frozenset(DEPTYPES) if deptypes == "all" else frozenset((deptypes,))
    return deptypes if isinstance(deptypes, frozenset) else frozenset(deptypes)


def traverse_all(
    roots: Iterable[ConcreteSpec],
    deptypes: DepTypes = USUAL,
    order: str = "pre",
) -> Iterator[ConcreteSpec]:
    """Return every node of the graphs below *roots*, once.

    :param order: ``"pre"`` (dependents first), ``"post"`` (dependencies before their
        dependents) or ``"breadth"``.
    """
    types = dependency_types(deptypes)
    if order == "post":
        return iter(post_order(roots, types))
    return _walk(roots, types, order == "breadth")


def _walk(
    roots: Iterable[ConcreteSpec], types: frozenset[str], breadth: bool
) -> Iterator[ConcreteSpec]:
    seen = set()
    waiting = list(roots)
    if not breadth:
        waiting.reverse()
    position = 0
    while position < len(waiting):
        if breadth:
            node = waiting[position]
            position += 1
        else:
            node = waiting.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        yield node
        below = [edge.spec for edge in node.edges if not edge.deptypes.isdisjoint(types)]
        waiting.extend(below if breadth else reversed(below))


def post_order(
    roots: Iterable[ConcreteSpec], types: frozenset[str] = frozenset(DEPTYPES)
) -> list[ConcreteSpec]:
    """Return every node of the graphs below *roots*, once, after its dependencies."""
    done: list[ConcreteSpec] = []
    seen = set()
    for root in roots:
        if id(root) in seen:
            continue
        seen.add(id(root))
        stack = [(root, iter(root.edges))]
        while stack:
            node, edges = stack[-1]
            for edge in edges:
                if id(edge.spec) in seen or edge.deptypes.isdisjoint(types):
                    continue
                seen.add(id(edge.spec))
                stack.append((edge.spec, iter(edge.spec.edges)))
                break
            else:
                stack.pop()
                done.append(node)
    return done


def traverse_edges(root: ConcreteSpec, deptypes: DepTypes = USUAL) -> Iterator[Edge]:
    """Yield every edge below *root*, once, breadth first."""
    types = dependency_types(deptypes)
    seen = {id(root)}
    queue = [root]
    for node in queue:
        for edge in node.edges:
            if edge.deptypes.isdisjoint(types):
                continue
            yield edge
            if id(edge.spec) not in seen:
                seen.add(id(edge.spec))
                queue.append(edge.spec)
