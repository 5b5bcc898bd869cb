"""Files as real Spack writes them, made of graphs of tests."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from spack.environment.lockfile import read_lockfile
from spack.spec import DEPTYPES, ConcreteSpec, Edge, dump
from spack.spec.traversal import post_order

__all__ = ["as_spack", "spack_lock", "to_spack_lock"]

#: Spack writes hashes of recipes in base 32, with padding.
RECIPE_HASH = "z" * 52 + "===="


def as_spack(roots: Iterable[ConcreteSpec]) -> list[ConcreteSpec]:
    """Return the graphs as Spack makes them: every node has a hash of its recipe."""
    done: dict[str, ConcreteSpec] = {}
    starts = list(roots)
    for node in post_order(starts):
        edges = [Edge(done[e.spec.dag_hash()], e.deptypes, e.virtuals) for e in node.edges]
        done[node.dag_hash()] = node.replace(edges=edges, package_hash=RECIPE_HASH)
    return [done[root.dag_hash()] for root in starts]


def spack_lock(roots: Iterable[tuple[str, ConcreteSpec]]) -> dict[str, Any]:
    """Return the content of a lock file of Spack, for pairs of what was asked for and its spec."""
    pairs = list(roots)
    return {
        "_meta": {"file-type": "spack-lockfile", "lockfile-version": 6, "specfile-version": 5},
        "spack": {"version": "1.2.0.dev0", "type": "release"},
        "roots": [{"hash": spec.dag_hash(), "spec": text} for text, spec in pairs],
        "concrete_specs": dump(spec for _, spec in pairs)["nodes"],
    }


def to_spack_lock(path: Path) -> list[ConcreteSpec]:
    """Replace the lock file at *path* by what Spack would have written; return all its nodes."""
    lock = read_lockfile(path)
    assert lock is not None
    specs = as_spack(lock.specs[root.hash] for root in lock.roots)
    texts = [root.spec for root in lock.roots]
    path.write_text(json.dumps(spack_lock(zip(texts, specs))))
    return list({node.dag_hash(): node for s in specs for node in s.traverse(DEPTYPES)}.values())
