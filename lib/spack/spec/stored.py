"""The one plain form of concrete specs: lock files, prefixes, the database and build jobs.

::

    {"roots": [hash, ...],
     "nodes": {hash: {"name": ..., "namespace": ..., "version": ...,
                      "platform": ..., "os": ..., "target": ...,
                      "variants": {name: true | false | "one" | ["several"]},
                      "flags": {"cflags": [...]},                    # only if there are any
                      "external": {"path": ..., "modules": [...], "extra_attributes": {...}},
                      "package_hash": ...,
                      "edges": [{"hash": ..., "name": ..., "deptypes": [...],
                                 "virtuals": [...]}, ...]}}}
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from spack.errors import SpecError
from spack.spec.algebra import NOTHING
from spack.spec.concrete import ConcreteSpec
from spack.spec.dag_hash import computed_hash, node_data
from spack.spec.edge import Edge, External
from spack.spec.traversal import post_order
from spack.spec.variant import VariantValue
from spack.spec.version import Version

__all__ = ["dump", "load", "verify"]

#: What names in a node look like; they become parts of paths.
_NAME = r"[A-Za-z0-9_][A-Za-z0-9_.+-]*"

_set = object.__setattr__


def dump(specs: Iterable[ConcreteSpec]) -> dict[str, Any]:
    """Return the graphs below *specs* as plain data, each node once; see the module's docstring."""
    roots = list(specs)
    nodes: dict[str, Any] = {}
    for root in roots:
        root.dag_hash()
    for node in post_order(roots):
        digest = node.dag_hash()
        if digest not in nodes:
            nodes[digest] = node_data(node)
    return {"roots": [root.dag_hash() for root in roots], "nodes": nodes}


def load(data: Mapping[str, Any]) -> dict[str, ConcreteSpec]:
    """Return all nodes in what :func:`dump` gave, by hash; equal nodes are one object.

    Hashes are taken as they are. Cost: about 20 us a node.

    :raises SpecError: when a node is missing or malformed, or nodes depend on each other.
    """
    done: dict[str, ConcreteSpec] = {}
    try:
        nodes = data["nodes"]
        for start in nodes:
            stack = [start]
            open_nodes = set()
            while stack:
                digest = stack[-1]
                if digest in done:
                    stack.pop()
                    continue
                node = nodes[digest]
                missing = [edge["hash"] for edge in node["edges"] if edge["hash"] not in done]
                if not missing:
                    done[digest] = _load_node(digest, node, done)
                    stack.pop()
                    continue
                if digest in open_nodes:
                    raise SpecError(
                        f"the stored nodes depend on each other at {digest}",
                        facts={"hash": digest},
                        ref="spec-data",
                    )
                open_nodes.add(digest)
                stack.extend(missing)
    except (KeyError, TypeError, AttributeError) as error:
        raise SpecError(
            f"the stored specs are incomplete: {error!r}", ref="spec-data", causes=(error,)
        ) from error
    return done


def verify(nodes: Mapping[str, ConcreteSpec]) -> None:
    """Check that loaded *nodes* are what their hashes say, and that each name is safe in a path.

    For data from outside of an install tree, such as lock files. Cost: about 40 us a node.

    :raises SpecError: a node's content and hash differ, or a name of it is invalid.
    """
    for digest, node in nodes.items():
        names = (node.name, node.namespace or "_", node.platform, node.os, node.target)
        for name in names:
            if not re.fullmatch(_NAME, name):
                raise SpecError(
                    f"invalid name {name!r} in the stored node {node.name!r}",
                    facts={"hash": digest, "name": name},
                    ref="spec-data",
                )
        found = computed_hash(node)
        if found != digest:
            raise SpecError(
                f"the content of {node.short} is not what its hash says: it was changed",
                facts={"hash": digest, "computed": found, "package": node.name},
                ref="spec-hash",
            )


def _load_node(digest: str, node: Mapping[str, Any], done: Mapping[str, Any]) -> ConcreteSpec:
    variants: dict[str, VariantValue] = {}
    for name, value in node["variants"].items():
        if type(value) is bool:
            variants[name] = VariantValue.boolean(name, value)
        elif type(value) is str:
            variants[name] = VariantValue.single(name, value)
        else:
            variants[name] = VariantValue.multi(name, tuple(value))
    flags = node.get("flags")
    external = node.get("external")
    spec = ConcreteSpec(
        node["name"],
        node["namespace"],
        Version(node["version"]),
        variants or NOTHING,
        flags={name: tuple(values) for name, values in flags.items()} if flags else NOTHING,
        platform=node["platform"],
        os=node["os"],
        target=node["target"],
        edges=[
            Edge(done[edge["hash"]], frozenset(edge["deptypes"]), tuple(edge["virtuals"]))
            for edge in node["edges"]
        ],
        external=External(
            external["path"],
            tuple(external.get("modules", ())),
            external.get("extra_attributes", NOTHING),
        )
        if external is not None
        else None,
        package_hash=node["package_hash"],
    )
    _set(spec, "_hash", digest)
    return spec
