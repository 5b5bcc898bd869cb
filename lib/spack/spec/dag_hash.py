"""Hashes of concrete specs, by Spack's rule: SHA-1 of a node's plain form, in base 32.

The plain form is that of spec files of version 5 (``spec.json``, ``spack.lock``): a JSON object
whose keys are in a fixed order, written without blanks. Dependencies are in it by their hashes,
those that are only tested with too. Hashes are part of prefixes and of lock files, and Spack
computes the same ones from what is written here.

A node that was read keeps the form in which it was read (``ConcreteSpec._stored``), whatever
wrote it: its hash can be checked, and it is written again as it was.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from spack.spec.algebra import FLAG_NAMES
from spack.spec.architecture import target_data
from spack.spec.deptypes import DEPTYPES
from spack.spec.traversal import post_order

if TYPE_CHECKING:
    from spack.spec.concrete import ConcreteSpec
    from spack.spec.variant import VariantValue

__all__ = [
    "HASH_LENGTH",
    "SPECFILE_VERSION",
    "computed_hash",
    "dag_hash",
    "node_data",
    "node_hash",
]

_set = object.__setattr__

#: Characters of a full hash.
HASH_LENGTH = 32

#: The version of the plain form that is written. Older ones are read.
SPECFILE_VERSION = 5

#: Characters at the end of a spliced node's hash that are those of the node that was built.
_BUILD_SPEC_CHARACTERS = 7

#: Keys of a node in their order.
_NODE_KEYS = (
    "name",
    "version",
    "arch",
    "namespace",
    "parameters",
    "external",
    "patches",
    "package_hash",
    "dependencies",
    "build_spec",
    "annotations",
)


def node_hash(data: Mapping[str, Any]) -> str:
    """Return the hash of a node in plain form; the order of its keys counts, ``hash`` does not."""
    # start-up: commands that only read hashes from the database import none of these
    from base64 import b32encode
    from hashlib import sha1
    from json import dumps

    hashed = {key: value for key, value in data.items() if key != "hash"}
    text = dumps(hashed, separators=(",", ":"), ensure_ascii=True)
    digest = sha1(text.encode("ascii"), usedforsecurity=False).digest()
    return b32encode(digest).decode("ascii").lower()


def dag_hash(spec: ConcreteSpec) -> str:
    """Hash everything below *spec* that is not hashed yet, and *spec*."""
    digest = ""
    for node in post_order((spec,)):
        digest = node._hash or ""
        if not digest:
            digest = node_hash(node_data(node))
            _set(node, "_hash", digest)
    return digest


def computed_hash(node: ConcreteSpec) -> str:
    """Return the hash that *node* must have, by its content and its dependencies' hashes.

    Two kinds of nodes that were read cannot be checked, and their hash is returned as it is: those
    that Spack has taken over from a form before version 5, and those whose target archspec now
    describes otherwise. Spack writes these again in today's words, and keeps the hash.
    """
    stored = node._stored
    if stored is None:
        return node_hash(node_data(node))
    known = node.dag_hash()
    version = stored.get("annotations", {}).get("original_specfile_version", 0)
    if version < SPECFILE_VERSION:
        return known
    digest = _spliced(node_hash(stored), stored)
    if digest != known:
        # whatever wrote the file may have sorted its keys
        digest = _spliced(node_hash(_in_order(stored)), stored)
    target = stored["arch"]["target"]
    if digest != known and type(target) is dict and target != target_data(target["name"]):
        return known
    return digest


def _spliced(digest: str, stored: Mapping[str, Any]) -> str:
    """Return the hash of a node whose dependencies were exchanged after it was built."""
    build_spec = stored.get("build_spec")
    if build_spec is None:
        return digest
    end: str = build_spec["hash"][-_BUILD_SPEC_CHARACTERS:]
    return digest[:-_BUILD_SPEC_CHARACTERS] + end


def node_data(node: ConcreteSpec) -> Mapping[str, Any]:
    """Return the plain form of one node; the hashes of its dependencies must be known.

    Of a node that was read, this is what was read.
    """
    if node._stored is not None:
        return node._stored
    parameters: dict[str, Any] = {
        name: _variant_data(node.variants[name]) for name in sorted(node.variants)
    }
    for name in FLAG_NAMES:
        parameters[name] = [str(flag) for flag in node.flags.get(name, ())]
    data: dict[str, Any] = {
        "name": node.name,
        "version": str(node.version),
        "arch": {
            "platform": node.platform,
            "platform_os": node.os,
            "target": target_data(node.target),
        },
    }
    if node.namespace:
        data["namespace"] = node.namespace
    data["parameters"] = parameters
    if node.external_data is not None:
        data["external"] = node.external_data.to_data()
    if "patches" in node.variants:
        data["patches"] = list(node.patch_order or node.variants["patches"].values)
    if node.package_hash:
        data["package_hash"] = node.package_hash
    if node.edges:
        data["dependencies"] = _dependencies(node)
    data["annotations"] = {"original_specfile_version": SPECFILE_VERSION}
    return data


def _dependencies(node: ConcreteSpec) -> list[dict[str, Any]]:
    rows = [
        {
            "name": edge.spec.name,
            "hash": edge.spec._hash,
            "parameters": {
                "deptypes": [kind for kind in DEPTYPES if kind in edge.deptypes],
                "virtuals": list(edge.virtuals),
            },
        }
        for edge in node.edges
    ]
    rows.sort(key=_dependency_key)
    return rows


def _dependency_key(row: Mapping[str, Any]) -> tuple[str, int, str]:
    """Return name, types as Spack counts them (each a bit, build first), and hash."""
    kinds = row["parameters"]["deptypes"] if "parameters" in row else row["type"]
    bits = sum(1 << DEPTYPES.index(kind) for kind in kinds)
    return row["name"], bits, row["hash"]


def _variant_data(value: VariantValue) -> bool | str | list[str]:
    if value.kind == "bool":
        return value.value is True
    return value.values[0] if value.kind == "single" else list(value.values)


def _in_order(stored: Mapping[str, Any]) -> dict[str, Any]:
    """Return *stored* with its keys in the order of the plain form."""
    data = _picked(stored, _NODE_KEYS)
    if isinstance(data.get("arch"), dict):
        data["arch"] = _picked(data["arch"], ("platform", "platform_os", "target"))
        if isinstance(data["arch"].get("target"), dict):
            keys = ("name", "vendor", "features", "generation", "parents", "cpupart")
            data["arch"]["target"] = _picked(data["arch"]["target"], keys)
    if "parameters" in data:
        variants = sorted(set(data["parameters"]).difference(FLAG_NAMES))
        data["parameters"] = _picked(data["parameters"], (*variants, *FLAG_NAMES))
    if "external" in data:
        data["external"] = _picked(data["external"], ("path", "module"))
        attributes = stored["external"].get("extra_attributes")
        data["external"]["extra_attributes"] = _sorted(attributes)
    if isinstance(data.get("dependencies"), list):
        data["dependencies"] = [_ordered_dependency(row) for row in data["dependencies"]]
    return data


def _ordered_dependency(row: Mapping[str, Any]) -> dict[str, Any]:
    data = _picked(row, ("name", "hash", "type", "parameters"))
    if "parameters" in data:
        data["parameters"] = _picked(data["parameters"], ("deptypes", "virtuals", "direct"))
    return data


def _picked(data: Mapping[str, Any], keys: Iterable[str]) -> dict[str, Any]:
    return {key: data[key] for key in keys if key in data}


def _sorted(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _sorted(value[key]) for key in sorted(value)}
    return [_sorted(item) for item in value] if isinstance(value, list) else value
