"""Processes shared by concurrent builds, by the protocol of GNU make's job server.

The protocol (GNU make manual, "Sharing Job Slots with GNU make"): a pipe holds a byte for each job
that may be started beside those that run. A program takes one before it starts a further job and
writes it back after that; its first job needs none, for its parent has taken it.
``MAKEFLAGS`` says which pipe: ``--jobserver-auth=R,W`` (descriptors) or ``fifo:PATH`` (4.4).

:func:`join_pool` makes such a pipe without make: a named pipe that lives as long as a process uses
it. The first one fills it, so what killed processes have not written back is there again once all
have ended.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import select
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path

__all__ = ["Jobserver", "inherited_descriptors", "inherited_jobserver", "join_pool"]

_AUTH = re.compile(r"--jobserver-(?:auth|fds)=(?:fifo:(\S+)|(\d+),(\d+))")
_TOKEN = b"+"

#: Seconds between two attempts to take a token.
_INTERVAL = 0.5


class Jobserver:
    """A pipe of tokens, as two descriptors that children inherit.

    :param jobs: of all programs together, for ``-j``; 0 where that is not known.
    """

    def __init__(self, reading: int, writing: int, jobs: int = 0) -> None:
        self.reading = reading
        self.writing = writing
        self.jobs = jobs

    @property
    def descriptors(self) -> tuple[int, ...]:
        """What a child must inherit."""
        return tuple(dict.fromkeys((self.reading, self.writing)))

    @property
    def makeflags(self) -> str:
        """``MAKEFLAGS`` for a child that inherits the descriptors."""
        jobs = f" -j{self.jobs}" if self.jobs else ""
        return f"{jobs} --jobserver-auth={self.reading},{self.writing}"

    @contextlib.contextmanager
    def some_tokens(self, most: int) -> Iterator[int]:
        """Take at most *most* tokens, without waiting for any, and write them back at the end."""
        tokens = self._take(most)
        try:
            yield len(tokens)
        finally:
            os.write(self.writing, tokens)

    @contextlib.contextmanager
    def one_token(self) -> Iterator[None]:
        """Take one token, waiting for it, and write it back at the end."""
        token = self._take(1)
        while not token:
            select.select([self.reading], (), (), _INTERVAL)
            token = self._take(1)
        try:
            yield
        finally:
            os.write(self.writing, token)

    def _take(self, most: int) -> bytes:
        """Return as many tokens as are there, *most* of them."""
        if most <= 0:
            return b""
        try:
            # Opened again: the mode of a descriptor is that of all processes that share it.
            again = os.open(f"/proc/self/fd/{self.reading}", os.O_RDONLY | os.O_NONBLOCK)
        except OSError:
            return b""
        try:
            return os.read(again, most)
        except BlockingIOError:
            return b""
        finally:
            os.close(again)


def inherited_jobserver(environ: Mapping[str, str]) -> Jobserver | None:
    """Return the job server that ``MAKEFLAGS`` names; None if there is none to be used.

    make names one also to children that it gives no descriptors: those of lines without ``+``.
    """
    flags = environ.get("MAKEFLAGS", "")
    found = _AUTH.search(flags)
    if found is None:
        return None
    jobs = re.search(r"(?:^| )-j(\d+)", flags)
    count = int(jobs[1]) if jobs else 0
    if found[1]:
        try:
            descriptor = os.open(found[1], os.O_RDWR)
        except OSError:
            return None
        return Jobserver(descriptor, descriptor, count)
    reading, writing = int(found[2]), int(found[3])
    return Jobserver(reading, writing, count) if _is_pipe(reading) and _is_pipe(writing) else None


def inherited_descriptors(environ: Mapping[str, str]) -> tuple[int, ...]:
    """Return the descriptors that a child needs to use the job server of ``MAKEFLAGS``."""
    found = _AUTH.search(environ.get("MAKEFLAGS", ""))
    if found is None or found[1]:
        return ()
    return tuple(x for x in dict.fromkeys((int(found[2]), int(found[3]))) if _is_pipe(x))


def _is_pipe(descriptor: int) -> bool:
    try:
        return stat.S_ISFIFO(os.fstat(descriptor).st_mode)
    except OSError:
        return False


@contextlib.contextmanager
def join_pool(path: Path, jobs: int) -> Iterator[Jobserver]:
    """Yield the pool at *path* with a token of its own taken; the first to come fills it.

    :param jobs: how many tokens the pool has, if this process is the first.
    :raises OSError: the pipe cannot be made.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with contextlib.suppress(FileExistsError):
        os.mkfifo(path)
    with contextlib.ExitStack() as stack:
        users = stack.enter_context(_opened(path.with_name(path.name + ".users")))
        pipe = stack.enter_context(_opened(path))
        with _opened(path.with_name(path.name + ".lock")) as lock:
            # A lock is not changed from exclusive to shared at once: this one keeps processes out.
            fcntl.flock(lock, fcntl.LOCK_EX)
            if _is_alone(users):
                _fill(pipe, jobs)
            fcntl.flock(users, fcntl.LOCK_SH)
        server = Jobserver(pipe, pipe, jobs)
        stack.enter_context(server.one_token())
        yield server


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[int]:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _is_alone(users: int) -> bool:
    try:
        fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _fill(pipe: int, jobs: int) -> None:
    """Let the pipe hold as many tokens as there are jobs."""
    os.set_blocking(pipe, False)
    with contextlib.suppress(BlockingIOError):
        os.read(pipe, 65536)
    os.set_blocking(pipe, True)
    os.write(pipe, _TOKEN * max(1, jobs))
