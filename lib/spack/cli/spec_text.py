"""Concrete specs as text: trees for ``spec``, grouped lists for ``find``."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Callable

from spack.spec.deptypes import TYPES, USUAL

if TYPE_CHECKING:
    from spack.cli.render import Colors
    from spack.spec import ConcreteSpec

__all__ = ["WHEEL_NOTE", "Status", "flags_text", "node_text", "status_mark", "tree"]

#: Said of a node that is not built.
WHEEL_NOTE = "wheel of the index"

#: What is known of a node on this machine: "installed", "external", "missing", "upstream".
Status = Callable[["ConcreteSpec"], str]

_MARKS = {
    "installed": ("[+]", "good"),
    "upstream": ("[^]", "good"),
    "external": ("[e]", "good"),
    "missing": (" - ", "dim"),
}


def status_mark(status: str, paint: Callable[[str, str], str]) -> str:
    """Return ``[+]`` installed, ``[^]`` in an upstream, ``[e]`` external, `` - `` to be built."""
    mark, style = _MARKS[status]
    return paint(mark, style)


def node_text(
    spec: ConcreteSpec,
    paint: Callable[[str, str], str],
    *,
    namespaces: bool = False,
    variants: bool = True,
    architecture: bool = True,
) -> str:
    """Return ``name@version flags=… +variant key=value platform=… os=… target=…`` of one node."""
    name = f"{spec.namespace}.{spec.name}" if namespaces else spec.name
    text = name + paint(spec.format("{@version}"), "version")
    if variants:
        flags = flags_text(spec)
        text += paint(flags, "variant") if flags else ""
        values = spec.format("{variants}")
        if values:
            joint = "" if values[0] in "+~" and not flags else " "
            text += joint + paint(values, "variant")
    if architecture:
        arch = f"platform={spec.platform} os={spec.os} target={spec.target}"
        text += " " + paint(arch, "architecture")
    return text


def flags_text(spec: ConcreteSpec) -> str:
    """Return the compiler flags of one node, each after a blank."""
    flags = spec.format("{compiler_flags}")
    return f" {flags}" if flags else ""


def tree(
    roots: Sequence[ConcreteSpec],
    colors: Colors,
    *,
    status: Status | None = None,
    hash_length: int | None = None,
    types: bool = False,
    namespaces: bool = False,
    cover: str = "nodes",
) -> str:
    """Return each root with its dependencies below it, indented by their depth.

    :param cover: ``nodes`` shows every node once, ``edges`` below each node that needs it,
        ``paths`` always with all that is below it.
    :param status: adds a mark for what is installed (``-I``).
    :param hash_length: adds the hash, this many characters of it (``-l``, ``-L``).
    :param types: adds the letters of the dependency types by which a node is reached (``-t``).
    """
    from spack.spec.wheel import wheel_of  # start-up: lists show no DAG

    lines: list[str] = []
    for root in roots:
        reached = _types_of(root, USUAL)
        for depth, node in _cover(root, USUAL, cover):
            parts = []
            if status is not None:
                parts.append(status_mark(status(node), colors.paint))
            if hash_length is not None:
                parts.append(colors.paint(node.dag_hash(hash_length), "hash"))
            if types:
                have = reached.get(node.dag_hash(), frozenset())
                letters = "".join(row.letter if row.name in have else " " for row in TYPES)
                parts.append(f"[{letters}]")
            mark = "    " * (depth - 1) + "    ^" if depth else ""
            parts.append(mark + node_text(node, colors.paint, namespaces=namespaces))
            if status is not None and wheel_of(node) is not None:
                parts.append(f"[{WHEEL_NOTE}]")
            lines.append("  ".join(parts))
    return "\n".join(lines)


def _cover(
    root: ConcreteSpec, deptypes: tuple[str, ...], cover: str
) -> Iterable[tuple[int, ConcreteSpec]]:
    """Yield nodes in depth-first order with the depth at which each is met."""
    seen = set()
    stack: list[tuple[int, ConcreteSpec]] = [(0, root)]
    while stack:
        depth, node = stack.pop()
        known = node.dag_hash() in seen and cover != "paths"
        if known and cover == "nodes":
            continue
        seen.add(node.dag_hash())
        yield depth, node
        if known:
            continue
        edges = [edge for edge in node.edges if edge.deptypes & set(deptypes)]
        edges.sort(key=lambda edge: edge.spec.name, reverse=True)
        stack.extend((depth + 1, edge.spec) for edge in edges)


def _types_of(root: ConcreteSpec, deptypes: tuple[str, ...]) -> dict[str, frozenset[str]]:
    reached: dict[str, frozenset[str]] = {}
    for node in root.traverse(deptypes=deptypes):
        for edge in node.edges:
            key = edge.spec.dag_hash()
            reached[key] = reached.get(key, frozenset()) | edge.deptypes
    return reached
