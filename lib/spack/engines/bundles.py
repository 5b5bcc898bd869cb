"""Jobs of batch systems: builds that are worth a start of their own, and bundles of small ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from spack.engines.build_graph import BuildGraph, GraphNode

__all__ = ["Bundle", "bundles_of"]

#: Seconds of work that are worth a job: starting one takes one to two. Larger bundles wait longer
#: for each other than their starts take (60 builds on three nodes, simulated).
_WORTH = 10.0


class Bundle(NamedTuple):
    """Builds that one job does one after the other.

    :ivar needs: positions of the bundles that must be done before, in the sequence of all.
    :ivar height: of the longest chain of builds that waits for it, in seconds.
    """

    nodes: tuple[GraphNode, ...]
    needs: tuple[int, ...]
    height: float

    @property
    def name(self) -> str:
        first = self.nodes[-1].name
        return first if len(self.nodes) == 1 else f"{first}+{len(self.nodes) - 1}"

    @property
    def seconds(self) -> float:
        return sum(node.weight.seconds for node in self.nodes)

    @property
    def cores(self) -> int:
        return max(node.weight.cores for node in self.nodes)

    @property
    def memory(self) -> int:
        return max(node.weight.memory for node in self.nodes)


def bundles_of(graph: BuildGraph, lanes: int, worth: float = _WORTH) -> tuple[Bundle, ...]:
    """Return the jobs of *graph*, the critical path first; what a job needs is earlier.

    A small build is done together with the only one that waits for it, if that waits for nothing
    else, which delays nothing; small ones of one level are done together as long as one more of
    them is left than jobs run at once.

    :param lanes: jobs that run at once.
    :param worth: seconds; what takes longer gets a job of its own.
    """
    group = {node.hash: number for number, node in enumerate(graph.nodes)}
    _join_chains(graph, group, worth)
    _join_levels(graph, group, lanes, worth)
    return _ordered(graph, group)


def _seconds(graph: BuildGraph, group: Mapping[str, int]) -> dict[int, float]:
    total: dict[int, float] = {}
    for node in graph.nodes:
        total[group[node.hash]] = total.get(group[node.hash], 0.0) + node.weight.seconds
    return total


def _merge(group: dict[str, int], kept: int, other: int) -> None:
    for digest, number in group.items():
        if number == other:
            group[digest] = kept


def _join_chains(graph: BuildGraph, group: dict[str, int], worth: float) -> None:
    """Join what only one build needs, which needs nothing else, with that one."""
    total = _seconds(graph, group)
    waiting: dict[str, list[str]] = {}
    for node in graph.nodes:
        for needed in node.needs:
            waiting.setdefault(needed, []).append(node.hash)
    for node in graph.nodes:
        above = waiting.get(node.hash, [])
        if len(above) != 1:
            continue
        lower, upper = group[node.hash], group[above[0]]
        if {group[x] for x in graph.by_hash[above[0]].needs} != {lower}:
            continue
        if lower != upper and total[lower] + total[upper] <= worth:
            _merge(group, upper, lower)
            total[upper] += total.pop(lower)


def _join_levels(graph: BuildGraph, group: dict[str, int], lanes: int, worth: float) -> None:
    """Join small groups of one level; those of one level never need each other."""
    total = _seconds(graph, group)
    levels: dict[int, list[int]] = {}
    for number, depth in _depths(graph, group).items():
        levels.setdefault(depth, []).append(number)
    for members in levels.values():
        spare = len(members) - lanes - 1
        open_group = -1
        for number in sorted(members, key=lambda x: total[x]):
            if spare <= 0 or total[number] >= worth:
                break
            if open_group >= 0 and total[open_group] + total[number] <= worth:
                _merge(group, open_group, number)
                total[open_group] += total[number]
                spare -= 1
            else:
                open_group = number


def _depths(graph: BuildGraph, group: Mapping[str, int]) -> dict[int, int]:
    """Return the longest way below each group, in groups."""
    needs = _needs(graph, group)
    depths: dict[int, int] = {}
    pending = list(needs)
    while pending:
        number = pending[-1]
        missing = [x for x in needs[number] if x not in depths]
        if missing:
            pending += missing
            continue
        pending.pop()
        depths[number] = max((depths[x] + 1 for x in needs[number]), default=0)
    return depths


def _needs(graph: BuildGraph, group: Mapping[str, int]) -> dict[int, set[int]]:
    needs: dict[int, set[int]] = {}
    for node in graph.nodes:
        own = group[node.hash]
        needs.setdefault(own, set()).update(group[x] for x in node.needs if group[x] != own)
    return needs


def _ordered(graph: BuildGraph, group: Mapping[str, int]) -> tuple[Bundle, ...]:
    members: dict[int, list[GraphNode]] = {}
    for node in graph.nodes:
        members.setdefault(group[node.hash], []).append(node)
    needs, depths = _needs(graph, group), _depths(graph, group)
    heights = _heights(members, needs, depths)
    order = sorted(members, key=lambda number: (-heights[number], depths[number], number))
    position = {number: index for index, number in enumerate(order)}
    return tuple(
        Bundle(
            tuple(members[number]),
            tuple(sorted(position[x] for x in needs[number])),
            round(heights[number], 3),
        )
        for number in order
    )


def _heights(
    members: Mapping[int, Sequence[GraphNode]],
    needs: Mapping[int, set[int]],
    depths: Mapping[int, int],
) -> dict[int, float]:
    heights: dict[int, float] = {}
    above: dict[int, float] = {}
    for number in sorted(members, key=lambda x: -depths[x]):
        own = sum(node.weight.seconds for node in members[number])
        heights[number] = above.get(number, 0.0) + own
        for needed in needs[number]:
            above[needed] = max(above.get(needed, 0.0), heights[number])
    return heights
