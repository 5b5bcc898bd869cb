"""Whether the nodes of a cluster share the install tree, and whether its locks hold between them.

A file system may be shared and yet grant a lock twice (NFS without a lock manager, Lustre mounted
with ``localflock``), so a lock is held here while a node tries to take it.
"""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from spack.errors import StoreError
from spack.store import Store
from spack.util.lock import FileLock

__all__ = ["ProbeResult", "offered_probe", "probe_store"]

_PREFIX = "probe-"


class ProbeResult(NamedTuple):
    """What a node has found.

    :ivar seen: it has the same install tree. :ivar locked: it could not take what is locked.
    """

    seen: bool
    locked: bool


@contextlib.contextmanager
def offered_probe(store: Store) -> Iterator[str]:
    """Hold a lock in *store* and yield its name, for :func:`probe_store` on another machine.

    :raises StoreError: the install tree cannot be written, or has no locks at all.
    """
    store.writer()
    name = _PREFIX + uuid.uuid4().hex
    path = store.layout.database_folder / name
    try:
        with FileLock(path, 0).exclusive():
            yield name
    finally:
        path.unlink(missing_ok=True)


def probe_store(store: Store, name: str) -> ProbeResult:
    """Look for the lock *name* in *store* and try to take it."""
    path: Path = store.layout.database_folder / Path(name).name
    if not path.name.startswith(_PREFIX) or not path.is_file():
        return ProbeResult(seen=False, locked=False)
    try:
        with FileLock(path, 0).exclusive():
            return ProbeResult(seen=True, locked=False)
    except StoreError as error:
        return ProbeResult(seen=True, locked=error.ref == "lock-timeout")
