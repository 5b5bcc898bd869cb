"""Concrete specs as text: trees for ``spec``, grouped lists for ``find``."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Callable, NamedTuple

from spack.spec.deptypes import TYPES, USUAL

if TYPE_CHECKING:
    from spack.cli.render import Colors
    from spack.spec import ConcreteSpec
    from spack.store import InstallRecord

__all__ = [
    "WHEEL_NOTE",
    "Status",
    "TreeParts",
    "flags_text",
    "node_status",
    "node_text",
    "status_mark",
    "tree",
]

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


#: Styles of names by state, on a terminal.
_NAMES = {"installed": "good", "upstream": "good", "external": "architecture", "missing": "strong"}


def node_status(records: Iterable[InstallRecord]) -> Status:
    """Return what says of a node whether it is external, or in the database and where."""
    known = {record.hash: record for record in records}

    def status(node: ConcreteSpec) -> str:
        if node.external is not None:
            return "external"
        record = known.get(node.dag_hash())
        if record is None:
            return "missing"
        return "upstream" if record.upstream else "installed"

    return status


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
    style: str = "",
) -> str:
    """Return ``name@version flags=… +variant key=value platform=… os=… target=…`` of one node.

    :param style: of the name.
    """
    name = f"{spec.namespace}.{spec.name}" if namespaces else spec.name
    text = (paint(name, style) if style else name) + paint(spec.format("{@version}"), "version")
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


class TreeParts(NamedTuple):
    """What a tree shows of each node.

    :ivar marks: a mark for what is installed (``-I``), where the state is known.
    :ivar hash_length: so many characters of the hash (``-l``, ``-L``).
    :ivar types: the letters of the dependency types by which a node is reached (``-t``).
    :ivar cover: ``nodes`` shows every node once, below the first that needs it, ``edges`` below
        each node that needs it, ``paths`` always with all that is below it.
    """

    marks: bool = False
    hash_length: int | None = None
    types: bool = False
    namespaces: bool = False
    cover: str = "nodes"


_PLAIN = TreeParts()


def tree(
    roots: Sequence[ConcreteSpec],
    colors: Colors,
    parts: TreeParts = _PLAIN,
    status: Status | None = None,
) -> str:
    """Return each root with its dependencies below it, indented by their depth.

    :param status: says what is installed; names are coloured by it.
    """
    from spack.spec.wheel import wheel_of  # start-up: lists show no DAG

    lines: list[str] = []
    seen: set[str] = set()
    for root in roots:
        reached = _types_of(root, USUAL)
        for depth, node in _cover(root, USUAL, parts.cover, seen):
            words = []
            state = status(node) if status is not None else ""
            if state and parts.marks:
                words.append(status_mark(state, colors.paint))
            if parts.hash_length is not None:
                words.append(colors.paint(node.dag_hash(parts.hash_length), "hash"))
            if parts.types:
                have = reached.get(node.dag_hash(), frozenset())
                letters = "".join(row.letter if row.name in have else " " for row in TYPES)
                words.append(f"[{letters}]")
            mark = "    " * (depth - 1) + "    ^" if depth else ""
            style = _NAMES.get(state, "")
            text = node_text(node, colors.paint, namespaces=parts.namespaces, style=style)
            words.append(mark + text)
            if state and parts.marks and wheel_of(node) is not None:
                words.append(f"[{WHEEL_NOTE}]")
            lines.append("  ".join(words))
    return "\n".join(lines)


def _cover(
    root: ConcreteSpec, deptypes: tuple[str, ...], cover: str, seen: set[str]
) -> Iterable[tuple[int, ConcreteSpec]]:
    """Yield nodes in depth-first order with the depth at which each is met.

    :param seen: hashes of nodes that were shown; those that follow are added.
    """
    stack: list[tuple[int, ConcreteSpec]] = [(0, root)]
    while stack:
        depth, node = stack.pop()
        known = node.dag_hash() in seen and cover != "paths"
        if known and cover == "nodes" and depth:
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
