"""What is installed: an SQLite file beside the prefixes.

Nodes, not DAGs, are stored: each node once, with edges by hash. A node stays known while an
installed one depends on it, so that DAGs can always be loaded whole, but it need not itself be
installed (a build dependency that ``gc`` removed). Listing reads one table and builds no DAG:
100 records take about half a millisecond.

The database is a cache of the prefixes' own metadata: ``spack reindex`` rebuilds it.

Every method raises :class:`StoreError` when the file is damaged, locked for too long, or cannot
be written, each with a hint. A :class:`Database` may be used from several threads.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, NamedTuple

from spack.errors import SpecError
from spack.spec.version import Version
from spack.spec.version_list import VersionList, any_version
from spack.store.database_file import PATIENCE, DatabaseFile, corrupt
from spack.store.database_tables import COLUMNS, record_of
from spack.util.json_input import parse_json

if TYPE_CHECKING:
    import sqlite3
    from pathlib import Path

    from spack.spec import ConcreteSpec, Spec
    from spack.store.record import InstallRecord

__all__ = ["Database", "DependencyLink", "Instance"]

#: All nodes that the given ones lead to, themselves included; takes the start as JSON array.
_CLOSURE = """
WITH RECURSIVE reached(hash) AS (
    SELECT value FROM json_each(?)
    UNION SELECT edges.child FROM edges JOIN reached ON edges.parent = reached.hash
)
"""


#: Each name once, without reading the entries of one name.
_EACH_NAME = """
WITH RECURSIVE each(name) AS (
    SELECT min(name) FROM nodes
    UNION ALL SELECT (SELECT min(name) FROM nodes WHERE name > each.name) FROM each
    WHERE each.name IS NOT NULL
)
SELECT name FROM each WHERE name IS NOT NULL
"""


class DependencyLink(NamedTuple):
    """One edge between two known nodes."""

    parent: str
    child: str
    deptypes: frozenset[str]


class Instance(NamedTuple):
    """An installed node, as much as it takes to choose among many of one package."""

    hash: str
    version: str
    platform: str
    os: str
    installed_at: float


class Database(DatabaseFile):
    """An open database; see :class:`DatabaseFile` for its parameters."""

    def __init__(
        self,
        path: Path,
        *,
        write: bool = False,
        locks: bool = True,
        patience: float = PATIENCE,
    ) -> None:
        super().__init__(path, write=write, locks=locks, patience=patience)
        #: Root of the install tree, as records name it; "" for the tool's own.
        self.upstream = ""
        #: Where the tree was when its records were written, if it was moved.
        self.earlier_root: str | None = None
        self._specs: dict[str, ConcreteSpec] = {}

    # -- reading -----------------------------------------------------------------------------

    def records(
        self,
        *,
        name: str | None = None,
        hash_prefix: str | None = None,
        explicit: bool | None = None,
        external: bool | None = None,
        installed: bool | None = True,
    ) -> list[InstallRecord]:
        """Return the records for which all of the given hold, by name, version text and hash."""
        conditions: list[str] = []
        values: list[Any] = []
        for column, value in (
            ("name", name),
            ("explicit", explicit),
            ("external", external),
            ("installed", installed),
        ):
            if value is not None:
                # "+": no index is used for it, as nearly all nodes are installed.
                conditions.append(f"+{column} = ?" if column == "installed" else f"{column} = ?")
                values.append(value)
        if hash_prefix:
            # Base32 hashes are lower-case letters and digits: '~' sorts behind them all.
            conditions.append("hash >= ? AND hash < ?")
            values += [hash_prefix, hash_prefix + "~"]
        where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
        query = f"SELECT {COLUMNS} FROM nodes{where} ORDER BY name, version, hash"
        return [self._record(row) for row in self._rows(query, values)]

    def record(self, spec_hash: str, installed: bool | None = True) -> InstallRecord | None:
        """Return the record of one node by its full hash, or None."""
        rows = self._rows(f"SELECT {COLUMNS} FROM nodes WHERE hash = ?", [spec_hash])
        records = [self._record(row) for row in rows]
        if not records or (installed is not None and records[0].installed != installed):
            return None
        return records[0]

    def records_of(
        self, hashes: Iterable[str], installed: bool | None = True
    ) -> list[InstallRecord]:
        """Return the records of those of *hashes* that are known, by name, version and hash."""
        where = "hash IN (SELECT value FROM json_each(?))"
        if installed is not None:
            where += f" AND +installed = {int(installed)}"
        query = f"SELECT {COLUMNS} FROM nodes WHERE {where} ORDER BY name, version, hash"
        return [self._record(row) for row in self._rows(query, [json.dumps(sorted(set(hashes)))])]

    def query(
        self,
        spec: Spec,
        *,
        explicit: bool | None = None,
        external: bool | None = None,
        installed: bool | None = True,
    ) -> list[InstallRecord]:
        """Return the records whose nodes satisfy *spec*, in the order of :meth:`records`.

        The DAGs of candidates are loaded only if name, hash and version do not decide.
        """
        candidates = self.records(
            name=spec.name or None,
            hash_prefix=spec.hash_prefix or None,
            explicit=explicit,
            external=external,
            installed=installed,
        )
        if candidates and not spec.versions.is_any:
            candidates = _of_versions(candidates, spec.versions)
            spec = spec.replace(versions=any_version)
        if not candidates or str(spec) in (spec.name, f"/{spec.hash_prefix}"):
            return candidates
        specs = self.specs(record.hash for record in candidates)
        return [record for record in candidates if specs[record.hash].satisfies(spec)]

    def specs(self, hashes: Iterable[str] | None = None) -> dict[str, ConcreteSpec]:
        """Return the nodes with these hashes, with their DAGs; all installed ones by default.

        Nodes are made once and shared. Unknown hashes are left out.
        """
        with self._guard:
            if hashes is None:
                rows = self._rows("SELECT hash FROM nodes WHERE installed = 1", [])
                hashes = [row[0] for row in rows]
            wanted = list(hashes)
            missing = [item for item in wanted if item not in self._specs]
            if missing:
                self._specs.update(self._load(missing))
            return {item: self._specs[item] for item in wanted if item in self._specs}

    def _load(self, hashes: list[str]) -> dict[str, ConcreteSpec]:
        query = _CLOSURE + "SELECT hash, node FROM documents NATURAL JOIN reached"
        rows = self._rows(query, [json.dumps(hashes)])
        known = {row[0] for row in rows}
        # One parse of the whole is faster than one a node.
        nodes = ",".join(f'"{row[0]}":{row[1]}' for row in rows)
        roots = json.dumps([item for item in hashes if item in known])
        from spack.spec.stored import load  # start-up: lists of what is installed load no DAG

        try:
            return load(parse_json(f'{{"roots":{roots},"nodes":{{{nodes}}}}}'))
        except (ValueError, SpecError) as error:
            raise corrupt(self.path, error) from error

    def instances(self, name: str) -> list[Instance]:
        """Return the installed nodes of package *name*, by hash."""
        query = (
            "SELECT hash, version, platform, os, installed_at FROM nodes "
            "WHERE name = ? AND +installed = 1 ORDER BY hash"
        )
        return [Instance(*row) for row in self._rows(query, [name])]

    def installed_hashes(self) -> frozenset[str]:
        """Return the hashes of all installed nodes, externals included."""
        return frozenset(
            row[0] for row in self._rows("SELECT hash FROM nodes WHERE installed = 1", [])
        )

    def known_names(self) -> frozenset[str]:
        """Return the names of all known nodes. Cost: a look into the index for each name."""
        return frozenset(row[0] for row in self._rows(_EACH_NAME, []))

    def installed_targets(self) -> frozenset[str]:
        """Return the targets of all installed nodes."""
        query = "SELECT DISTINCT target FROM nodes WHERE installed = 1"
        return frozenset(row[0] for row in self._rows(query, []))

    def links(self) -> list[DependencyLink]:
        """Return all edges between known nodes."""
        rows = self._rows("SELECT parent, child, deptypes FROM edges", [])
        return [DependencyLink(row[0], row[1], frozenset(row[2].split(","))) for row in rows]

    def links_of(self, hashes: Iterable[str], *, above: bool) -> list[DependencyLink]:
        """Return the edges from *hashes*, or (*above*) those that lead to them."""
        column = "child" if above else "parent"
        query = (
            "SELECT parent, child, deptypes FROM edges "
            f"WHERE {column} IN (SELECT value FROM json_each(?))"
        )
        rows = self._rows(query, [json.dumps(sorted(set(hashes)))])
        return [DependencyLink(row[0], row[1], frozenset(row[2].split(","))) for row in rows]

    # -- writing -----------------------------------------------------------------------------

    def add(self, spec: ConcreteSpec, record: InstallRecord) -> None:
        """Record *spec* as installed, and make all it depends on known, in one commit.

        A record of the same hash is replaced, but what was explicit stays so.
        """
        self.add_all([(spec, record)])

    def add_all(self, items: Iterable[tuple[ConcreteSpec, InstallRecord]]) -> None:
        """Add several records in one commit, as :meth:`add` does."""
        from spack.store.database_rows import insert_nodes  # start-up: only writers need it

        with self._transaction() as connection:
            insert_nodes(connection, items)

    def mark_explicit(self, hashes: Iterable[str], explicit: bool = True) -> None:
        """Record whether installed nodes are explicit. The prefix is not touched."""
        with self._transaction() as connection:
            connection.executemany(
                "UPDATE nodes SET explicit = ? WHERE hash = ?",
                [(explicit, spec_hash) for spec_hash in hashes],
            )

    def remove(self, hashes: Iterable[str]) -> None:
        """Record that these are no longer installed; forget nodes that nothing needs to know."""
        from spack.store.database_rows import forget_unneeded  # start-up: see add_all

        removed = list(hashes)
        with self._transaction() as connection:
            connection.executemany(
                "UPDATE nodes SET installed = 0, explicit = 0, installed_at = 0, "
                "\"transaction\" = '', run_environment = NULL, facts = NULL WHERE hash = ?",
                [(spec_hash,) for spec_hash in removed],
            )
            forget_unneeded(connection, removed)

    def replace_all(self, items: Iterable[tuple[ConcreteSpec, InstallRecord]]) -> None:
        """Forget everything and record *items* instead, in one commit."""
        from spack.store.database_rows import insert_nodes  # start-up: see add_all

        with self._transaction() as connection:
            for table in ("nodes", "documents", "edges"):
                connection.execute(f"DELETE FROM {table}")
            self._specs.clear()
            insert_nodes(connection, items)

    def follow_move(self) -> None:
        """Record prefixes below the tree's present root instead of :attr:`earlier_root`."""
        with self._transaction() as connection:
            old, new = self.earlier_root, self._root
            if old is None:
                return
            query = f"SELECT {COLUMNS} FROM nodes WHERE external = 0"
            for row in connection.execute(query).fetchall():
                record = self._record(row)
                run_environment = json.dumps(record.run_environment)
                connection.execute(
                    "UPDATE nodes SET prefix = ?, run_environment = ? WHERE hash = ?",
                    (
                        record.prefix,
                        run_environment.replace(f"{old}/", f"{new}/") if row[13] else None,
                        record.hash,
                    ),
                )
        self.earlier_root = None

    def check(self) -> None:
        """Read the whole file. :raises StoreError: if it is damaged."""
        for row in self._rows("PRAGMA quick_check(1)", []):
            if row[0] != "ok":
                raise corrupt(self.path, ValueError(row[0]))

    # -- moves -------------------------------------------------------------------------------

    def _opened(self, connection: sqlite3.Connection) -> None:
        self._find_move(connection)

    def _record(self, row: tuple[Any, ...]) -> InstallRecord:
        record = record_of(row, self.upstream)
        if self.earlier_root is None or record.external:
            return record
        from spack.store.moves import in_tree  # start-up: few trees were moved
        from spack.util.frozen import replace

        return replace(record, prefix=in_tree(record.prefix, self.earlier_root, self._root))

    def _find_move(self, connection: sqlite3.Connection) -> None:
        """Set :attr:`earlier_root`. A moved tree has the old root in all nodes."""
        inside = f"{self._root.rstrip('/')}/"
        query = "SELECT prefix FROM nodes WHERE installed = 1 AND external = 0 LIMIT 20"
        prefixes = [row[0] for row in connection.execute(query)]
        elsewhere = [prefix for prefix in prefixes if not prefix.startswith(inside)]
        if elsewhere:
            from spack.store.moves import earlier_root  # start-up: few trees were moved

            self.earlier_root = earlier_root(self._root, elsewhere)


def _of_versions(records: Iterable[InstallRecord], versions: VersionList) -> list[InstallRecord]:
    fits = {
        text: VersionList.of(Version(text)).satisfies(versions)
        for text in {record.version for record in records}
    }
    return [record for record in records if fits[record.version]]
