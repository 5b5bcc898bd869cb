"""What is installed in a tree that Spack writes, for reading.

Spack's database is one JSON document, which takes a second to read for some thousand packages. It
is turned into tables once, in the user's cache, and again when it has changed: a command asks
with one stat whether it has. Nothing is written into the tree, and no lock of it is taken.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import TYPE_CHECKING

from spack.errors import StoreError
from spack.store.database import Database
from spack.store.database_tables import COLUMNS, SCHEMA_VERSION, TABLES, row_of
from spack.store.os_errors import reason_of
from spack.store.spack_tree_index import read_spack_index, spack_index_path
from spack.util.hashing import sha256_hex

if TYPE_CHECKING:
    import sqlite3

    from spack.store.spack_tree_index import SpackIndex

__all__ = ["SpackDatabase"]


class SpackDatabase(Database):
    """The database of an install tree of Spack; it is read only.

    :param root: the install tree.
    :param cache: directory of what may be computed again; None keeps the tables in memory.
    """

    def __init__(self, root: Path, cache: Path | None) -> None:
        super().__init__(spack_index_path(root))
        self._cache = cache

    def _connect(self) -> sqlite3.Connection | None:
        if self._connection is None:
            self._connection = self._cached() or _filled(":memory:", read_spack_index(self.path))
            self._find_move(self._connection)
        return self._connection

    def _cached(self) -> sqlite3.Connection | None:
        """Return the tables in the cache, made again if needed; None if it cannot be written."""
        import sqlite3  # start-up: 8 ms that most commands do not need

        if self._cache is None:
            return None
        key = sha256_hex(str(self.path))[:16]
        file = self._cache / f"{key}-{self._stamp()}.sqlite"
        with contextlib.suppress(sqlite3.DatabaseError):
            if file.exists():
                return _opened(file)
        index = read_spack_index(self.path)
        new = file.with_suffix(f".{os.getpid()}.new")
        try:
            self._cache.mkdir(parents=True, exist_ok=True)
            new.unlink(missing_ok=True)
            _filled(str(new), index).close()
            os.replace(new, file)
            for former in self._cache.glob(f"{key}-*.sqlite"):
                if former != file:
                    former.unlink(missing_ok=True)
            return _opened(file)
        except (OSError, sqlite3.OperationalError):
            return _filled(":memory:", index)
        finally:
            with contextlib.suppress(OSError):
                new.unlink(missing_ok=True)

    def _stamp(self) -> str:
        """Return a text that changes with the database of Spack and with the tables made of it."""
        try:
            status = self.path.stat()
        except OSError as error:
            raise StoreError(
                f"cannot read the database of Spack: {self.path}: {reason_of(error)}",
                facts={"path": str(self.path)},
                hint="`spack config blame upstreams` says which file names this install tree",
                ref="spack-store",
            ) from error
        return f"{status.st_mtime_ns:x}-{status.st_size:x}-{status.st_ino:x}-{SCHEMA_VERSION}"


def _opened(file: Path) -> sqlite3.Connection:
    """Return a connection to finished tables, which no process changes any more.

    :raises sqlite3.DatabaseError: they are damaged.
    """
    import sqlite3  # start-up: see SpackDatabase._cached

    uri = f"{file.absolute().as_uri()}?mode=ro&immutable=1"
    connection = sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False)
    try:
        connection.execute("SELECT hash FROM nodes LIMIT 1").fetchall()
    except sqlite3.DatabaseError:
        connection.close()
        raise
    return connection


def _filled(location: str, index: SpackIndex) -> sqlite3.Connection:
    """Return a connection to new tables with the rows of *index*."""
    import sqlite3  # start-up: see SpackDatabase._cached

    connection = sqlite3.connect(location, isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA synchronous = OFF")
    connection.executescript(f"BEGIN;{TABLES}")
    marks = ", ".join("?" * 15)
    connection.executemany(
        f"INSERT INTO nodes ({COLUMNS}) VALUES ({marks})", map(row_of, index.records)
    )
    connection.executemany("INSERT INTO documents VALUES (?, ?)", index.documents)
    connection.executemany("INSERT INTO edges VALUES (?, ?, ?)", index.edges)
    connection.execute("COMMIT")
    return connection
