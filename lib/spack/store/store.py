"""The one handle on an install tree."""

from __future__ import annotations

import errno
import os
import time
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Callable, NamedTuple

from spack.errors import StoreError
from spack.store.database import Database
from spack.store.layout import Layout, Metadata
from spack.store.os_errors import unwritable
from spack.store.record import InstallRecord
from spack.util.filesystem import make_shared_directory

if TYPE_CHECKING:
    # start-up: what reads records takes no lock and follows no transaction
    from spack.spec import ConcreteSpec
    from spack.store.build_history import BuildHistory
    from spack.store.journal import Marker, Recovered
    from spack.store.locks import LockOwner, Locks

__all__ = ["Store", "Upstreams"]


class Upstreams(NamedTuple):
    """Further install trees, of this tool or of Spack, to be read only.

    :ivar roots: in order of precedence.
    :ivar cache: directory for what is computed of those of Spack; None: memory.
    """

    roots: tuple[Path, ...] = ()
    cache: Path | None = None


NO_UPSTREAMS = Upstreams()


class Store:
    """An install tree with its database and locks.

    :param layout: the paths of the tree.
    :param owner: the process that acts; named in markers. By default the one that first asks.
    :param clock: seconds since the epoch.
    :param locks: False where the file system has no locks (``config:locks: false``).
    :param patience: seconds to wait for commits of other processes, and for a ``reindex``.
    :param package_patience: seconds to wait for a package that another process installs or
        uses; None waits without a limit.
    """

    def __init__(
        self,
        layout: Layout,
        *,
        owner: LockOwner | None = None,
        clock: Callable[[], float] = time.time,
        locks: bool = True,
        patience: float = 60.0,
        package_patience: float | None = None,
        upstreams: Upstreams = NO_UPSTREAMS,
    ) -> None:
        self.layout = layout
        self.clock = clock
        self.patience = patience
        self.package_patience = package_patience
        #: What :meth:`writer` found and ended, for the command to report.
        self.recovered: tuple[Recovered, ...] = ()
        self._upstream_trees = upstreams
        self._owner = owner
        self._uses_locks = locks
        self._database: Database | None = None
        self._writes = False

    @property
    def root(self) -> Path:
        return self.layout.root

    @cached_property
    def locks(self) -> Locks:
        """The locks of the tree."""
        from spack.store.locks import Locks

        return Locks(self.layout.locks, enabled=self._uses_locks)

    @property
    def history(self) -> BuildHistory:
        """What earlier builds took."""
        from spack.store.build_history import BuildHistory  # start-up: something is built

        return BuildHistory(self.layout.history)

    @property
    def owner(self) -> LockOwner:
        if self._owner is None:
            from spack.store.locks import current_owner

            self._owner = current_owner()
        return self._owner

    @property
    def upstreams(self) -> tuple[Path, ...]:
        """The roots of upstream install trees, in order of precedence."""
        return self._upstream_trees.roots

    @property
    def database(self) -> Database:
        """What is installed here and in upstreams, for reading.

        :raises StoreError: an upstream is not an install tree.
        """
        if not self._upstream_trees.roots:
            return self.own
        from spack.store.chained_database import ChainedDatabase

        return ChainedDatabase(self.own, self._upstreams)

    @cached_property
    def _upstreams(self) -> list[tuple[str, Database]]:
        """The databases of upstreams with their roots; a tree can have one of each kind."""
        from spack.store.spack_database import SpackDatabase

        found: list[tuple[str, Database]] = []
        for root in self._upstream_trees.roots:
            databases: list[Database] = []
            if _is_readable(Layout(root).database):
                databases.append(Database(Layout(root).database))
            if _is_readable(_spack_index(root)):
                databases.append(SpackDatabase(root, self._upstream_trees.cache))
            if not databases:
                raise _not_a_tree(root)
            found += [(str(root), database) for database in databases]
        return found

    @property
    def own(self) -> Database:
        """The database of this tree alone, for reading.

        Nothing is changed on the disk, unless a process died on the way: then the database and
        the prefixes may differ (a package that was being replaced is there in part), and that is
        recovered first, by a process that may. Cost of finding out: one look into an empty
        directory.
        """
        if self._database is None:
            try:
                if _has_pending(self.layout):
                    return self.writer()
            except (OSError, StoreError):
                self.close()
        if self._database is None:
            self._database = Database(
                self.layout.database, locks=self._uses_locks, patience=self.patience
            )
        return self._database

    def writer(self) -> Database:
        """Return the database for writing; the first call ends transactions of dead processes.

        :raises StoreError: if the tree cannot be written, or the database is damaged.
        """
        from spack.store.journal import recover

        if self._database is None or not self._writes:
            _make_writable(self.layout)
            database = Database(
                self.layout.database,
                write=True,
                locks=self._uses_locks,
                patience=self.patience,
            )
            try:
                self._follow_move(database)
                self.recovered += recover(
                    self.layout, self.locks, lambda marker: is_committed(database, marker)
                )
            except BaseException:
                database.close()
                raise
            self.close()
            self._database, self._writes = database, True
        return self._database

    def _follow_move(self, database: Database) -> None:
        """Correct the records of a tree that was moved; what its files name is noted.

        :raises StoreError: if that cannot be written.
        """
        database.known_names()  # opens it
        if database.earlier_root is None:
            return
        from spack.store.moves import note_earlier_root

        try:
            note_earlier_root(self.layout, database.earlier_root)
        except OSError as error:
            raise unwritable(self.layout.earlier_roots, error) from error
        database.follow_move()

    @property
    def earlier_roots(self) -> tuple[str, ...]:
        """Where the tree was before it was moved, as files in it may still say."""
        from spack.store.moves import earlier_roots

        found = dict.fromkeys(earlier_roots(self.layout))
        if self._database is not None and self._database.earlier_root is not None:
            found[self._database.earlier_root] = None
        return tuple(found)

    def settle(self, spec_hash: str) -> InstallRecord | None:
        """End what a dead process began at this node; the record of the node, if installed.

        The caller holds the node's lock.
        """
        from spack.store.journal import settle

        database = self.writer()
        leftover = settle(self.layout, spec_hash, lambda marker: is_committed(database, marker))
        if leftover is not None:
            self.recovered += (leftover,)
        return database.record(spec_hash)

    def is_present(self, record: InstallRecord) -> bool:
        """Return whether what is recorded as installed is still on the disk. Cost: one stat."""
        return record.external or os.path.isdir(record.prefix)

    def prefix(self, spec: ConcreteSpec) -> Path:
        """Return where *spec* is if it is installed, else where it would be."""
        if spec.external is None:
            record = self.database.record(spec.dag_hash())
            if record is not None:
                return Path(record.prefix)
        return self.layout.prefix(spec)

    def log(self, record_or_spec: InstallRecord | ConcreteSpec) -> Path | None:
        """Return the build's log.

        An installed node's own, else that of the build that runs or failed last; None if there is
        neither.
        """
        if isinstance(record_or_spec, InstallRecord):
            spec_hash = record_or_spec.hash
        else:
            spec_hash = record_or_spec.dag_hash()
        record = self.database.record(spec_hash)
        if record is not None and not record.external:
            return _existing(Metadata(Path(record.prefix)).build_log)
        name, version = record_or_spec.name, str(record_or_spec.version)
        return _existing(self.layout.running_log(spec_hash, name, version))

    def close(self) -> None:
        """Close what is open; it is opened again when it is needed."""
        if self._database is not None:
            self._database.close()
            self._database, self._writes = None, False
        for _, database in self.__dict__.get("_upstreams", ()):
            database.close()


def _not_a_tree(root: Path) -> StoreError:
    closed = next((x for x in _databases(root) if not os.access(x, os.R_OK)), None)
    if closed is not None:
        return StoreError(
            f"the upstream {root} cannot be read: {closed}: permission denied",
            facts={"upstream": str(root), "path": str(closed)},
            hint="its owner lets you read it: chmod a+rX; or take it out of upstreams.yaml",
            ref="upstream",
        )
    return StoreError(
        f"the upstream {root} is not an install tree: it has no database",
        facts={"upstream": str(root)},
        hint="let upstreams:NAME:install_tree name an install tree of Spack or of this tool; "
        "`spack config blame upstreams` says which file has it",
        ref="upstream",
    )


def _databases(root: Path) -> list[Path]:
    """Return what is there of the way to a tree's databases."""
    path = Layout(root).database
    ways = (root, path.parent, path, _spack_index(root))
    return [x for x in ways if os.path.lexists(x)]


def _spack_index(root: Path) -> Path:
    from spack.store.spack_tree_index import spack_index_path

    return spack_index_path(root)


def _has_pending(layout: Layout) -> bool:
    """Return whether a transaction runs, or has been left. Cost: a look into an empty directory."""
    try:
        return bool(os.listdir(layout.pending))
    except (FileNotFoundError, NotADirectoryError):
        return False


def _is_readable(path: Path) -> bool:
    try:
        return path.exists() and os.access(path, os.R_OK)
    except PermissionError:
        return False


def is_committed(database: Database, marker: Marker) -> bool:
    """Return whether the database has seen the commit of the transaction."""
    from spack.store.journal import INSTALL

    record = database.record(marker.hash)
    if marker.kind == INSTALL:
        return record is not None and record.transaction == marker.transaction
    return record is None


def _make_writable(layout: Layout) -> None:
    """Make the store's folders. :raises StoreError: if they cannot be made or written."""
    folder = layout.database_folder
    try:
        make_shared_directory(folder, layout.root)
    except OSError as error:
        raise unwritable(layout.root, error) from error
    if not os.access(folder, os.W_OK | os.X_OK):
        raise unwritable(folder, OSError(errno.EACCES, os.strerror(errno.EACCES)))


def _existing(path: Path) -> Path | None:
    return path if path.exists() else None
