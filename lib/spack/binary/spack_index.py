"""The index of packages that Spack reads: its database's form, version 8, in one blob.

``{"database": {"version": "8", "installs": {hash: {"spec": node, "ref_count": number,
"in_buildcache": true | false}}}}``; nodes that packages depend on are in it, too.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable
from typing import Any

from spack.binary.cache_manifest import SPACK_INDEX, Blob, refused
from spack.errors import SpackError
from spack.spec import ConcreteSpec, dump, load
from spack.spec.stored import verify

__all__ = ["decode_spack_index", "encode_spack_index"]

VERSION = "8"

#: Versions that are read.
_READ = ("6", "7", VERSION)


def encode_spack_index(specs: Iterable[ConcreteSpec]) -> tuple[Blob, bytes]:
    """Return the row and the content of an index with *specs*."""
    packages = sorted(specs, key=lambda spec: spec.dag_hash())
    nodes = dump(packages)["nodes"]
    there = {spec.dag_hash() for spec in packages}
    counts = Counter(
        edge["hash"] for node in nodes.values() for edge in node.get("dependencies", ())
    )
    installs = {
        key: {"spec": nodes[key], "ref_count": counts[key], "in_buildcache": key in there}
        for key in sorted(nodes)
    }
    data = {"database": {"version": VERSION, "installs": installs}}
    content = json.dumps(data, separators=(",", ":")).encode()
    digest = hashlib.sha256(content).hexdigest()
    return Blob(len(content), SPACK_INDEX, "none", digest), content


def decode_spack_index(content: bytes, blob: Blob, origin: str) -> list[ConcreteSpec]:
    """Return the packages of an index; every node is checked by its hash.

    :raises BinaryCacheError: it is damaged, of another version, or not what its manifest says.
    """
    if hashlib.sha256(content).hexdigest() != blob.digest:
        raise refused(origin, "its blob does not have the digest of its manifest")
    try:
        data: Any = json.loads(content)["database"]
        if str(data["version"]) not in _READ:
            raise ValueError(f"it has the version {data['version']!r}, not {VERSION}")
        installs = data["installs"]
        nodes = load({"nodes": {key: row["spec"] for key, row in installs.items()}})
        found = {key: nodes[key] for key, row in installs.items() if row.get("in_buildcache")}
        verify({x.dag_hash(): x for spec in found.values() for x in spec.traverse()})
        return list(found.values())
    except (
        SpackError, ValueError, KeyError, TypeError, AttributeError, RecursionError
    ) as error:  # fmt: skip
        raise refused(origin, f"it cannot be read: {error}") from error
