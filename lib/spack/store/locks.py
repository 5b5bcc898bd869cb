"""The locks of prefixes, and which processes still run.

One file per lock in ``<store>/.spack-db/locks``; :mod:`spack.util.lock` says what they are. The
kernel frees the lock of a process that dies, so there is no stale lock to break. The names:

``<hash>``
    exclusive: a process that makes, replaces or removes the prefix of that node;
    shared: one that builds a dependent of it.
``database``
    exclusive: a process that rebuilds the database from the prefixes;
    shared: one that has a transaction running.
``builds``
    exclusive: a process that removes what nothing needs (``gc``, ``clean``), and so would take
    build dependencies, stages and logs away;
    shared: one that installs, from the plan to the end.

Waits go only from ``builds`` to ``database``, from there to a node and from there to what it
depends on, so they cannot form a cycle.
"""

from __future__ import annotations

import os
import signal
import time
from functools import cache
from pathlib import Path
from typing import Callable, NamedTuple

from spack.errors import StoreError
from spack.store.os_errors import unwritable
from spack.util.filesystem import make_shared_directory
from spack.util.lock import FileLock, Holder

__all__ = [
    "BUILDS",
    "DATABASE",
    "Lock",
    "Locks",
    "LockOwner",
    "current_owner",
    "end_group",
    "is_alive",
]

#: The name of the lock on the database as a whole.
DATABASE = "database"

#: The name of the lock on what running installs rely on.
BUILDS = "builds"

OnWait = Callable[[Holder], None]


class LockOwner(NamedTuple):
    """A process, distinguished from a later one with the same number.

    :param started: the kernel's boot id and the process' start time in clock ticks, or "" where
        ``/proc`` does not say.
    """

    pid: int
    host: str
    started: str

    def __str__(self) -> str:
        return f"process {self.pid} on {self.host}"

    def child(self, pid: int) -> LockOwner:
        """Return the process *pid* on the same host."""
        return LockOwner(pid, self.host, _started(pid, Path("/proc")))


def current_owner(proc: Path = Path("/proc")) -> LockOwner:
    """Return this process; call it after a fork, not before."""
    pid = os.getpid()
    return LockOwner(pid, os.uname().nodename, _started(pid, proc))


def is_alive(owner: LockOwner, proc: Path = Path("/proc")) -> bool:
    """Return whether *owner* still runs; of a process on another host, True: that is unknown."""
    if owner.host != os.uname().nodename:
        return True
    try:
        os.kill(owner.pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return not owner.started or _started(owner.pid, proc) == owner.started


def _started(pid: int, proc: Path) -> str:
    try:
        boot = _boot(proc)
        # Fields 3 and following of stat(5): state first, the start time is field 22.
        fields = (proc / str(pid) / "stat").read_bytes().rpartition(b")")[2].split()
    except (OSError, UnicodeDecodeError):
        return ""
    if len(fields) < 20 or fields[0] in (b"Z", b"X"):
        return ""
    return f"{boot}:{fields[19].decode('ascii')}"


@cache
def _boot(proc: Path) -> str:
    """Return the id of this start of the machine."""
    return (proc / "sys/kernel/random/boot_id").read_text(encoding="ascii").strip()


def end_group(leader: LockOwner, patience: float = 5.0) -> None:
    """Kill the process group that *leader* leads, if it still lives, and wait for its end.

    For builds whose installer was killed and that would go on to write into the prefix.
    """
    if leader.host != os.uname().nodename or not is_alive(leader):
        return
    try:
        os.killpg(leader.pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        return
    waited = 0.0
    while is_alive(leader) and waited < patience:
        time.sleep(0.01)
        waited += 0.01


class Lock:
    """A lock that is held; freed by :meth:`release` or at the end of a ``with`` block."""

    def __init__(self, file: FileLock | None) -> None:
        self._file = file

    def release(self) -> None:
        """Free the lock; harmless when it is free already."""
        if self._file is not None:
            self._file.release()

    def __enter__(self) -> Lock:
        return self

    def __exit__(self, *exc: object) -> None:
        self.release()


class Locks:
    """The locks of one store.

    :param folder: the directory of the lock files; made when first needed.
    :param enabled: False (``config:locks: false``) for file systems that have none; then every
        lock is granted, and two processes at once are the user's risk.
    """

    def __init__(self, folder: Path, enabled: bool = True) -> None:
        self._folder = folder
        self._enabled = enabled

    def try_exclusive(self, name: str) -> Lock | None:
        """Return the lock, or None if another process holds it in any way.

        :raises StoreError: if the lock file cannot be made, or locks are not supported.
        """
        return self._try(name, shared=False)

    def try_shared(self, name: str) -> Lock | None:
        """Return the lock, or None if another process holds it exclusively; errors as above."""
        return self._try(name, shared=True)

    def exclusive(
        self, name: str, timeout: float | None = None, on_wait: OnWait | None = None
    ) -> Lock:
        """Wait for the lock, at most *timeout* seconds (None: without a limit).

        :param on_wait: called with the holder of the lock, if it is not free at once.

        :raises StoreError: when the time is over (it names the holder of the lock), or as above.
        """
        return self._acquire(name, False, timeout, on_wait)

    def shared(
        self, name: str, timeout: float | None = None, on_wait: OnWait | None = None
    ) -> Lock:
        """Wait as :meth:`exclusive` does, but share the lock with other shared holders."""
        return self._acquire(name, True, timeout, on_wait)

    def quiet(self) -> Lock:
        """Yield the lock ``builds``, exclusively: nothing is installed while it is held.

        :raises StoreError: something is being installed, or as above.
        """
        lock = self.try_exclusive(BUILDS)
        if lock is None:
            raise StoreError(
                "packages are being installed now, and need what would be removed",
                facts={"locks": str(self._folder)},
                hint="wait for the end of that, and try again",
                ref="store-busy",
            )
        return lock

    def holder(self, name: str) -> Holder:
        """Return the last exclusive holder of the lock."""
        return FileLock(self._folder / name).holder()

    def _try(self, name: str, shared: bool) -> Lock | None:
        try:
            return self._acquire(name, shared, 0)
        except StoreError as error:
            if error.ref == "lock-timeout":
                return None
            raise

    def _acquire(
        self,
        name: str,
        shared: bool,
        timeout: float | None,
        on_wait: OnWait | None = None,
    ) -> Lock:
        if not self._enabled:
            return Lock(None)
        try:
            make_shared_directory(self._folder, self._folder.parent.parent)
        except OSError as error:
            raise unwritable(self._folder, error) from error
        file = FileLock(self._folder / name, timeout, on_wait)
        file.acquire(shared=shared)
        return Lock(file)
