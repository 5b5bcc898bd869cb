"""The SQLite file of a database: opening, creating, locking, and the errors of SQLite."""

from __future__ import annotations

import contextlib
import fcntl
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from spack.errors import StoreError
from spack.store.database_tables import LATER_INDEXES, SCHEMA_VERSION, TABLES
from spack.store.os_errors import unwritable
from spack.util.filesystem import share_like_directory
from spack.util.lock import UNSUPPORTED

if TYPE_CHECKING:
    import sqlite3
    from pathlib import Path

    from typing_extensions import Self

__all__ = ["PATIENCE", "DatabaseFile", "corrupt"]

#: Seconds to wait for another process' commit.
PATIENCE = 60.0

#: Connections that a fork has inherited, kept from being closed.
_OF_OTHER_PROCESSES: list[sqlite3.Connection | None] = []


class DatabaseFile:
    """An SQLite file that is opened when first used, from several threads.

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
        self._patience = patience
        self._write = write
        self._locks = locks
        self._guard = threading.RLock()
        self._connection: sqlite3.Connection | None = None
        self._process = 0
        self._inode: tuple[int, int] = (0, 0)

    def close(self) -> None:
        with self._guard:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    @property
    def _root(self) -> str:
        return str(self.path.parent.parent)

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
        self._opened(connection)
        return connection

    def _opened(self, connection: sqlite3.Connection) -> None:
        """Look at a file that was opened."""

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
                if version == SCHEMA_VERSION:
                    connection.execute(LATER_INDEXES)
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
                raise corrupt(self.path, error) from error
            raise unwritable(self.path, text) from error
        except sqlite3.DatabaseError as error:
            raise corrupt(self.path, error) from error


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


def corrupt(path: Path, error: Exception) -> StoreError:
    return StoreError(
        f"{path}: the database is damaged: {error}",
        facts={"path": str(path)},
        hint="run 'spack reindex' to rebuild it from the installed packages",
        ref="store-corrupt",
    )
