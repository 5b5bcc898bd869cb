"""Rows of nodes as they are written to the database."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from spack.spec.dag_hash import node_data
from spack.spec.stored import written
from spack.store.database_tables import COLUMNS, row_of
from spack.store.record import InstallRecord

if TYPE_CHECKING:
    import sqlite3

    from spack.spec import ConcreteSpec

__all__ = ["forget_unneeded", "insert_nodes"]


def insert_nodes(
    connection: sqlite3.Connection, items: Iterable[tuple[ConcreteSpec, InstallRecord]]
) -> None:
    """Write records, and each node that they depend on once."""
    known: set[str] = set()
    for spec, record in items:
        nodes = _unknown_nodes(connection, spec, known)
        connection.executemany(
            "INSERT OR IGNORE INTO documents VALUES (?, ?)", map(_document, nodes)
        )
        connection.executemany(
            "INSERT OR REPLACE INTO edges VALUES (?, ?, ?)",
            [row for node in nodes for row in _edges(node)],
        )
        connection.executemany(
            f"INSERT OR IGNORE INTO nodes ({COLUMNS}) VALUES ({_MARKS})",
            [row_of(_known_only(node)) for node in nodes if node is not spec],
        )
        connection.execute(
            f"INSERT INTO nodes ({COLUMNS}) VALUES ({_MARKS}) ON CONFLICT (hash) DO UPDATE SET "
            "prefix = excluded.prefix, installed = excluded.installed, "
            "external = excluded.external, explicit = max(explicit, excluded.explicit), "
            'installed_at = excluded.installed_at, "transaction" = excluded."transaction", '
            "run_environment = excluded.run_environment, facts = excluded.facts",
            row_of(record),
        )


_MARKS = ", ".join("?" * 15)


def _unknown_nodes(
    connection: sqlite3.Connection, spec: ConcreteSpec, known: set[str]
) -> list[ConcreteSpec]:
    """Return the nodes below *spec*, itself included, that are not known; add them to *known*.

    With a node all that it depends on is known. Cost: that of what is new.
    """
    spec.dag_hash()
    found, waiting = [], [spec]
    while waiting:
        node = waiting.pop()
        digest = node.dag_hash()
        if digest in known:
            continue
        known.add(digest)
        query = "SELECT 1 FROM documents WHERE hash = ?"
        if connection.execute(query, (digest,)).fetchone() is None:
            found.append(node)
            waiting.extend(edge.spec for edge in node.edges)
    return found


def _document(node: ConcreteSpec) -> tuple[str, str]:
    digest = node.dag_hash()
    return digest, json.dumps(written(digest, node_data(node)), separators=(",", ":"))


def _edges(node: ConcreteSpec) -> list[tuple[str, str, str]]:
    deptypes: dict[str, set[str]] = {}
    for edge in node.edges:
        deptypes.setdefault(edge.spec.dag_hash(), set()).update(edge.deptypes)
    return [(node.dag_hash(), key, ",".join(sorted(types))) for key, types in deptypes.items()]


def _known_only(node: ConcreteSpec) -> InstallRecord:
    prefix = Path(node.external.path or "/") if node.external else Path()
    return InstallRecord.of(node, prefix, installed=False)


def forget_unneeded(connection: sqlite3.Connection, removed: Iterable[str]) -> None:
    """Drop those of *removed*, and of what they depend on, to which no installed node leads.

    A node that is known is installed, or a known one depends on it: so it can go when none does.
    Cost: that of the nodes that go.
    """
    waiting = list(removed)
    while waiting:
        digest = waiting.pop()
        needed = connection.execute(
            "SELECT 1 FROM nodes WHERE hash = ? AND installed = 1 "
            "UNION ALL SELECT 1 FROM edges WHERE child = ? LIMIT 1",
            (digest, digest),
        ).fetchone()
        if needed:
            continue
        below = connection.execute("SELECT child FROM edges WHERE parent = ?", (digest,))
        waiting += [row[0] for row in below.fetchall()]
        for table, column in (("edges", "parent"), ("documents", "hash"), ("nodes", "hash")):
            connection.execute(f"DELETE FROM {table} WHERE {column} = ?", (digest,))
