"""Transactions that have begun: markers on the disk, and the recovery of a dead process' ones.

Before anything happens at a prefix, a marker ``<store>/.spack-db/pending/<hash>.json`` names the
is about to do what; it is removed when the transaction has ended, either way. The database's
commit is the one moment at which an install counts. Order of events::

    install   marker · [old prefix -> backup] · prefix made, built, checked, described ·
              COMMIT · [backup deleted] · marker removed
    remove    marker · COMMIT · prefix -> backup · backup deleted · marker removed

So a process that finds a marker and gets its node's lock knows that its owner died, and from the
database whether it had committed, which is all that :func:`recover` needs to restore either
the state before or the state after. Recovery itself may die at any point and be run again.
"""

from __future__ import annotations

import errno
import json
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Callable, NamedTuple

from spack.errors import StoreError
from spack.store.locks import LockOwner, end_group
from spack.store.moves import earlier_roots, in_tree
from spack.util.filesystem import atomic_write, make_shared_directory, remove_tree
from spack.util.frozen import frozen, replace
from spack.util.json_input import parse_json

if TYPE_CHECKING:
    from spack.store.layout import Layout
    from spack.store.locks import Locks

__all__ = [
    "INSTALL",
    "REMOVE",
    "Marker",
    "Recovered",
    "clear",
    "discard",
    "markers",
    "names",
    "recover",
    "restore",
    "settle",
]

INSTALL = "install"
REMOVE = "remove"

#: Seconds that killed processes get to end.
_PATIENCE = 2.0


@frozen
class Marker:
    """One transaction.

    :param transaction: its unique name, which the database's row gets when it commits.
    :param kind: :data:`INSTALL` or :data:`REMOVE`.
    :param short: how messages name the node.
    :param replaces: an install that moves an existing prefix to a backup first.
    :param build: leader of the process group that builds, once it runs.
    """

    transaction: str
    kind: str
    hash: str
    short: str
    prefix: Path
    replaces: bool
    owner: LockOwner
    started: float
    build: LockOwner | None = None

    @classmethod
    def new(
        cls,
        kind: str,
        spec_hash: str,
        short: str,
        prefix: Path,
        owner: LockOwner,
        started: float,
        replaces: bool = False,
    ) -> Marker:
        return cls(
            transaction=os.urandom(16).hex(),
            kind=kind,
            hash=spec_hash,
            short=short,
            prefix=prefix,
            replaces=replaces,
            owner=owner,
            started=started,
        )

    def backup(self, layout: Layout) -> Path:
        """Return where this transaction puts a prefix that is in its way."""
        return layout.backup / f"{self.hash}-{self.transaction}"

    def with_build(self, build: LockOwner) -> Marker:
        return replace(self, build=build)

    def write(self, layout: Layout) -> None:
        """Put the marker on the disk. :raises OSError: if that fails."""
        data = {
            "transaction": self.transaction,
            "kind": self.kind,
            "hash": self.hash,
            "short": self.short,
            "prefix": str(self.prefix),
            "replaces": self.replaces,
            "owner": self.owner,
            "started": self.started,
            "build": self.build,
        }
        make_shared_directory(layout.pending, layout.root)
        text = json.dumps(data, indent=1) + "\n"
        atomic_write(layout.pending / f"{self.hash}.json", text, shared=True)

    @classmethod
    def read(cls, path: Path) -> Marker:
        """Read a marker from a file.

        :raises ValueError: if the file is not a marker. :raises OSError: as usual.
        """
        try:
            data = parse_json(path.read_bytes())
            return cls(
                transaction=str(data["transaction"]),
                kind=str(data["kind"]),
                hash=str(data["hash"]),
                short=str(data["short"]),
                prefix=Path(data["prefix"]),
                replaces=bool(data["replaces"]),
                owner=LockOwner(*data["owner"]),
                started=float(data["started"]),
                build=LockOwner(*data["build"]) if data["build"] else None,
            )
        except (KeyError, TypeError) as error:
            raise ValueError(f"not a marker: {error}") from error


class Recovered(NamedTuple):
    """What :func:`recover` did with one leftover; *what* is ``rolled back`` or ``completed``."""

    marker: Marker
    what: str

    def __str__(self) -> str:
        return (
            f"the {'installation' if self.marker.kind == INSTALL else 'removal'} of "
            f"{self.marker.short} that {self.marker.owner} left unfinished was {self.what}"
        )


def clear(layout: Layout, marker: Marker) -> None:
    """Remove the marker: the transaction has ended. :raises OSError: as usual."""
    _unlink(layout.pending / f"{marker.hash}.json")


def markers(layout: Layout) -> list[Marker]:
    """Return the markers of all transactions, running or dead; damaged files are skipped."""
    found: list[Marker] = []
    for name in names(layout.pending):
        if name.endswith(".json") and not name.startswith("."):
            try:
                found.append(Marker.read(layout.pending / name))
            except (OSError, ValueError):
                continue
    return found


def recover(
    layout: Layout, locks: Locks, committed: Callable[[Marker], bool]
) -> tuple[Recovered, ...]:
    """End the transactions of dead processes; those of living ones are left alone.

    :param committed: whether the transaction was committed, as the database says.
    :raises StoreError: if a leftover cannot be removed.
    """
    done: list[Recovered] = []
    for name in names(layout.pending):
        spec_hash = name.lstrip(".").partition(".")[0]
        lock = locks.try_exclusive(spec_hash)
        if lock is None:
            continue
        with lock:
            if name.startswith("."):
                # A marker is created by a rename: this one never was.
                _unlink(layout.pending / name)
                continue
            leftover = settle(layout, spec_hash, committed)
            if leftover is not None:
                done.append(leftover)
    return tuple(done)


def settle(layout: Layout, spec_hash: str, committed: Callable[[Marker], bool]) -> Recovered | None:
    """End what a dead process began at one node, if it did; the caller holds the node's lock.

    :raises StoreError: if a leftover cannot be removed.
    """
    path = layout.pending / f"{spec_hash}.json"
    try:
        marker = Marker.read(path)
    except FileNotFoundError:
        return None
    except ValueError:
        _unlink(path)
        return None
    marker = _in_tree(layout, marker)
    if layout.root not in marker.prefix.parents:
        clear(layout, marker)  # of another tree: nothing there is touched
        return None
    try:
        return Recovered(marker, _end(layout, marker, committed(marker)))
    except OSError as error:
        raise StoreError(
            f"{error.filename or path}: what a dead process left cannot be removed: "
            f"{error.strerror}",
            facts={"path": str(error.filename or path), "errno": error.errno},
            hint="remove it by hand, or run as the user that installed it",
            ref="store-leftover",
        ) from error


def _in_tree(layout: Layout, marker: Marker) -> Marker:
    """Return *marker* with its prefix where it is since the tree was moved."""
    prefix = str(marker.prefix)
    for root in earlier_roots(layout):
        prefix = in_tree(prefix, root, str(layout.root))
    return replace(marker, prefix=Path(prefix))


def _end(layout: Layout, marker: Marker, committed: bool) -> str:
    """Complete the transaction, or restore the state before it. :raises OSError: as usual."""
    if marker.build is not None:
        end_group(marker.build)
    if marker.kind == REMOVE:
        if committed:
            discard(layout, marker.prefix)
    elif not committed:
        restore(layout, marker)
    _remove(marker.backup(layout))
    clear(layout, marker)
    return "completed" if committed else "rolled back"


def restore(layout: Layout, marker: Marker) -> None:
    """Restore the prefix from before an install. :raises OSError: as usual."""
    backup = marker.backup(layout)
    if not marker.replaces:
        discard(layout, marker.prefix)
    elif os.path.lexists(backup):
        _remove(marker.prefix)
        os.rename(backup, marker.prefix)


def discard(layout: Layout, prefix: Path) -> None:
    """Remove a prefix, and the folders above it that are empty then. :raises OSError: as usual.

    :raises StoreError: if *prefix* is not in the install tree.
    """
    if layout.root not in prefix.parents or layout.database_folder in (prefix, *prefix.parents):
        raise StoreError(f"{prefix} is not a prefix in {layout.root}: it is not removed")
    _remove(prefix)
    for parent in prefix.parents:
        if parent == layout.root:
            break
        try:
            parent.rmdir()
        except OSError:
            break


def _remove(path: Path) -> None:
    """Remove a tree into which processes that were just killed may still put a last file."""
    waited = 0.0
    while True:
        try:
            remove_tree(path)
            return
        except OSError as error:
            if error.errno != errno.ENOTEMPTY or waited >= _PATIENCE:
                raise
            time.sleep(0.02)
            waited += 0.02


def _unlink(path: Path) -> None:
    try:
        os.unlink(path)
    except FileNotFoundError:
        pass


def names(folder: Path) -> list[str]:
    """Return the names of the files in a directory; none if it is missing."""
    try:
        return sorted(os.listdir(folder))
    except (FileNotFoundError, NotADirectoryError):
        return []
