"""The last step before the phases: the build gives up its rights, and the log says which.

What a namespace holds already (:mod:`spack.build.enclosure`) is held a second time where Landlock
can; where there are no namespaces, Landlock holds what it can of it.
"""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from spack.build.enclosure import PRIVATE, Enclosure
from spack.build.job import BuildJob

__all__ = ["Confinement", "confine", "visible_paths"]

#: Memory of the machine: not for root's builds either.
_MEMORY = ("mem", "kmem", "port")


class Confinement(NamedTuple):
    """What holds a build.

    :ivar writable: the paths below which it may write, but for directories that are its own
        versions of the system's; empty when it may write anywhere.
    :ivar active: lines for the log.
    :ivar missing: protections that this machine does not offer, with the reasons.
    """

    writable: tuple[str, ...]
    active: tuple[str, ...]
    missing: tuple[str, ...]


def confine(job: BuildJob, enclosure: Enclosure) -> Confinement:
    """Restrict this process, and what it starts, to what *job* says.

    What comes before is the engine, and hooks of recipes that set variables and names.

    :raises OSError: the kernel has Landlock and refuses.
    """
    active, missing = _of_enclosure(enclosure), list(enclosure.missing)
    isolation = job.isolation
    if (isolation is None and job.writable is None) or not enclosure.ended:
        return Confinement((), tuple(active), tuple(missing))
    from spack.util import landlock  # start-up: ctypes

    version = landlock.version()
    if version < landlock.OLDEST:
        missing.append("Landlock (the kernel has none, or it is switched off)")
        held = job.writable if enclosure.mounts else None
        return Confinement(tuple(held or ()), tuple(active), tuple(missing))
    writable = None if job.writable is None else _writable(job, enclosure)
    closed = isolation is not None and not isolation.network and not enclosure.network
    readable = None
    if isolation is not None and writable is not None and not enclosure.mounts:
        readable = visible_paths(isolation.hidden, isolation.readable)
    landlock.restrict(writable=writable, readable=readable, tcp=closed)
    active.append(f"Landlock {version}: {_of_landlock(version, writable is not None)}")
    if closed and version < landlock.TCP:
        missing.append("a closed network (Landlock 4, or namespaces)")
    return Confinement(tuple(job.writable or ()), tuple(active), tuple(missing))


def _of_enclosure(enclosure: Enclosure) -> list[str]:
    names = {
        "mounts": "a file system that it may not change",
        "processes": "processes of its own",
        "network": "no network",
        "ended": "all processes end with it",
    }
    found = [text for name, text in names.items() if getattr(enclosure, name)]
    return [", ".join(found)] if found else []


def _of_landlock(version: int, writes: bool) -> str:
    parts = ["writes"] if writes else []
    parts += ["signals"] if version >= 6 else []
    return ", ".join(parts) or "nothing"


def _writable(job: BuildJob, enclosure: Enclosure) -> list[str]:
    """Return the paths to allow; programs open /dev/stdout again, which is the log."""
    paths = [*(job.writable or ()), job.log_path]
    for path in job.writable or ():
        # what is not there cannot be let through: the cache of a compiler, for instance
        with contextlib.suppress(OSError):
            os.makedirs(path, exist_ok=True)
    if enclosure.mounts:
        return [*paths, *PRIVATE]
    shared = {"/dev"} if os.geteuid() else {"/dev", "/proc"}
    return [path for path in paths if path not in shared] + list(_devices())


def _devices() -> Iterator[str]:
    """Yield what programs write to in ``/dev``: no shared memory, no disks."""
    yield "/dev/pts"
    for entry in os.scandir("/dev"):
        with contextlib.suppress(OSError):
            if entry.name not in _MEMORY and stat.S_ISCHR(entry.stat().st_mode):
                yield entry.path


def visible_paths(hidden: Iterable[str], readable: Iterable[str]) -> list[str]:
    """Return paths that together hold everything but *hidden*, and *readable* below that."""
    real = [os.path.realpath(path) for path in readable]
    closed = [path for path in hidden if os.path.isdir(path)]
    found = [path for path in real if any(path.startswith(f"{x}/") for x in closed)]
    pending = ["/"]
    while pending:
        directory = pending.pop()
        with contextlib.suppress(OSError):
            for name in os.listdir(directory):
                path = os.path.join(directory, name)
                if any(x.startswith(f"{path}/") for x in closed):
                    pending.append(path)
                elif path not in closed and not os.path.islink(path):
                    found.append(path)
    return found
