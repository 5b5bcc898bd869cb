"""Graphs of packages as text: drawn with characters, for Graphviz, and for Mermaid.

In the drawing each column is a lane: an edge on its way to a node that comes further down::

    o  cake@1.0/abcdefg
    +-.
    | o  oven@3/abcdefg
    o  fruit@1.4/abcdefg

``+`` is where edges leave or join a lane, ``.`` begins a lane, ``'`` ends one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from spack.cli.render import Colors
from spack.spec import ConcreteSpec
from spack.spec.edge import Edge

__all__ = ["ascii_graph", "dot", "mermaid", "static_dot"]

#: Colours of edges by dependency type: that of the first type that an edge has.
_COLORS = {"link": "crimson", "run": "goldenrod", "build": "dodgerblue", "test": "gray"}

_HEADER = """\
digraph G {
  rankdir = "TB"
  node [shape=box, style="rounded,filled", fillcolor="lightblue", fontname="monospace"]
"""


def ascii_graph(root: ConcreteSpec, types: Sequence[str], colors: Colors) -> str:
    """Return the drawing of what is below *root*, dependents above what they need."""
    lanes: list[str | None] = [root.dag_hash()]
    lines: list[str] = []
    for node in _dependents_first([root], types):
        here = lanes.index(node.dag_hash())
        cells = ["o" if i == here else "|" if x else " " for i, x in enumerate(lanes)]
        version = colors.paint(f"@{node.version}", "version")
        digest = colors.paint(f"/{node.dag_hash(7)}", "hash")
        lines.append(f"{' '.join(cells).rstrip()}  {node.name}{version}{digest}")
        line = _continue(lanes, here, [edge.spec.dag_hash() for edge in _edges(node, types)])
        if line:
            lines.append(line)
    return "\n".join(lines)


def _continue(lanes: list[str | None], here: int, below: Sequence[str]) -> str:
    """Change *lanes* to those below a node; return the line that connects them, if any does."""
    marks = {lanes.index(x): "+" for x in below if x in lanes}
    fresh = [x for x in below if x not in lanes]
    lanes[here] = fresh[0] if fresh else None
    for digest in fresh[1:]:
        column = lanes.index(None, here) if None in lanes[here:] else len(lanes)
        lanes[column : column + 1] = [digest]
        marks[column] = "."
    if not marks:
        return ""
    marks[here] = "+" if fresh else "'"
    first, last = min(marks), max(marks)
    cells = []
    for column, lane in enumerate(lanes):
        inside = first <= column < last
        cell = marks.get(column) or ("|" if lane else "-" if inside else " ")
        cells.append(cell + ("-" if inside else " "))
    while lanes and lanes[-1] is None:
        lanes.pop()
    return "".join(cells).rstrip()


def dot(roots: Iterable[ConcreteSpec], types: Sequence[str], *, color: bool = False) -> str:
    """Return the graph for Graphviz.

    :param color: show dependency types as colours, and the virtuals of edges.
    """
    nodes = _dependents_first(roots, types)
    lines = [_HEADER]
    for node in nodes:
        lines.append(f'  "{node.dag_hash()}" [label="{_label(node)}"]')
    for node in nodes:
        for edge in _edges(node, types):
            notes = _edge_notes(edge) if color else ""
            lines.append(f'  "{node.dag_hash()}" -> "{edge.spec.dag_hash()}"{notes}')
    return "\n".join([*lines, "}"])


def _edge_notes(edge: Edge) -> str:
    notes = [f'color="{_COLORS[kind]}"' for kind in _COLORS if kind in edge.deptypes][:1]
    if edge.virtuals:
        notes.append(f'xlabel="virtuals={",".join(edge.virtuals)}"')
    return f" [{', '.join(notes)}]" if notes else ""


def static_dot(edges: Mapping[str, Iterable[str]]) -> str:
    """Return possible dependencies, by name, for Graphviz."""
    lines = [_HEADER]
    lines += [f'  "{name}" [label="{name}"]' for name in sorted(edges)]
    lines += [f'  "{name}" -> "{x}"' for name in sorted(edges) for x in sorted(edges[name])]
    return "\n".join([*lines, "}"])


def mermaid(roots: Iterable[ConcreteSpec], types: Sequence[str]) -> str:
    """Return the graph for Mermaid: solid arrows run or link, dotted ones only build or test."""
    nodes = _dependents_first(roots, types)
    lines = ["flowchart TD"]
    lines += [f'    {node.dag_hash(7)}["{_label(node)}"]' for node in nodes]
    for node in nodes:
        for edge in _edges(node, types):
            arrow = "-.->" if edge.deptypes.isdisjoint(("link", "run")) else "-->"
            label = f"|{', '.join(edge.virtuals)}|" if edge.virtuals else ""
            lines.append(f"    {node.dag_hash(7)} {arrow}{label} {edge.spec.dag_hash(7)}")
    return "\n".join(lines)


def _label(node: ConcreteSpec) -> str:
    return f"{node.name}@{node.version}/{node.dag_hash(7)}"


def _edges(node: ConcreteSpec, types: Sequence[str]) -> list[Edge]:
    return [edge for edge in node.edges if not edge.deptypes.isdisjoint(types)]


def _dependents_first(roots: Iterable[ConcreteSpec], types: Sequence[str]) -> list[ConcreteSpec]:
    """Return each node once, before everything that it depends on."""
    order: dict[str, ConcreteSpec] = {}
    for root in roots:
        for node in root.traverse(deptypes=tuple(types), order="post"):
            order.setdefault(node.dag_hash(), node)
    return list(order.values())[::-1]
