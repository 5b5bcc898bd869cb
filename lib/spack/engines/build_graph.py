"""The builds of a plan as a graph: what neither the store nor a cache has, with weights."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from functools import cached_property
from typing import Callable, NamedTuple

from spack.engines.build_weights import BuildWeight
from spack.install.plan import BUILD, Plan, Step
from spack.util.frozen import frozen

__all__ = ["BuildGraph", "GraphNode", "build_graph"]


class GraphNode(NamedTuple):
    """One build.

    :ivar short: ``name@version/hash7``.
    :ivar needs: hashes of the builds that must be done before; none that another one needs anyway.
    :ivar height: seconds of the longest chain of builds from this one on, itself included.
    """

    hash: str
    name: str
    version: str
    short: str
    needs: tuple[str, ...]
    weight: BuildWeight
    height: float

    @property
    def label(self) -> str:
        """``name-version-hash``, as targets of make are called."""
        return f"{self.name}-{self.version}-{self.hash}".replace("/", "_")


@frozen
class BuildGraph:
    """Builds in an order in which they can be done one after the other."""

    nodes: tuple[GraphNode, ...]

    @cached_property
    def by_hash(self) -> Mapping[str, GraphNode]:
        return {node.hash: node for node in self.nodes}

    def only(self, hashes: AbstractSet[str]) -> BuildGraph:
        """Return the builds of *hashes*, which need nothing but each other."""
        return BuildGraph(
            tuple(
                node._replace(needs=tuple(x for x in node.needs if x in hashes))
                for node in self.nodes
                if node.hash in hashes
            )
        )

    @property
    def work(self) -> float:
        """Seconds of all builds."""
        return sum(node.weight.seconds for node in self.nodes)

    @property
    def critical_path(self) -> float:
        """Seconds of the longest chain of builds."""
        return max((node.height for node in self.nodes), default=0.0)

    @property
    def critical_first(self) -> tuple[GraphNode, ...]:
        """The builds, those that the longest chain waits for first; what a build needs is earlier.

        A build is never lower than what needs it, and equals keep their order.
        """
        return tuple(sorted(self.nodes, key=lambda node: -node.height))

    @cached_property
    def levels(self) -> tuple[tuple[GraphNode, ...], ...]:
        """The builds by the number of builds on the longest way below them."""
        depth: dict[str, int] = {}
        rows: list[list[GraphNode]] = []
        for node in self.nodes:
            depth[node.hash] = max((depth[x] + 1 for x in node.needs), default=0)
            if depth[node.hash] == len(rows):
                rows.append([])
            rows[depth[node.hash]].append(node)
        return tuple(map(tuple, rows))


def build_graph(plan: Plan, weigh: Callable[[Step], BuildWeight]) -> BuildGraph:
    """Return the builds of *plan*; what comes from caches is not among them.

    :param weigh: gives what a build takes.
    """
    builds = {step.hash: step for step in plan.steps if step.kind == BUILD}
    below: dict[str, frozenset[str]] = {}
    for step in plan.steps:
        # The builds that must be done before whatever needs this step is built.
        direct: set[str] = set()
        for required in step.requires:
            direct |= {required} if required in builds else below.get(required, frozenset())
        below[step.hash] = frozenset(direct)
    needs = {digest: _reduced(below[digest], below, builds) for digest in builds}
    weights = {digest: weigh(step) for digest, step in builds.items()}
    above: dict[str, float] = {}
    nodes = []
    for digest, step in reversed(builds.items()):
        height = above.get(digest, 0.0) + weights[digest].seconds
        for required in needs[digest]:
            above[required] = max(above.get(required, 0.0), height)
        nodes.append(_node(step, needs[digest], weights[digest], height))
    return BuildGraph(tuple(reversed(nodes)))


def _node(step: Step, needs: tuple[str, ...], weight: BuildWeight, height: float) -> GraphNode:
    spec = step.spec
    return GraphNode(
        step.hash,
        spec.name,
        str(spec.version),
        spec.short,
        needs=needs,
        weight=weight,
        height=round(height, 3),
    )


def _reduced(
    direct: AbstractSet[str], below: Mapping[str, AbstractSet[str]], order: Iterable[str]
) -> tuple[str, ...]:
    """Return *direct* without what another one of it needs, directly or not; dependencies first."""
    reached: set[str] = set()
    pending = [x for digest in direct for x in below[digest]]
    while pending:
        digest = pending.pop()
        if digest not in reached:
            reached.add(digest)
            pending.extend(below[digest])
    return tuple(digest for digest in order if digest in direct and digest not in reached)
