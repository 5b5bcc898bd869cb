"""Graphs of packages as SVG, without any other program.

Nodes are in layers, each below all that need it. An edge over several layers has a bend in each of
them; the order in a layer is that of the means of the neighbours, swept down and up a few times,
which leaves few crossings (Sugiyama, Tagawa and Toda, 1981).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import NamedTuple

from spack.spec import ConcreteSpec
from spack.spec.edge import Edge

__all__ = ["graph_svg"]

#: Fill and border of nodes by state, see :data:`spack.cli.spec_text.Status`.
_FILLS = {
    "installed": ("#dff3e4", "#3a9d5d"),
    "upstream": ("#dff3e4", "#3a9d5d"),
    "external": ("#e8ecf3", "#667085"),
    "missing": ("#fff4d6", "#c98a00"),
}
_LEGEND = (("installed", "installed"), ("external", "external"), ("missing", "to be built"))

_CHARACTER, _HEIGHT, _GAP, _LAYER, _MARGIN = 7.3, 26, 18, 74, 16
_SWEEPS = 6


class _Cell(NamedTuple):
    """A node, or a bend of an edge (without a spec), in one layer."""

    key: str
    width: float


def graph_svg(
    roots: Sequence[ConcreteSpec], types: Sequence[str], status: Mapping[str, str]
) -> str:
    """Return the drawing of what is below *roots*, each node once.

    :param types: of the edges that are drawn. Those that only build or test are dotted, those
        to what another dependency of the same node needs, too, are light.
    :param status: the state of nodes by hash.
    """
    nodes = _dependents_first(roots, types)
    edges = [(node.dag_hash(), edge) for node in nodes for edge in _edges(node, types)]
    layers, paths = _layered(nodes, [(source, x.spec.dag_hash()) for source, x in edges])
    _sort_layers(layers, paths)
    at = _positions(layers, paths)
    width = max((x + cell.width / 2 for cell, x in _cells(layers, at)), default=0) + _MARGIN
    height = _MARGIN * 2 + _LAYER * max(0, len(layers) - 1) + _HEIGHT + 26
    rows = {cell.key: row for row, layer in enumerate(layers) for cell in layer}
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {max(width, 330):.0f} {height:.0f}"'
        ' font-family="ui-monospace, monospace" font-size="12">',
        "<style>path { fill: none; stroke: #98a2b3; stroke-width: 1.3; }"
        " path.build { stroke-dasharray: 3 3; } path.implied { stroke: #e4e7ec; }</style>",
    ]
    implied = _implied(nodes, edges)
    drawn = sorted(range(len(edges)), key=lambda i: i not in implied)
    lines += [_drawn_edge(paths[i], at, rows, edges[i][1], i in implied) for i in drawn]
    lines += [_drawn_node(x, at[x.dag_hash()], rows[x.dag_hash()], status) for x in nodes]
    x = float(_MARGIN)
    for state, text in _LEGEND:
        fill, border = _FILLS[state]
        lines.append(
            f'<g class="key"><rect x="{x:.0f}" y="{height - 24:.0f}" width="12" height="12" rx="3" '
            f'fill="{fill}" stroke="{border}"/>'
            f'<text x="{x + 18:.0f}" y="{height - 14:.0f}">{text}</text></g>'
        )
        x += 30 + len(text) * _CHARACTER
    return "\n".join([*lines, "</svg>"])


def _edges(node: ConcreteSpec, types: Sequence[str]) -> list[Edge]:
    return [edge for edge in node.edges if not edge.deptypes.isdisjoint(types)]


def _implied(nodes: Sequence[ConcreteSpec], edges: Sequence[tuple[str, Edge]]) -> set[int]:
    """Return which edges lead to what another dependency of the same node needs, too."""
    below: dict[str, set[str]] = {}
    for node in reversed(nodes):  # dependencies first
        children = [edge.spec.dag_hash() for source, edge in edges if source == node.dag_hash()]
        below[node.dag_hash()] = set(children).union(*(below[x] for x in children))
    found = set()
    for number, (source, edge) in enumerate(edges):
        beside = {x.spec.dag_hash() for y, x in edges if y == source} - {edge.spec.dag_hash()}
        if any(edge.spec.dag_hash() in below[x] for x in beside):
            found.add(number)
    return found


def _dependents_first(roots: Iterable[ConcreteSpec], types: Sequence[str]) -> list[ConcreteSpec]:
    order: dict[str, ConcreteSpec] = {}
    for root in roots:
        for node in root.traverse(deptypes=tuple(types), order="post"):
            order.setdefault(node.dag_hash(), node)
    return list(order.values())[::-1]


def _label(node: ConcreteSpec) -> str:
    return f"{node.name}@{node.version}"


def _layered(
    nodes: Sequence[ConcreteSpec], edges: Sequence[tuple[str, str]]
) -> tuple[list[list[_Cell]], list[list[str]]]:
    """Return the layers, and for each edge the cells that it goes through."""
    rank = {node.dag_hash(): 0 for node in nodes}
    for node in nodes:  # dependents first
        for source, target in edges:
            if source == node.dag_hash():
                rank[target] = max(rank[target], rank[source] + 1)
    layers: list[list[_Cell]] = [[] for _ in range(max(rank.values(), default=-1) + 1)]
    for node in nodes:
        cell = _Cell(node.dag_hash(), len(_label(node)) * _CHARACTER + 16)
        layers[rank[node.dag_hash()]].append(cell)
    paths = []
    for number, (source, target) in enumerate(edges):
        bends = []
        for row in range(rank[source] + 1, rank[target]):
            bends.append(f"{number}:{row}")
            layers[row].append(_Cell(bends[-1], 4))
        paths.append([source, *bends, target])
    return layers, paths


def _sort_layers(layers: list[list[_Cell]], paths: Sequence[Sequence[str]]) -> None:
    """Put the cells of each layer into the order of the means of their neighbours."""
    above: dict[str, list[str]] = {}
    below: dict[str, list[str]] = {}
    for path in paths:
        for upper, lower in zip(path, path[1:]):
            above.setdefault(lower, []).append(upper)
            below.setdefault(upper, []).append(lower)
    order = {cell.key: float(i) for layer in layers for i, cell in enumerate(layer)}
    for sweep in range(_SWEEPS):
        neighbours, rows = (above, layers[1:]) if sweep % 2 == 0 else (below, layers[-2::-1])
        for layer in rows:
            means = {
                cell.key: sum(order[x] for x in beside) / len(beside)
                if (beside := neighbours.get(cell.key))
                else order[cell.key]
                for cell in layer
            }
            layer.sort(key=lambda cell: means[cell.key])
            order.update((cell.key, float(i)) for i, cell in enumerate(layer))


def _positions(
    layers: Sequence[Sequence[_Cell]], paths: Sequence[Sequence[str]]
) -> dict[str, float]:
    """Return the middle of each cell: near its neighbours, apart from the cells beside it."""
    joined: dict[str, list[str]] = {}
    for path in paths:
        for upper, lower in zip(path, path[1:]):
            joined.setdefault(lower, []).append(upper)
            joined.setdefault(upper, []).append(lower)
    at: dict[str, float] = {}
    for layer in layers:
        x = 0.0
        for cell in layer:
            at[cell.key] = x + cell.width / 2
            x += cell.width + _GAP
    for _ in range(_SWEEPS * 2):
        for layer in layers:
            _settle(layer, at, joined)
    left = min((at[cell.key] - cell.width / 2 for layer in layers for cell in layer), default=0.0)
    return {key: x - left + _MARGIN for key, x in at.items()}


def _settle(
    layer: Sequence[_Cell], at: dict[str, float], joined: Mapping[str, Sequence[str]]
) -> None:
    """Move the cells of a layer towards their neighbours; their order stays."""
    goals = [
        sum(at[x] for x in joined[cell.key]) / len(joined[cell.key])
        if cell.key in joined
        else at[cell.key]
        for cell in layer
    ]
    left: list[float] = []
    edge = float("-inf")
    for cell, goal in zip(layer, goals):
        left.append(max(goal, edge + cell.width / 2))
        edge = left[-1] + cell.width / 2 + _GAP
    right: list[float] = []
    edge = float("inf")
    for cell, goal in zip(reversed(layer), reversed(goals)):
        right.insert(0, min(goal, edge - cell.width / 2))
        edge = right[0] - cell.width / 2 - _GAP
    for cell, low, high in zip(layer, left, right):
        at[cell.key] = (low + high) / 2


def _cells(
    layers: Sequence[Sequence[_Cell]], at: Mapping[str, float]
) -> Iterable[tuple[_Cell, float]]:
    return ((cell, at[cell.key]) for layer in layers for cell in layer)


def _top(row: int) -> float:
    return _MARGIN + row * _LAYER


def _drawn_edge(
    path: Sequence[str],
    at: Mapping[str, float],
    rows: Mapping[str, int],
    edge: Edge,
    implied: bool,
) -> str:
    """Return the curve from one node to another, through the bends between them.

    :param implied: it leads to what another dependency of the node needs, too.
    """
    parts = [f"M {at[path[0]]:.0f} {_top(rows[path[0]]) + _HEIGHT:.0f}"]
    for upper, lower in zip(path, path[1:]):
        begin = _top(rows[upper]) + (_HEIGHT if upper == path[0] else _HEIGHT / 2)
        end = _top(rows[lower]) + (0 if lower == path[-1] else _HEIGHT / 2)
        middle = (begin + end) / 2
        parts.append(
            f"C {at[upper]:.0f} {middle:.0f} {at[lower]:.0f} {middle:.0f} {at[lower]:.0f} {end:.0f}"
        )
    names = ["build"] if edge.deptypes.isdisjoint(("link", "run")) else []
    names += ["implied"] if implied else []
    kind = f' class="{" ".join(names)}"' if names else ""
    text = ", ".join([*sorted(edge.deptypes), *(f"virtual {x}" for x in edge.virtuals)])
    return f'<path{kind} d="{" ".join(parts)}"><title>{escape(text)}</title></path>'


def _drawn_node(node: ConcreteSpec, x: float, row: int, status: Mapping[str, str]) -> str:
    fill, border = _FILLS[status.get(node.dag_hash(), "missing")]
    width = len(_label(node)) * _CHARACTER + 16
    return (
        f'<g class="node" id="{node.dag_hash(7)}"><title>{escape(node.short)}</title>'
        f'<rect x="{x - width / 2:.1f}" y="{_top(row):.0f}" width="{width:.1f}" '
        f'height="{_HEIGHT}" rx="6" fill="{fill}" stroke="{border}"/>'
        f'<text x="{x:.1f}" y="{_top(row) + 17:.0f}" text-anchor="middle">'
        f"{escape(_label(node))}</text></g>"
    )
