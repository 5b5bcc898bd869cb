"""Advisory locks between processes, on files that stay.

``flock(2)`` is used: it belongs to the open file, so two locks of one process exclude each
other as two processes do, and it is released when the process ends, however that died. The lock
file is never removed (a second process might be about to lock the removed one). The holder of an
exclusive lock writes its process id and host into the file, so that a waiting process can report
the holder.
"""

from __future__ import annotations

import errno
import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Callable, NamedTuple

from spack.errors import StoreError
from spack.util.filesystem import share_like_directory

__all__ = ["FileLock", "Holder"]

_FIRST_PAUSE = 0.005
_LONGEST_PAUSE = 0.2
UNSUPPORTED = frozenset({errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL})


class Holder(NamedTuple):
    """The holder of an exclusive lock, as far as the file says; ``pid`` is 0 when it does not."""

    pid: int
    host: str

    def __str__(self) -> str:
        return f"process {self.pid} on {self.host}" if self.pid else "another process"


class FileLock:
    """A lock on ``path``, shared or exclusive; not reentrant.

    :param timeout: seconds to wait; None waits without a limit, 0 does not wait.
    :param on_wait: called once, with the holder, when the lock is not free at once.

    The directory of ``path`` must exist. As a context manager it is exclusive.
    """

    __slots__ = ("_descriptor", "_on_wait", "path", "timeout")

    def __init__(
        self,
        path: str | os.PathLike[str],
        timeout: float | None = None,
        on_wait: Callable[[Holder], None] | None = None,
    ) -> None:
        self.path = os.fspath(path)
        self.timeout = timeout
        self._on_wait = on_wait
        self._descriptor = -1

    @property
    def locked(self) -> bool:
        """Whether this object holds the lock."""
        return self._descriptor >= 0

    @contextmanager
    def exclusive(self) -> Iterator[FileLock]:
        """Hold the lock alone."""
        self.acquire()
        try:
            yield self
        finally:
            self.release()

    @contextmanager
    def shared(self) -> Iterator[FileLock]:
        """Hold the lock together with other readers."""
        self.acquire(shared=True)
        try:
            yield self
        finally:
            self.release()

    def __enter__(self) -> FileLock:
        self.acquire()
        return self

    def __exit__(self, *_: object) -> None:
        self.release()

    def acquire(self, shared: bool = False) -> None:
        """Take the lock, waiting as long as ``timeout`` allows.

        :raises StoreError: the time is over (``facts`` names the holder), the file cannot be
            opened, or the file system has no locks.
        """
        if self.locked:
            raise StoreError(f"the lock {self.path} is already held here", ref="lock-held")
        descriptor = self._open(shared)
        try:
            self._wait(descriptor, fcntl.LOCK_SH if shared else fcntl.LOCK_EX)
            if not shared:
                self._sign(descriptor)
        except BaseException:
            os.close(descriptor)
            raise
        self._descriptor = descriptor

    def release(self) -> None:
        """Give the lock back; nothing happens when it is not held."""
        if self._descriptor >= 0:
            descriptor, self._descriptor = self._descriptor, -1
            os.close(descriptor)

    def holder(self) -> Holder:
        """Return the last exclusive holder of the lock (which may have released it since)."""
        try:
            with open(self.path, encoding="utf-8", errors="replace") as stream:
                pid, _, host = stream.read(300).strip().partition(" ")
            return Holder(int(pid), host)
        except (OSError, ValueError):
            return Holder(0, "")

    def _open(self, shared: bool) -> int:
        try:
            descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
            share_like_directory(self.path)
            return descriptor
        except OSError as error:
            if shared and error.errno in (errno.EACCES, errno.EROFS, errno.EPERM):
                try:
                    return os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)
                except OSError:
                    pass
            raise StoreError(
                f"cannot open the lock file {self.path}: {error.strerror}",
                facts={"path": self.path, "errno": error.errno},
                hint="make its directory writable, or choose another one in the configuration",
                ref="lock-unusable",
            ) from error

    def _wait(self, descriptor: int, kind: int) -> None:
        deadline = None if self.timeout is None else time.monotonic() + self.timeout
        pause, reported = _FIRST_PAUSE, False
        while True:
            try:
                fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
                return
            except OSError as error:
                if error.errno in UNSUPPORTED:
                    raise StoreError(
                        f"the file system of {self.path} has no locks",
                        facts={"path": self.path, "errno": error.errno},
                        hint="set config:locks:false and run one instance at a time, "
                        "or use another file system",
                        ref="lock-unsupported",
                    ) from error
                if error.errno not in (errno.EWOULDBLOCK, errno.EACCES, errno.EINTR):
                    raise
            holder = self.holder()
            if deadline is not None and time.monotonic() >= deadline:
                raise StoreError(
                    f"{self.path} is locked by {holder}",
                    facts={"path": self.path, "pid": holder.pid, "host": holder.host},
                    hint="wait until it has finished; if that process hangs, end it: "
                    "the lock goes with it",
                    ref="lock-timeout",
                )
            if not reported and self._on_wait is not None:
                reported = True
                self._on_wait(holder)
            time.sleep(pause)
            pause = min(pause * 1.5, _LONGEST_PAUSE)

    @staticmethod
    def _sign(descriptor: int) -> None:
        text = f"{os.getpid()} {os.uname().nodename}\n".encode()
        try:
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, text, 0)
        except OSError:
            # A courtesy: a full disk must not keep anybody from the lock, for it may be needed
            # to make room.
            pass
