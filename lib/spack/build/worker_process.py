"""The parent's side of a build: start the worker, follow it, and end it with all its children.

The worker leads a process group of its own. Two pipes join it to the parent:

events
    what :mod:`spack.build.worker_events` defines, from the worker.
lifeline
    one byte lets the worker begin, once the parent has noted which group to end (``on_start``).
    When the parent dies, however it dies, the worker reads the end of the pipe and kills its
    whole group, so that no build continues in a prefix without an owner.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import subprocess
import sys
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Callable, Union

import spack
from spack.build.forkserver import Forked, ForkServer
from spack.build.job import BuildFailure, BuildJob, BuildResult, read, write
from spack.build.log_excerpt import excerpt, hint, log_lines
from spack.build.wheel_cache import keep_wheel
from spack.build.worker_events import PhaseStarted, decode_event
from spack.errors import SpackError

__all__ = ["Cancelled", "libraries", "run"]

#: Runs in the worker's interpreter: finds the engine, then hands over.
_BOOT = """
import sys
sys.path.extend(sys.argv[4:])
from spack.build.worker import main
sys.exit(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
"""

#: Seconds between a polite and a rude end.
GRACE = 3.0

#: Seconds between two looks at the flag and at the log.
TICK = 0.1

#: A worker.
_Process = Union["subprocess.Popen[bytes]", Forked]


class Cancelled(SpackError):  # noqa: N818 - control flow, not an error
    """The build was cancelled; all its processes have ended."""

    ref = "cancelled"


def run(  # noqa: PLR0913 - keywords of independent settings
    job: BuildJob,
    environment: Mapping[str, str],
    *,
    interpreter: str = sys.executable,
    server: ForkServer | None = None,
    on_start: Callable[[int], None] | None = None,
    on_event: Callable[[PhaseStarted], None] | None = None,
    on_output: Callable[[bytes], None] | None = None,
    cancelled: threading.Event | None = None,
    inherited: Sequence[int] = (),
) -> BuildResult:
    """Run *job* to its end. May be called in a thread.

    :param environment: all of the worker's environment, see
        :func:`spack.build.clean_environment.clean_environment`.
    :param interpreter: runs the worker; it has nothing to do with the Python that is built for.
    :param server: forks the worker, where it can.
    :param on_start: called once with the process id of the worker, which leads its process group.
    :param on_event: called for each event of the worker, in order.
    :param on_output: called with what is new in the log, to show it.
    :param cancelled: when it is set, the build is ended.
    :param inherited: further descriptors that the worker inherits; *server* has them, too.
    :return: a failed build is a result too, with ``failure`` filled.
    :raises Cancelled: the build was ended by *cancelled*.
    """
    job = replace(job, library_path=libraries(job.library_path))
    os.makedirs(job.stage_path, exist_ok=True)
    os.makedirs(os.path.dirname(job.log_path), exist_ok=True)
    job_path = job.result_path + ".job"
    write(job_path, job)
    with contextlib.suppress(FileNotFoundError):
        os.unlink(job.result_path)
    started = _started(job, job_path, environment, interpreter, server=server, inherited=inherited)
    with started as (process, events, lifeline):
        if on_start is not None:
            on_start(process.pid)
        with contextlib.suppress(BrokenPipeError):
            os.write(lifeline, b"\n")
        stopped = _follow(
            process, events, job.log_path, on_event, on_output=on_output, cancelled=cancelled
        )
    if stopped:
        raise Cancelled("the build was cancelled", facts={"hash": job.hash})
    with contextlib.suppress(FileNotFoundError):
        os.unlink(job_path)
    if os.path.lexists(job.result_path):
        result = read(job.result_path, BuildResult)
        if job.wheels is not None and result.ok:
            keep_wheel(job, job.wheels, result.wheel)
        return result
    return BuildResult(ok=False, failure=_death(process.wait(), job.log_path))


def libraries(further: Iterable[str]) -> tuple[str, ...]:
    """Return where a worker finds the engine, and *further* libraries."""
    return (str(Path(spack.__file__).resolve().parent.parent), *further)


@contextlib.contextmanager
def _started(
    job: BuildJob,
    job_path: str,
    environment: Mapping[str, str],
    interpreter: str,
    server: ForkServer | None,
    inherited: Sequence[int],
) -> Iterator[tuple[_Process, int, int]]:
    """Yield the worker, the reading end of its events and its lifeline.

    Then end its process group.
    """
    events, events_out = os.pipe()
    lifeline_in, lifeline = os.pipe()
    command = [
        interpreter,
        *("-I", "-S", "-c", _BOOT),
        *(job_path, str(events_out), str(lifeline_in)),
        *job.library_path,
    ]
    process: _Process | None = None
    try:
        with open(job.log_path, "ab") as log:
            if server is not None:
                process = server.fork(
                    job_path,
                    environment,
                    job.stage_path,
                    log.fileno(),
                    events=events_out,
                    lifeline=lifeline_in,
                )
            if process is None:
                process = subprocess.Popen(
                    command,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    env=dict(environment),
                    cwd=job.stage_path,
                    pass_fds=(events_out, lifeline_in, *inherited),
                    start_new_session=True,
                )
        os.close(events_out)
        events_out = -1
        try:
            yield process, events, lifeline
        finally:
            _end_group(process)
    finally:
        for descriptor in (events, events_out, lifeline_in, lifeline):
            if descriptor >= 0:
                os.close(descriptor)


def _end_group(process: _Process) -> None:
    """End the worker, and children that outlived it."""
    if process.poll() is None:
        _signal_group(process.pid, signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(GRACE)
    _signal_group(process.pid, signal.SIGKILL)
    process.wait()


def _signal_group(group: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)


def _follow(
    process: _Process,
    events: int,
    log_path: str,
    on_event: Callable[[PhaseStarted], None] | None,
    on_output: Callable[[bytes], None] | None,
    cancelled: threading.Event | None,
) -> bool:
    """Pass on events and output until the worker ends; True when it was cancelled."""
    buffer = b""
    with selectors.DefaultSelector() as selector, open(log_path, "rb") as log:
        log.seek(0, os.SEEK_END)
        selector.register(events, selectors.EVENT_READ)
        while True:
            ready = selector.select(TICK)
            if on_output is not None:
                text = log.read()
                if text:
                    on_output(text)
            if cancelled is not None and cancelled.is_set():
                return True
            if not ready:
                if process.poll() is not None:  # what it left behind has the pipe still
                    break
                continue
            data = os.read(events, 65536)
            if not data:
                break
            *lines, buffer = (buffer + data)[-_LONGEST_EVENT:].split(b"\n")
            for line in lines:
                _pass_on(line, on_event)
        _wait(process, cancelled)
        rest = log.read()
        if rest and on_output is not None:
            on_output(rest)
    return cancelled is not None and cancelled.is_set()


#: Bytes; what is longer is not an event.
_LONGEST_EVENT = 1 << 20


def _pass_on(line: bytes, on_event: Callable[[PhaseStarted], None] | None) -> None:
    """Pass on an event; what a recipe's code has written instead of one is left out."""
    if on_event is not None:
        with contextlib.suppress(ValueError, KeyError):
            on_event(decode_event(line))


#: Bytes below which a disk counts as full.
_ROOM = 256 * 1024

_FULL = "the disk of the install tree is full: free some space, or set config:install_tree:root"


def _wait(process: _Process, cancelled: threading.Event | None) -> None:
    """Wait for the end of a worker that has closed its events."""
    while not (cancelled is not None and cancelled.is_set()):
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(TICK)
            return


def _death(status: int, log_path: str) -> BuildFailure:
    """Return the failure of a worker that ended without a result."""
    shown: tuple[str, ...] = ()
    with contextlib.suppress(OSError):
        shown = tuple(excerpt(log_lines(log_path)))
    if status < 0:
        names = {number.value: number.name for number in signal.Signals}
        name = names.get(-status, f"signal {-status}")
        way_out = "the machine may be out of memory; use fewer jobs" if status == -9 else None
        return BuildFailure("WorkerDied", f"killed by {name}", hint=way_out, excerpt=shown)
    # A full disk leaves no room for the message that says so.
    way_out = _FULL if _is_full(os.path.dirname(log_path)) else hint(shown)
    return BuildFailure(
        "WorkerDied", f"the build process ended with {status}", hint=way_out, excerpt=shown
    )


def _is_full(directory: str) -> bool:
    with contextlib.suppress(OSError):
        disk = os.statvfs(directory)
        return disk.f_bavail * disk.f_frsize < _ROOM
    return False
