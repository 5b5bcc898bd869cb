"""Short helper processes, run to their end, with their output as text."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Callable, NamedTuple

__all__ = ["Completed", "Runner", "available_cores", "run"]

#: Exit statuses of this module's own, as ``timeout(1)`` and shells use them.
TIMED_OUT = 124
NOT_STARTED = 127


class Completed(NamedTuple):
    """A process that has ended; ``returncode`` is negative when a signal ended it."""

    argv: tuple[str, ...]
    returncode: int
    stdout: str
    stderr: str

    @property
    def ok(self) -> bool:
        """Whether the exit status is 0."""
        return self.returncode == 0


#: What layers take that start helper processes: argv to :class:`Completed`, never raising.
Runner = Callable[[Sequence[str]], Completed]


def run(
    argv: Sequence[str],
    *,
    env: Mapping[str, str] | None = None,
    cwd: str | None = None,
    timeout: float | None = 30.0,
    stdin: str = "",
) -> Completed:
    """Run ``argv`` and wait for its end; a failure is a result, not an exception.

    A program that cannot be started has status 127 and the reason in ``stderr``; one that
    takes longer than ``timeout`` seconds is killed with its process group and has status 124.
    Output that is not UTF-8 is decoded with replacement characters.

    :param env: the whole environment; None inherits the caller's.
    """
    import subprocess  # start-up: warm runs start no process

    try:
        process = subprocess.Popen(
            list(argv),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=None if env is None else dict(env),
            cwd=cwd,
            start_new_session=True,
        )
    except (OSError, ValueError) as error:
        return Completed(tuple(argv), NOT_STARTED, "", str(error))
    with process:
        try:
            out, err = process.communicate(stdin.encode(), timeout)
        except BaseException as error:
            _kill_group(process.pid)
            out, err = process.communicate()
            if not isinstance(error, subprocess.TimeoutExpired):
                raise
            note = f"no answer after {timeout:g} s".encode()
            return _completed(argv, TIMED_OUT, out, err + note)
        return _completed(argv, process.returncode, out, err)


def _completed(argv: Sequence[str], status: int, out: bytes, err: bytes) -> Completed:
    return Completed(
        tuple(argv), status, out.decode("utf-8", "replace"), err.decode("utf-8", "replace")
    )


def _kill_group(pid: int) -> None:
    import signal  # start-up: only when a helper hangs

    try:
        os.killpg(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


def available_cores(cgroup: str = "/sys/fs/cgroup/cpu.max") -> int:
    """Return cores that this process may use: its affinity, limited by a cgroup v2 quota; >= 1."""
    if hasattr(os, "sched_getaffinity"):
        cores = len(os.sched_getaffinity(0))
    else:
        cores = os.cpu_count() or 1
    try:
        with open(cgroup, encoding="ascii") as stream:
            quota, period = stream.read().split()
        cores = min(cores, max(1, round(int(quota) / int(period))))
    except (OSError, ValueError):
        pass
    return max(1, cores)
