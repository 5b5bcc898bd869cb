"""The processes around a build: one that follows it, one that reaps, and the build itself.

``worker``    leads the process group that the installer knows; ends all when the installer ends
``keeper``    has the namespaces made, or, without them, adopts what the build leaves behind
``first``     process 1 of the namespace: when it ends, the kernel ends the rest
``build``     loads the recipe and runs the phases

Without namespaces ``first`` is missing: the keeper is a subreaper (prctl(2)) and kills whatever is
still there after the build. In both cases the worker ends after the last process of the build has.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from spack.build.isolation import Isolation
from spack.build.job import BuildJob
from spack.build.sandbox import SYSTEM_LOCATIONS
from spack.build.worker_entry import follow_installer

if TYPE_CHECKING:
    from spack.util.linux_namespaces import MountPlan

__all__ = ["Enclosure", "enclose"]

#: Directories for everybody; a build has its own, below its stage.
PRIVATE = ("/tmp", "/var/tmp")
_PRIVATE_BELOW = "private"

#: Seconds between two looks for processes that are to end.
_TICK = 0.005


@dataclass(frozen=True)
class Enclosure:
    """What holds a build, apart from Landlock.

    :param mounts: it sees its own mounts, see :class:`spack.build.isolation.Isolation`.
    :param processes: it sees and reaches its own processes only.
    :param network: it has none but its own loopback.
    :param ended: none of its processes is left after it.
    :param missing: what was asked for and could not be had, with the reason.
    """

    mounts: bool = False
    processes: bool = False
    network: bool = False
    ended: bool = False
    missing: tuple[str, ...] = ()


def enclose(job: BuildJob, lifeline: int) -> Enclosure:
    """Return in a new process, which is to build; the caller's follows that to its end.

    :param lifeline: a pipe whose end is the end of the installer.
    """
    try:
        from spack.util.linux_namespaces import become_subreaper
    except ImportError:
        follow_installer(lifeline)
        return Enclosure(missing=("anything (this interpreter has no ctypes)",))
    become_subreaper()
    missing: tuple[str, ...] = ()
    if job.isolation is not None:
        made = _fork_keeper(job, job.isolation, lifeline, missing)
        if isinstance(made, Enclosure):
            return made
        missing = (f"namespaces ({made})",)
    made = _fork_keeper(job, None, lifeline, missing)
    assert isinstance(made, Enclosure)  # it needs nothing that could be refused
    return made


def _fork_keeper(
    job: BuildJob, isolation: Isolation | None, lifeline: int, missing: tuple[str, ...]
) -> Enclosure | str:
    """Return in the process that is to build, or, in the caller's, why there is none."""
    from spack.util.linux_namespaces import die_with_parent

    reading, writing = os.pipe()
    keeper = os.fork()
    if keeper == 0:
        os.close(reading)
        os.close(lifeline)
        die_with_parent()
        try:
            if isolation is None:
                return _adopt(writing, missing, confined=job.isolation is not None)
            return _isolate(job, isolation, writing)
        except OSError as error:
            _refuse(writing, error)
    os.close(writing)
    signal.signal(signal.SIGTERM, lambda number, frame: _kill(keeper, signal.SIGTERM))
    with os.fdopen(reading, "rb", buffering=0) as messages:
        first = json.loads(messages.readline() or b"{}")
        if "ready" in first:
            _follow(keeper, messages.fileno(), lifeline)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    os.waitpid(keeper, 0)
    return str(first.get("refused", "killed"))


def _send(pipe: int, **facts: object) -> None:
    os.write(pipe, json.dumps(facts).encode() + b"\n")


def _refuse(pipe: int, error: OSError) -> NoReturn:
    _send(pipe, refused=f"{error.filename or 'fork'}: {error.strerror}")
    os._exit(1)


def _follow(keeper: int, messages: int, lifeline: int) -> NoReturn:
    """Wait for the end of all processes, then end as the build did; end them with the installer."""
    status = signal.SIGKILL.value  # of a build that was killed before it could say anything
    waiting = [messages, lifeline]
    text = b""
    while messages in waiting:
        for ready in select.select(waiting, (), ())[0]:
            data = os.read(ready, 4096)
            text += data if ready == messages else b""
            if not data:
                waiting.remove(ready)
                _kill(keeper, signal.SIGTERM if ready == lifeline else 0)
    os.waitpid(keeper, 0)
    _end_children()
    if text:
        status = json.loads(text)["status"]
    number = os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0
    if number:
        signal.signal(number, signal.SIG_DFL) if number != signal.SIGKILL else None
        os.kill(os.getpid(), number)
    os._exit(os.WEXITSTATUS(status))


def _kill(process: int, number: int) -> None:
    try:
        os.kill(process, number)
    except ProcessLookupError:
        pass


# -- with namespaces ------------------------------------------------------------------------------


def _isolate(job: BuildJob, isolation: Isolation, messages: int) -> Enclosure:
    """Return in the process that is to build. :raises OSError: there are no namespaces."""
    from spack.util import linux_namespaces

    plan = _mount_plan(job, isolation) if job.writable is not None else None
    linux_namespaces.unshare(network=not isolation.network)
    first = os.fork()
    if first:
        signal.signal(signal.SIGTERM, lambda number, frame: _kill(first, signal.SIGKILL))
        os.waitpid(first, 0)  # returns when no process of the namespace is left
        os._exit(0)
    linux_namespaces.die_with_parent()
    try:
        missing = (
            linux_namespaces.arrange_mounts(plan) if plan else linux_namespaces.mount_processes()
        )
        if not isolation.network:
            linux_namespaces.enable_loopback()
        linux_namespaces.drop_capabilities()
        os.chdir(job.stage_path)
    except OSError as error:
        _refuse(messages, error)
    _send(messages, ready=True)
    build = os.fork()
    if build:
        _send(messages, status=_reap_until(build))
        os._exit(0)
    os.close(messages)
    os.setpgid(0, 0)  # the group outside has no number here
    return Enclosure(plan is not None, True, not isolation.network, True, missing)


def _reap_until(process: int) -> int:
    """Reap children until *process* has ended; its wait status."""
    while True:
        pid, status = os.wait()
        if pid == process:
            return status


def _mount_plan(job: BuildJob, isolation: Isolation) -> MountPlan:
    """Return what the build is to see, and make what it must find."""
    from spack.util.linux_namespaces import MountPlan

    own = os.path.join(job.stage_path, _PRIVATE_BELOW)
    private = {}
    for path in filter(os.path.isdir, PRIVATE):
        source = os.path.join(own, path.strip("/").replace("/", "-"))
        os.makedirs(source, exist_ok=True)
        os.chmod(source, 0o1777)
        private[os.path.realpath(path)] = source
    return MountPlan(
        tuple(x for x in isolation.hidden if not _is_below_any(x, private)),
        private,
        isolation.readable,
        tuple(_own_paths(job, private)),
        isolation.masked,
    )


def _own_paths(job: BuildJob, private: Iterable[str]) -> Iterator[str]:
    """Yield what the build may write to; what is missing is made, as it cannot be later."""
    for path in job.writable or ():
        if path in private or path in SYSTEM_LOCATIONS:
            continue
        with contextlib.suppress(OSError):
            os.makedirs(path, exist_ok=True)
        yield path
    if job.environment_path is not None:
        with open(job.environment_path, "ab"):
            yield job.environment_path


def _is_below_any(path: str, directories: Iterable[str]) -> bool:
    return any(path.startswith(f"{directory}/") for directory in directories)


# -- without --------------------------------------------------------------------------------------


def _adopt(messages: int, missing: tuple[str, ...], *, confined: bool) -> Enclosure:
    """Return in the process that is to build; this one takes over what that leaves behind."""
    from spack.util import linux_namespaces

    linux_namespaces.become_subreaper()
    build = os.fork()
    if build == 0:
        os.close(messages)
        linux_namespaces.die_with_parent()
        if confined:
            linux_namespaces.drop_capabilities()
        return Enclosure(ended=True, missing=missing)
    signal.signal(signal.SIGTERM, lambda number, frame: _kill(build, signal.SIGKILL))
    _send(messages, ready=True)
    status = _reap_until(build)
    _end_children()
    _send(messages, status=status)
    os._exit(0)


def _end_children() -> None:
    """Kill and reap all children until none is left; their own become this process's."""
    while True:
        for child in _children():
            _kill(child, signal.SIGKILL)
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            return
        time.sleep(_TICK)


def _children() -> list[int]:
    own = os.getpid()
    with contextlib.suppress(OSError):
        return [int(x) for x in Path(f"/proc/self/task/{own}/children").read_text().split()]
    found = []
    for entry in os.listdir("/proc"):  # a kernel without CONFIG_PROC_CHILDREN
        with contextlib.suppress(OSError, ValueError, IndexError):
            state = Path("/proc", entry, "stat").read_text(encoding="utf-8", errors="replace")
            if int(state.rpartition(")")[2].split()[1]) == own:
                found.append(int(entry))
    return found
