"""Concrete specs from plain nodes: of spec files of version 5, and of versions 1 to 4.

What older versions have otherwise: dependencies as an object by name (1), without virtuals (1 to
3), the compiler as an attribute (1 to 4). The oldest are read from databases only.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from spack.errors import SpecError
from spack.spec.algebra import FLAG_NAMES, NOTHING
from spack.spec.concrete import ConcreteSpec
from spack.spec.edge import Edge, External
from spack.spec.variant import VariantValue
from spack.spec.version import Version

__all__ = ["StoredEdge", "current_form", "is_current", "read_node", "stored_edges"]

_set = object.__setattr__


class StoredEdge(NamedTuple):
    """A dependency in a plain node."""

    name: str
    hash: str
    deptypes: Iterable[str]
    virtuals: tuple[str, ...] = ()


def stored_edges(node: Mapping[str, Any]) -> list[StoredEdge]:
    """Return the dependencies of a plain *node*.

    :raises KeyError: it is malformed; so do :exc:`TypeError` and :exc:`AttributeError`.
    """
    rows = node.get("dependencies")
    if not rows:
        return []
    if isinstance(rows, Mapping):  # version 1
        rows = [{"name": name, **row} for name, row in rows.items()]
    edges = []
    for row in rows:
        parameters = row.get("parameters")
        if parameters is None:
            edges.append(StoredEdge(row["name"], row["hash"], row["type"]))
        else:
            types, virtuals = parameters["deptypes"], tuple(parameters["virtuals"])
            edges.append(StoredEdge(row["name"], row["hash"], types, virtuals))
    return edges


def read_node(
    digest: str,
    stored: Mapping[str, Any],
    edges: Iterable[StoredEdge],
    nodes: Mapping[str, ConcreteSpec],
) -> ConcreteSpec:
    """Return the node *stored*, whose hash is taken as it is.

    :param edges: its dependencies, as :func:`stored_edges` gives them.
    :param nodes: by hash: those that it depends on.
    :raises SpecError: a dependency has another name than the node with its hash.
    :raises KeyError: it is malformed; so do :exc:`TypeError` and :exc:`AttributeError`.
    """
    arch = stored["arch"]
    target = arch["target"]
    variants, flags = _parameters(stored)
    spec = ConcreteSpec(
        stored["name"],
        stored.get("namespace"),
        _version(stored),
        variants or NOTHING,
        flags or NOTHING,
        platform=arch["platform"],
        os=arch["platform_os"],
        target=target if type(target) is str else target["name"],
        edges=[_edge(edge, nodes[edge[1]]) for edge in edges],
        external=_external(stored.get("external")),
        package_hash=stored.get("package_hash"),
        patch_order=tuple(stored.get("patches", ())),
    )
    _set(spec, "_hash", digest)
    _set(spec, "_stored", stored)
    return spec


def current_form(stored: Mapping[str, Any], digest: str) -> dict[str, Any]:
    """Return the form of version 5 of a plain node, with its hash, as Spack itself writes it."""
    data = {key: stored[key] for key in stored if key not in ("compiler", "hash", "annotations")}
    edges = stored_edges(stored)
    if edges:
        data["dependencies"] = [
            {
                "name": edge.name,
                "hash": edge.hash,
                "parameters": {"deptypes": list(edge.deptypes), "virtuals": list(edge.virtuals)},
            }
            for edge in edges
        ]
    annotations = dict(stored.get("annotations", ()))
    if not annotations:
        version = 3 if any("type" in row for row in _rows(stored)) else 4
        annotations = {"original_specfile_version": version, "compiler": _compiler(stored)}
    return {**data, "annotations": annotations, "hash": digest}


def is_current(stored: Mapping[str, Any]) -> bool:
    """Return whether a plain node is of version 5."""
    return "annotations" in stored


def _rows(stored: Mapping[str, Any]) -> Iterable[Mapping[str, Any]]:
    rows = stored.get("dependencies", ())
    return rows.values() if isinstance(rows, Mapping) else rows


def _compiler(stored: Mapping[str, Any]) -> str:
    compiler = stored.get("compiler")
    return f"{compiler['name']}@={compiler['version']}" if compiler else "None"


def _edge(edge: StoredEdge, node: ConcreteSpec) -> Edge:
    name, digest, deptypes, virtuals = edge
    if node.name != name:
        raise SpecError(
            f"the stored dependency {name} has the hash of {node.short}",
            facts={"hash": digest},
            ref="spec-data",
        )
    return Edge(node, frozenset(deptypes), virtuals)


def _parameters(
    stored: Mapping[str, Any],
) -> tuple[dict[str, VariantValue], dict[str, tuple[str, ...]]]:
    variants: dict[str, VariantValue] = {}
    flags: dict[str, tuple[str, ...]] = {}
    for name, value in stored.get("parameters", NOTHING).items():
        if name in FLAG_NAMES:
            if value:
                flags[name] = tuple(value)
        elif type(value) is bool:
            variants[name] = VariantValue.boolean(name, value)
        elif type(value) is list:
            variants[name] = VariantValue.multi(name, tuple(value))
        else:
            variants[name] = VariantValue.single(name, str(value))
    return variants, flags


def _version(stored: Mapping[str, Any]) -> Version:
    if "version" in stored:
        return Version(stored["version"])
    (version,) = stored["versions"]
    return Version(version.lstrip("="))


def _external(data: Mapping[str, Any] | None) -> External | None:
    if not data:
        return None
    modules = data.get("module") or ()
    return External(data["path"], tuple(modules), data.get("extra_attributes") or NOTHING)
