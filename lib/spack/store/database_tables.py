"""The tables of the database, and records as their rows."""

from __future__ import annotations

import json
from typing import Any

from spack.store.record import InstallRecord
from spack.util.json_input import parse_json

__all__ = ["COLUMNS", "LATER_INDEXES", "SCHEMA_VERSION", "TABLES", "record_of", "row_of"]

#: Raised when a table changes. An older file is rebuilt from the prefixes.
SCHEMA_VERSION = 2

#: Made in files of earlier versions too, by the first process that writes.
LATER_INDEXES = """
CREATE INDEX IF NOT EXISTS nodes_installed ON nodes (installed, target);
"""

TABLES = f"""
CREATE TABLE nodes (
    hash TEXT PRIMARY KEY, name TEXT NOT NULL, namespace TEXT NOT NULL, version TEXT NOT NULL,
    platform TEXT NOT NULL, os TEXT NOT NULL, target TEXT NOT NULL,
    prefix TEXT NOT NULL, explicit INTEGER NOT NULL, installed INTEGER NOT NULL,
    external INTEGER NOT NULL, installed_at REAL NOT NULL, "transaction" TEXT NOT NULL,
    run_environment TEXT, facts TEXT
) WITHOUT ROWID;
CREATE INDEX nodes_name ON nodes (name);
CREATE TABLE documents (hash TEXT PRIMARY KEY, node TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE edges (
    parent TEXT NOT NULL, child TEXT NOT NULL, deptypes TEXT NOT NULL,
    PRIMARY KEY (parent, child)
) WITHOUT ROWID;
CREATE INDEX edges_child ON edges (child);
{LATER_INDEXES}"""

COLUMNS = (
    "hash, name, namespace, version, platform, os, target, prefix, explicit, installed, external,"
    ' installed_at, "transaction", run_environment, facts'
)


def record_of(row: tuple[Any, ...], upstream: str) -> InstallRecord:
    """Return the record in a row of the columns :data:`COLUMNS`, of the tree *upstream*."""
    spec_hash, name, namespace, version, platform, os_name, target, prefix = row[:8]
    return InstallRecord(
        hash=spec_hash,
        name=name,
        namespace=namespace,
        version=version,
        platform=platform,
        os=os_name,
        target=target,
        prefix=prefix,
        explicit=bool(row[8]),
        installed=bool(row[9]),
        external=bool(row[10]),
        installed_at=row[11],
        transaction=row[12],
        run_environment=parse_json(row[13]) if row[13] else None,
        facts=parse_json(row[14]) if row[14] else {},
        upstream=upstream,
    )


def row_of(record: InstallRecord) -> tuple[Any, ...]:
    """Return the row of a record, as :func:`record_of` reads it."""
    return (
        record.hash,
        record.name,
        record.namespace,
        record.version,
        record.platform,
        record.os,
        record.target,
        record.prefix,
        record.explicit,
        record.installed,
        record.external,
        record.installed_at,
        record.transaction,
        None if record.run_environment is None else json.dumps(record.run_environment),
        json.dumps(dict(record.facts)) if record.facts else None,
    )
