"""A build writes into its stage and its prefix, and nowhere else.

``prevent``
    the kernel refuses it (:mod:`spack.util.landlock`): nothing need be undone. The worker gives
    up its rights before the first phase; the log of a build that failed shows what it tried.
``undo``
    for systems that cannot do that, and for builds in the user's own environment: the prefixes
    that the build uses are looked at before and after it. What is new there is removed.
``allow``
    nothing is compared.
"""

from __future__ import annotations

import collections
import contextlib
import os
import re
import stat
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Literal, NamedTuple

from spack.errors import InstallError

__all__ = [
    "ALLOW",
    "HINT",
    "PREVENT",
    "WritePolicy",
    "REF",
    "UNDO",
    "describe",
    "look",
    "refused",
    "settle",
    "writable_locations",
]

#: How writes outside of stage and prefix are handled.
WritePolicy = Literal["prevent", "undo", "allow"]

PREVENT: WritePolicy = "prevent"
UNDO: WritePolicy = "undo"
ALLOW: WritePolicy = "allow"

#: Where programs talk to the system; the rights there are the system's own.
SYSTEM_LOCATIONS = ("/dev", "/proc")

#: Directories for everybody; programs that do not know TMPDIR use them.
TEMPORARY_LOCATIONS = ("/tmp", "/var/tmp")

#: How many files a message names.
_SHOWN = 5

#: Written as needed by any process that imports a module; harmless.
_PASSED_OVER = "__pycache__"

#: Of errors that name such a path.
REF = "outside-prefix"

HINT = (
    "let the recipe configure where the build installs: 'prefix', 'python_purelib' and "
    "'python_platlib'; config:build_env:write names further directories that builds may write to"
)


def writable_locations(
    stages: Iterable[str], prefix: str, kept: Iterable[str], further: Iterable[str] = ()
) -> tuple[str, ...]:
    """Return the paths below which a build may write.

    :param stages: the stage, and sources elsewhere.
    :param kept: must not be written to, such as the install tree: a temporary directory that has
        one of them in it is left out.
    :param further: what the configuration names.
    """
    real = [os.path.realpath(path) for path in kept]
    temporary = [
        location
        for location in TEMPORARY_LOCATIONS
        if not any(_below(path, os.path.realpath(location)) for path in real)
    ]
    locations = (*stages, prefix, *SYSTEM_LOCATIONS, *temporary, *further)
    return tuple(dict.fromkeys(os.path.realpath(location) for location in locations))


def _below(path: str, location: str) -> bool:
    return path == location or path.startswith(location.rstrip(os.sep) + os.sep)


# -- what was prevented ---------------------------------------------------------------------------

_DENIED = r"Permission denied|Errno 13\]|os error 13\)|EACCES|Read-only file system"
#: Absolute paths: in quotation marks, or up to white space; not the program that complains.
_PATHS = (
    r"""'(/[^'\n]+)'|"(/[^"\n]+)"|`(/[^'`\n]+)'"""
    r"|\u2018(/[^\u2019\n]+)\u2019|(?<!\S)(/[^\s:'\"]+)"
)
#: How many lines a message may have.
_WRAPPED = 5
_READS = r"for reading|cannot (stat|access|exec)|can't (stat|read)"
_WRITES = r"cannot|could not|unable|failed to|Errno|os error"


def refused(lines: Iterable[str], writable: Sequence[str]) -> tuple[str, ...]:
    """Return paths outside of *writable* that lines of a log say could not be written, each once.

    Files that cannot be read or run are left out where the line does not say what was tried: it
    may be that, and not writing, that was refused.
    """
    denied = re.compile(_DENIED)  # the rest when there is something: most logs have nothing
    found: dict[str, None] = {}
    before: collections.deque[str] = collections.deque(maxlen=_WRAPPED)
    for line in lines:
        before.append(line)
        if not denied.search(line) or re.search(_READS, line):
            continue
        paths, writes = re.compile(_PATHS), re.compile(_WRITES)
        # CMake breaks its messages into lines: the path comes before the statement about it.
        refusal = next(
            (suggestions for suggestions in reversed(before) if paths.search(suggestions)), line
        )
        # of `cp: cannot copy A to B` and of `rename A -> B` both may have been refused
        for match in paths.finditer(refusal.partition(": line ")[2] or refusal):
            path = os.path.normpath(next(filter(None, match.groups())).rstrip(".,;"))
            inside = any(_below(os.path.realpath(path), location) for location in writable)
            if not inside and (writes.search(refusal) or not _is_out_of_reach(path)):
                found[path] = None
    return tuple(found)


def _is_out_of_reach(path: str) -> bool:
    return os.path.isfile(path) and not os.access(path, os.R_OK | os.X_OK)


def describe(paths: Sequence[str]) -> str:
    """Return the message for *paths* that a build wrote to, or tried to."""
    more = len(paths) - _SHOWN
    return ", ".join(paths[:_SHOWN]) + (f" and {more} more" if more > 0 else "")


# -- what is undone -------------------------------------------------------------------------------

#: By path, what shows that it is another one: kind and mode, size, time, inode.
Looks = Mapping[str, tuple[int, ...]]


class Changes(NamedTuple):
    """What is different; paths are absolute and in order."""

    added: tuple[str, ...]
    changed: tuple[str, ...]
    removed: tuple[str, ...]


def look(roots: Iterable[str]) -> Looks:
    """Return everything below *roots*; a microsecond or two for each file."""
    found: dict[str, tuple[int, ...]] = {}
    for root in dict.fromkeys(roots):
        found.update(_walk(root))
    return found


def _walk(directory: str) -> Iterator[tuple[str, tuple[int, ...]]]:
    pending = [directory]
    while pending:
        with contextlib.suppress(OSError), os.scandir(pending.pop()) as entries:
            for entry in entries:
                if entry.name == _PASSED_OVER:
                    continue
                status = entry.stat(follow_symlinks=False)
                if stat.S_ISDIR(status.st_mode):
                    # its time changes with what is in it
                    yield entry.path, (status.st_mode,)
                    pending.append(entry.path)
                else:
                    facts = (status.st_mode, status.st_size, status.st_mtime_ns, status.st_ino)
                    yield entry.path, facts


def compare(before: Looks, after: Looks) -> Changes:
    """Return the changes since *before*; pure."""
    return Changes(
        tuple(sorted(set(after) - set(before))),
        tuple(sorted(path for path, facts in before.items() if after.get(path, facts) != facts)),
        tuple(sorted(set(before) - set(after))),
    )


def settle(own: Sequence[str], external: Sequence[str], before: Looks, package: str) -> None:
    """Remove what is new since *before*, which :func:`look` gave for *own* and *external*.

    :param own: prefixes that no other process writes to meanwhile.
    :param external: directories of the system; new files there stay, as another process may own
        them.
    :raises InstallError: something was new or different; all of it is named.
    """
    added, changed, removed = compare(before, look([*own, *external]))
    if not (added or changed or removed):
        return
    strays = [path for path in added if any(_below(path, root) for root in own)]
    left = [path for path in added if path not in strays] + _remove(strays)
    lines: list[str] = []
    deleted = [path for path in added if path not in left]
    if deleted:
        lines.append(f"removed again: {', '.join(deleted)}")
    for title, paths in (
        ("still there", left),
        ("modified, and to be installed again", changed),
        ("removed by the build, and to be installed again", removed),
    ):
        if paths:
            lines.append(f"{title}: {', '.join(paths)}")
    paths = (*added, *changed, *removed)
    raise InstallError(
        f"{package} wrote outside of its prefix: {describe(paths)}",
        "\n".join(lines),
        facts={"paths": paths},
        hint=HINT,
        ref=REF,
    )


def _remove(paths: Sequence[str]) -> list[str]:
    """Remove *paths*, the innermost first; those that stay."""
    left = []
    for path in reversed(paths):
        try:
            if os.path.isdir(path) and not os.path.islink(path):
                os.rmdir(path)
            else:
                os.unlink(path)
        except OSError:
            left.append(path)
    return left[::-1]
