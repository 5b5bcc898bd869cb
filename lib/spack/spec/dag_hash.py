"""Hashes of concrete specs: sha256 of canonical JSON, as 32 characters of base 32.

The alphabet is RFC 4648's, in lower case; 32 characters keep 160 bits. Hashes are part of
prefixes and of lock files: what goes into them is fixed by :func:`dag_hash` alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from spack.spec.deptypes import DEPTYPES
from spack.spec.traversal import post_order

if TYPE_CHECKING:
    from spack.spec.concrete import ConcreteSpec
    from spack.spec.variant import VariantValue

__all__ = ["HASH_LENGTH", "computed_hash", "dag_hash", "node_data", "node_hash"]

_set = object.__setattr__

#: Characters of a full hash.
HASH_LENGTH = 32


def node_hash(data: Any) -> str:
    """Return the hash of plain *data*, whatever the order of keys."""
    # start-up: commands that only read hashes from the database import none of these
    from base64 import b32encode
    from hashlib import sha256
    from json import dumps

    text = dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    digest = sha256(text.encode("ascii")).digest()
    return b32encode(digest).decode("ascii").lower()[:HASH_LENGTH]


def dag_hash(spec: ConcreteSpec) -> str:
    """Hash everything below *spec* that is not hashed yet, and *spec*."""
    digest = ""
    for node in post_order((spec,)):
        digest = node._hash or ""
        if not digest:
            digest = computed_hash(node)
            _set(node, "_hash", digest)
    return digest


def computed_hash(node: ConcreteSpec) -> str:
    """Return the hash that *node* must have, by its content and its dependencies' hashes."""
    data = node_data(node)
    data["edges"] = [edge for edge in data["edges"] if edge["deptypes"] != ["test"]]
    data["edges"].sort(key=lambda edge: (edge["name"], edge["hash"], edge["deptypes"]))
    for edge in data["edges"]:
        edge["deptypes"] = [kind for kind in edge["deptypes"] if kind != "test"]
    return node_hash(data)


def _variant_data(value: VariantValue) -> bool | str | list[str]:
    if value.kind == "bool":
        return value.value is True
    return value.values[0] if value.kind == "single" else list(value.values)


def node_data(node: ConcreteSpec) -> dict[str, Any]:
    """Return the plain form of one node; the hashes of its dependencies must be known."""
    data: dict[str, Any] = {
        "name": node.name,
        "namespace": node.namespace,
        "version": str(node.version),
        "platform": node.platform,
        "os": node.os,
        "target": node.target,
        "variants": {name: _variant_data(node.variants[name]) for name in sorted(node.variants)},
        "package_hash": node.package_hash,
        "edges": [
            {
                "hash": edge.spec._hash,
                "name": edge.spec.name,
                "deptypes": [kind for kind in DEPTYPES if kind in edge.deptypes],
                "virtuals": list(edge.virtuals),
            }
            for edge in node.edges
        ],
    }
    if node.flags:
        data["flags"] = {
            name: [str(flag) for flag in node.flags[name]] for name in sorted(node.flags)
        }
    if node.external_data is not None:
        data["external"] = node.external_data.to_data()
    return data
