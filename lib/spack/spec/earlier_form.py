"""Nodes as this tool stored them before it took Spack's form: read, checked, and hashed again.

::

    {"roots": [hash, ...],
     "nodes": {hash: {"name": ..., "namespace": ..., "version": ...,
                      "platform": ..., "os": ..., "target": ...,
                      "variants": {name: true | false | "one" | ["several"]},
                      "flags": {"cflags": [...]},
                      "external": {"path": ..., "modules": [...], "extra_attributes": {...}},
                      "package_hash": ...,
                      "edges": [{"hash": ..., "name": ..., "deptypes": [...],
                                 "virtuals": [...]}, ...]}}}
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from spack.spec.dag_hash import HASH_LENGTH

__all__ = ["earlier_hash", "is_earlier", "taken_over"]


def is_earlier(node: Mapping[str, Any]) -> bool:
    """Return whether a plain node is of the earlier form."""
    return "edges" in node


def taken_over(node: Mapping[str, Any]) -> dict[str, Any]:
    """Return the keys of Spack's form for a plain *node* of the earlier one, without ``hash``.

    :raises KeyError: it is malformed; so do :exc:`TypeError` and :exc:`AttributeError`.
    """
    external = node.get("external")
    data = {
        "name": node["name"],
        "version": node["version"],
        "namespace": node["namespace"],
        "arch": {
            "platform": node["platform"],
            "platform_os": node["os"],
            "target": node["target"],
        },
        "parameters": {**node["variants"], **node.get("flags", {})},
        "package_hash": node["package_hash"],
        "dependencies": [
            {
                "name": edge["name"],
                "hash": edge["hash"],
                "parameters": {"deptypes": edge["deptypes"], "virtuals": edge["virtuals"]},
            }
            for edge in node["edges"]
        ],
    }
    if external is not None:
        data["external"] = {**external, "module": external.get("modules")}
    return data


def earlier_hash(node: Mapping[str, Any]) -> str:
    """Return the hash that a plain node had in the earlier form."""
    from base64 import b32encode
    from hashlib import sha256
    from json import dumps

    edges = [dict(edge) for edge in node["edges"] if edge["deptypes"] != ["test"]]
    edges.sort(key=lambda edge: (edge["name"], edge["hash"], edge["deptypes"]))
    for edge in edges:
        edge["deptypes"] = [kind for kind in edge["deptypes"] if kind != "test"]
    text = dumps({**node, "edges": edges}, sort_keys=True, separators=(",", ":"))
    return b32encode(sha256(text.encode("ascii")).digest()).decode().lower()[:HASH_LENGTH]
