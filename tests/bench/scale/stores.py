"""Generated install trees: a real graph repeated with other versions and hashes.

What is recorded is real (nodes, edges, records, ``.spack`` of each prefix); prefixes hold one file.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path

from spack.spec import ConcreteSpec, Edge, Version, from_specfile, to_specfile
from spack.store import InstallRecord, Layout, Metadata
from spack.store.database import Database

__all__ = ["concretized", "fill", "repeated"]


def concretized(
    spack: list[str], environ: dict[str, str], roots: Iterable[str]
) -> list[ConcreteSpec]:
    """Return the roots as ``spack spec --json`` concretizes them."""
    nodes: dict[str, ConcreteSpec] = {}
    for root in roots:
        text = subprocess.run(
            [*spack, "spec", "--json", root], env=environ, check=True, capture_output=True
        ).stdout
        nodes.update(from_specfile(json.loads(text))[1])
    return list(nodes.values())


def repeated(roots: list[ConcreteSpec], count: int) -> Iterator[ConcreteSpec]:
    """Yield *count* nodes, dependencies first: the given graphs, then copies of other versions."""
    made = 0
    copy = 0
    while True:
        known: dict[str, ConcreteSpec] = {}
        for root in roots:
            for node in _post_order(root):
                if node.dag_hash() in known:
                    continue
                new = _copied(node, known, copy)
                known[node.dag_hash()] = new
                if new.external is not None and copy:
                    continue
                yield new
                made += 1
                if made == count:
                    return
        copy += 1


def _post_order(root: ConcreteSpec) -> list[ConcreteSpec]:
    done: dict[str, ConcreteSpec] = {}

    def visit(node: ConcreteSpec) -> None:
        if node.dag_hash() in done:
            return
        for edge in node.edges:
            visit(edge.spec)
        done[node.dag_hash()] = node

    visit(root)
    return list(done.values())


def _copied(node: ConcreteSpec, known: dict[str, ConcreteSpec], copy: int) -> ConcreteSpec:
    if node.external is not None or not copy:
        return node
    edges = [Edge(known[edge.spec.dag_hash()], edge.deptypes, edge.virtuals) for edge in node.edges]
    return node.replace(version=Version(f"{node.version}.{copy}"), edges=edges)


def fill(root: Path, nodes: Iterable[ConcreteSpec], prefixes: bool) -> int:
    """Record *nodes* as installed below *root*; with *prefixes*, make those too."""
    layout = Layout(root)
    os.makedirs(layout.database_folder, exist_ok=True)
    items = []
    for number, node in enumerate(nodes):
        prefix = layout.prefix(node)
        record = InstallRecord.of(
            node, prefix, explicit=not number % 10, installed_at=1.7e9 + number,
            transaction=f"{number:032x}",
        )  # fmt: skip
        items.append((node, record))
        if prefixes and node.external is None:
            metadata = Metadata(prefix)
            os.makedirs(metadata.folder)
            (prefix / "file").write_text(str(number))
            metadata.spec.write_text(json.dumps(to_specfile(node)))
            metadata.manifest.write_text("{}")
            metadata.record.write_text(record.to_json())
    with Database(layout.database, write=True) as database:
        database.add_all(items)
    return len(items)
