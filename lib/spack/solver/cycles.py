"""Cycles in graphs of packages."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["cycles", "reachable"]


def reachable(starts: set[str], edges: Mapping[str, set[str]]) -> set[str]:
    """Return *starts* and everything that edges lead to from there."""
    reach, queue = set(starts), list(starts)
    while queue:
        for child in edges.get(queue.pop(), ()):
            if child not in reach:
                reach.add(child)
                queue.append(child)
    return reach


def cycles(edges: Mapping[str, set[str]]) -> list[list[str]]:  # noqa: C901 - Tarjan's algorithm without recursion
    """Return the groups of packages that form cycles (Tarjan's algorithm)."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    inside: set[str] = set()
    groups: list[list[str]] = []
    for start in edges:
        if start in index:
            continue
        work = [(start, iter(sorted(edges[start])))]
        index[start] = low[start] = len(index)
        stack.append(start)
        inside.add(start)
        while work:
            name, children = work[-1]
            for child in children:
                if child not in index:
                    index[child] = low[child] = len(index)
                    stack.append(child)
                    inside.add(child)
                    work.append((child, iter(sorted(edges.get(child, ())))))
                    break
                if child in inside:
                    low[name] = min(low[name], index[child])
            else:
                work.pop()
                if work:
                    parent = work[-1][0]
                    low[parent] = min(low[parent], low[name])
                if low[name] == index[name]:
                    group: list[str] = []
                    while not group or group[-1] != name:
                        group.append(stack.pop())
                        inside.discard(group[-1])
                    if len(group) > 1 or name in edges.get(name, ()):
                        groups.append(group)
    return groups
