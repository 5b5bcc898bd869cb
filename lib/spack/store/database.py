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

import contextlib
import fcntl
import json
import os
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from spack.errors import SpecError, StoreError
from spack.spec import ConcreteSpec, Spec, load
from spack.spec.dag_hash import node_data
from spack.spec.stored import written
from spack.store.database_tables import COLUMNS, SCHEMA_VERSION, TABLES, record_of, row_of
from spack.store.moves import earlier_root, in_tree
from spack.store.os_errors import unwritable
from spack.store.record import InstallRecord
from spack.util.filesystem import share_like_directory
from spack.util.frozen import replace
from spack.util.json_input import parse_json
from spack.util.lock import UNSUPPORTED

if TYPE_CHECKING:
    import sqlite3

__all__ = ["Database", "DependencyLink"]

#: Seconds to wait for another process' commit.
PATIENCE = 60.0

#: All nodes that the given ones lead to, themselves included; takes the start as JSON array.
_CLOSURE = """
WITH RECURSIVE reached(hash) AS (
    SELECT value FROM json_each(?)
    UNION SELECT edges.child FROM edges JOIN reached ON edges.parent = reached.hash
)
"""


class DependencyLink(NamedTuple):
    """One edge between two known nodes."""

    parent: str
    child: str
    deptypes: frozenset[str]


#: Connections that a fork has inherited, kept from being closed.
_OF_OTHER_PROCESSES: list[sqlite3.Connection | None] = []


class Database:
    """An open database.

    :param path: the SQLite file. If it does not exist, reading finds nothing and the first
        write creates it.
    :param write: whether the caller means to write. A reader never changes the disk.
    :param locks: False for file systems without locks: then two writers at once are the user's
        risk.
    :param patience: seconds to wait for another process' commit (``config:db_lock_timeout``).
    """

    def __init__(
        self,
        path: Path,
        *,
        write: bool = False,
        locks: bool = True,
        patience: float = PATIENCE,
    ) -> None:
        self.path = path
        #: Root of the install tree, as records name it; "" for the tool's own.
        self.upstream = ""
        self._patience = patience
        self._write = write
        self._locks = locks
        self._guard = threading.RLock()
        self._specs: dict[str, ConcreteSpec] = {}
        self._connection: sqlite3.Connection | None = None
        self._process = 0
        self._inode: tuple[int, int] = (0, 0)
        #: Where the tree was when its records were written, if it was moved.
        self.earlier_root: str | None = None

    def close(self) -> None:
        with self._guard:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    def __enter__(self) -> Database:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

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
                conditions.append(f"{column} = ?")
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

    def query(
        self,
        spec: Spec,
        *,
        explicit: bool | None = None,
        external: bool | None = None,
        installed: bool | None = True,
    ) -> list[InstallRecord]:
        """Return the records whose nodes satisfy *spec*, in the order of :meth:`records`.

        The DAGs of candidates are loaded only if the name and hash do not decide.
        """
        candidates = self.records(
            name=spec.name or None,
            hash_prefix=spec.hash_prefix or None,
            explicit=explicit,
            external=external,
            installed=installed,
        )
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
        try:
            return load(parse_json(f'{{"roots":{roots},"nodes":{{{nodes}}}}}'))
        except (ValueError, SpecError) as error:
            raise _corrupt(self.path, error) from error

    def installed_hashes(self) -> frozenset[str]:
        """Return the hashes of all installed nodes, externals included."""
        return frozenset(
            row[0] for row in self._rows("SELECT hash FROM nodes WHERE installed = 1", [])
        )

    def installed_values(self, column: str) -> frozenset[str]:
        """Return what installed nodes have in *column*, ``name`` or ``target``."""
        assert column in ("name", "target")
        rows = self._rows(f"SELECT DISTINCT {column} FROM nodes WHERE installed = 1", [])
        return frozenset(row[0] for row in rows)

    def links(self) -> list[DependencyLink]:
        """Return all edges between known nodes."""
        rows = self._rows("SELECT parent, child, deptypes FROM edges", [])
        return [DependencyLink(row[0], row[1], frozenset(row[2].split(","))) for row in rows]

    # -- writing -----------------------------------------------------------------------------

    def add(self, spec: ConcreteSpec, record: InstallRecord) -> None:
        """Record *spec* as installed, and make all it depends on known, in one commit.

        A record of the same hash is replaced, but what was explicit stays so.
        """
        self.add_all([(spec, record)])

    def add_all(self, items: Iterable[tuple[ConcreteSpec, InstallRecord]]) -> None:
        """Add several records in one commit, as :meth:`add` does."""
        with self._transaction() as connection:
            _insert(connection, items)

    def mark_explicit(self, hashes: Iterable[str], explicit: bool = True) -> None:
        """Record whether installed nodes are explicit. The prefix is not touched."""
        with self._transaction() as connection:
            connection.executemany(
                "UPDATE nodes SET explicit = ? WHERE hash = ?",
                [(explicit, spec_hash) for spec_hash in hashes],
            )

    def remove(self, hashes: Iterable[str]) -> None:
        """Record that these are no longer installed; forget nodes that nothing needs to know."""
        with self._transaction() as connection:
            connection.executemany(
                "UPDATE nodes SET installed = 0, explicit = 0, installed_at = 0, "
                "\"transaction\" = '', run_environment = NULL, facts = NULL WHERE hash = ?",
                [(spec_hash,) for spec_hash in hashes],
            )
            _forget(connection)

    def replace_all(self, items: Iterable[tuple[ConcreteSpec, InstallRecord]]) -> None:
        """Forget everything and record *items* instead, in one commit."""
        with self._transaction() as connection:
            for table in ("nodes", "documents", "edges"):
                connection.execute(f"DELETE FROM {table}")
            self._specs.clear()
            _insert(connection, items)

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
                raise _corrupt(self.path, ValueError(row[0]))

    # -- the file ----------------------------------------------------------------------------

    @property
    def _root(self) -> str:
        return str(self.path.parent.parent)

    def _record(self, row: tuple[Any, ...]) -> InstallRecord:
        record = record_of(row, self.upstream)
        if self.earlier_root is None or record.external:
            return record
        return replace(record, prefix=in_tree(record.prefix, self.earlier_root, self._root))

    def _find_move(self, connection: sqlite3.Connection) -> None:
        """Set :attr:`earlier_root`; one query where the tree was not moved."""
        inside = f"{self._root.rstrip('/')}/"
        query = (
            "SELECT prefix FROM nodes WHERE installed = 1 AND external = 0 "
            "AND substr(prefix, 1, ?) != ? LIMIT 20"
        )
        rows = connection.execute(query, [len(inside), inside]).fetchall()
        self.earlier_root = earlier_root(self._root, [row[0] for row in rows]) if rows else None

    def _rows(self, query: str, values: list[Any]) -> list[tuple[Any, ...]]:
        with self._guard, self._errors():
            connection = self._connect()
            if connection is None:
                return []
            return connection.execute(query, values).fetchall()

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        if not self._write:
            raise StoreError(f"{self.path}: the database was opened for reading only")
        with self._guard, self._errors():
            if self._connection is not None and self._identity() != self._inode:
                # Another process has rebuilt the database (reindex): follow it.
                self.close()
            connection = self._connect()
            assert connection is not None
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                # On some errors, such as a full disk, SQLite has rolled back by itself.
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise

    def _connect(self) -> sqlite3.Connection | None:
        if self._process != os.getpid():
            # SQLite: a connection must not be used, nor closed, in a fork.
            _OF_OTHER_PROCESSES.append(self._connection)
            self._connection, self._process = None, os.getpid()
        if self._connection is not None:
            return self._connection
        if not self.path.exists():
            if not self._write:
                return None
            self._create()
        connection, version = self._open_existing()
        if version != SCHEMA_VERSION:
            connection.close()
            raise StoreError(
                f"{self.path}: the database has format {version}, not {SCHEMA_VERSION}",
                facts={"path": str(self.path), "format": version, "known": SCHEMA_VERSION},
                hint="run 'spack reindex' to rebuild it from the installed packages"
                if version < SCHEMA_VERSION
                else "a newer version of this program wrote it: use that version",
                ref="store-format",
            )
        self._connection = connection
        self._inode = self._identity()
        self._find_move(connection)
        return connection

    def _open_existing(self) -> tuple[sqlite3.Connection, int]:
        """Return a connection, and the format number of the file.

        The journal is a rollback journal: it needs no memory shared among hosts, and a reader
        leaves no file behind that another user could not write.
        """
        import sqlite3  # start-up: see _open

        unlocked = self._unlocked(self.path)
        mode = "rw" if self._write else "ro"
        try:
            connection, version = _open(self.path, f"mode={mode}{unlocked}", self._patience)
        except sqlite3.OperationalError:
            # A write-ahead log, of an earlier version, in a directory that is not writable. No
            # process writes to it now if there is no log, and then the file alone is the truth.
            if self._is_half_written() and not self._write:
                return _open(self.path, f"mode=rw{unlocked}", self._patience)
            log = self.path.with_name(self.path.name + "-wal")
            if self._write or os.access(self.path.parent, os.W_OK) or log.exists():
                raise
            return _open(self.path, "mode=ro&immutable=1", self._patience)
        if self._write:
            with contextlib.suppress(sqlite3.OperationalError):  # another process reads: later
                connection.execute("PRAGMA journal_mode = DELETE")
        return connection, version

    def _is_half_written(self) -> bool:
        """Return whether a process died during a commit, and this one may undo that.

        SQLite does so when it opens the file, unless it is opened for reading only.
        """
        journal = f"{self.path}-journal"
        return os.path.exists(journal) and os.access(self.path, os.W_OK)

    def _unlocked(self, path: Path) -> str:
        """Return the parameter that switches SQLite's locks off, or nothing.

        :raises StoreError: the file system of *path* has none, and the caller means to write.
        """
        if self._locks and _has_locks(path):
            return ""
        if self._locks and self._write:
            raise StoreError(
                f"the file system of {self.path} has no locks",
                facts={"path": str(self.path)},
                hint="set config:locks:false and run one instance at a time, "
                "or use another file system",
                ref="lock-unsupported",
            )
        return "&nolock=1"

    def _create(self) -> None:
        """Make the complete file beside its path, then link it there: no race, no half file."""
        folder = self.path.parent
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise unwritable(folder, error) from error
        new = folder / f"{self.path.name}.new-{os.getpid()}-{threading.get_ident()}"
        try:
            new.touch()
            share_like_directory(new)
            connection, _ = _open(new, f"mode=rw{self._unlocked(new)}", self._patience)
            try:
                connection.execute("PRAGMA journal_mode = DELETE")
                connection.executescript(f"BEGIN;{TABLES}")
                connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
                connection.execute("COMMIT")
            finally:
                connection.close()
            try:
                os.link(new, self.path)
            except FileExistsError:
                pass
            except OSError:
                # No hard links here; a race of two creators could lose one empty file.
                os.rename(new, self.path)
        finally:
            for leftover in (new, f"{new}-journal", f"{new}-wal", f"{new}-shm"):
                if os.path.lexists(leftover):
                    os.unlink(leftover)

    def _identity(self) -> tuple[int, int]:
        try:
            info = self.path.stat()
        except OSError:
            return (0, 0)
        return (info.st_dev, info.st_ino)

    @contextmanager
    def _errors(self) -> Iterator[None]:
        import sqlite3  # start-up: 8 ms that most commands do not need

        try:
            yield
        except sqlite3.OperationalError as error:
            text = str(error)
            if "locked" in text or "busy" in text:
                raise StoreError(
                    f"{self.path}: another process has kept the database locked for "
                    f"{self._patience:g} s",
                    facts={"path": str(self.path)},
                    hint="wait until it has finished, then try again; "
                    "config:db_lock_timeout says how long to wait",
                    ref="store-locked",
                ) from error
            if "no such" in text or "malformed" in text:
                raise _corrupt(self.path, error) from error
            raise unwritable(self.path, text) from error
        except sqlite3.DatabaseError as error:
            raise _corrupt(self.path, error) from error


def _has_locks(path: Path) -> bool:
    """Return whether the file system of *path* has the locks that SQLite uses.

    SQLite takes "no locks available" for a lock that another process holds, and waits. Asked
    before it opens the file: closing any descriptor of a file gives its locks up.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return True
    try:
        fcntl.lockf(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB, 1)
    except OSError as error:
        return error.errno not in UNSUPPORTED
    finally:
        os.close(descriptor)
    return True


def _open(path: Path, parameters: str, patience: float) -> tuple[sqlite3.Connection, int]:
    """Return a connection, and the format number of the file."""
    import sqlite3  # start-up: 8 ms that most commands do not need

    uri = f"{path.absolute().as_uri()}?{parameters}"
    connection = sqlite3.connect(
        uri, uri=True, timeout=patience, isolation_level=None, check_same_thread=False
    )
    try:
        connection.execute("PRAGMA synchronous = NORMAL")
        return connection, int(connection.execute("PRAGMA user_version").fetchone()[0])
    except sqlite3.DatabaseError:
        connection.close()
        raise


def _insert(
    connection: sqlite3.Connection, items: Iterable[tuple[ConcreteSpec, InstallRecord]]
) -> None:
    """Write records, and each node that they depend on once."""
    known: set[str] = set()
    for spec, record in items:
        nodes = _unknown_nodes(spec, known)
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


def _unknown_nodes(spec: ConcreteSpec, known: set[str]) -> list[ConcreteSpec]:
    """Return the nodes below *spec*, itself included, that are not in *known*; add them to it."""
    spec.dag_hash()
    found, waiting = [], [spec]
    while waiting:
        node = waiting.pop()
        if node.dag_hash() not in known:
            known.add(node.dag_hash())
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


def _forget(connection: sqlite3.Connection) -> None:
    """Drop nodes to which no installed one leads."""
    kept = (
        "WITH RECURSIVE reached(hash) AS (SELECT hash FROM nodes WHERE installed = 1 "
        "UNION SELECT edges.child FROM edges JOIN reached ON edges.parent = reached.hash) "
    )
    for table, column in (("edges", "parent"), ("documents", "hash"), ("nodes", "hash")):
        # Edges go last in effect: the closure is computed again for each table, and dropping
        # the edges of unreached parents does not change what is reached.
        connection.execute(
            f"{kept} DELETE FROM {table} WHERE {column} NOT IN (SELECT hash FROM reached)"
        )


def _corrupt(path: Path, error: Exception) -> StoreError:
    return StoreError(
        f"{path}: the database is damaged: {error}",
        facts={"path": str(path)},
        hint="run 'spack reindex' to rebuild it from the installed packages",
        ref="store-corrupt",
    )
