"""What a look at the whole view found to be right, so that the next look can be short.

Looking at every entry of a view costs 3 µs for each and reading its records as much again: 10 ms
for 4,000 files, 2 s for 100,000. But a link, a hard link or a folder of a view can only come, go
or become another one if the folder that it is in changes, and then the kernel notes the time. So
after an examination that found the view as it was made, ``.spack-view/checked.json`` keeps the
times of all folders, and size and times of those files whose content belongs to the view alone
(copies and texts); while they are the same, the view is still right. It is a cache: whatever does
not fit leads to the examination of everything.

Times are those of the file system's clock, which may tick as slowly as every 2 s (FAT). So a
change right after the look could have the time of one before it: stamps count only if everything
was at rest for :data:`REST` before they were written (as in git's "racy" index).

Format::

    {"digest": of the view's head, "entries": number, "unmanaged": whether it has unmanaged files,
     "folders": [mtime_ns, ctime_ns, …], "files": [path, size, mtime_ns, ctime_ns, …]}

with two numbers for the view's own folder and for each of the head's ``folders``, in their order.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from typing import Any, NamedTuple

from spack.util.json_input import parse_json
from spack.view.view_manifest import CHANGE, CHECKED, Head, ViewManifest

__all__ = ["StatRecord", "StatCache", "load_stamps", "look_at", "write_stamps"]

#: Nanoseconds that must have passed between the last change and the look.
REST = 2_000_000_000

#: Kinds of items whose content can change while the folder stays as it is.
_OWN_CONTENT = frozenset({"copy", "text"})


class StatRecord(NamedTuple):
    """The times of a view as they are now; see the module's docstring."""

    folders: list[int]
    files: list[Any]


class StatCache(NamedTuple):
    """What a former look found.

    :ivar entries: of the view.
    :ivar unmanaged: whether unmanaged files were in the view.
    """

    entries: int
    unmanaged: bool


def look(root: str, folders: Sequence[str], files: Sequence[str]) -> StatRecord | None:
    """Return the times of *folders* and *files* below *root*; None if one of them is missing."""
    start = root + "/"
    times: list[int] = []
    rows: list[Any] = []
    stat = os.stat
    try:
        for path in ("", *folders):
            info = stat(start + path, follow_symlinks=False)
            times.append(info.st_mtime_ns)
            times.append(info.st_ctime_ns)
        for path in files:
            info = stat(start + path, follow_symlinks=False)
            rows += (path, info.st_size, info.st_mtime_ns, info.st_ctime_ns)
    except OSError:
        return None
    return StatRecord(times, rows)


def look_at(root: str, manifest: ViewManifest) -> StatRecord | None:
    """Return the times of *manifest*'s view; take them before it is verified."""
    files = [path for path, item in manifest.items.items() if item.how in _OWN_CONTENT]
    return look(root, manifest.folders, files)


def load_stamps(root: str, head: Head) -> StatCache | None:
    """Return what is known of the view at *root* if nothing in it has changed since; else None."""
    try:
        with open(os.path.join(root, CHECKED), encoding="utf-8") as stream:
            written = os.fstat(stream.fileno()).st_mtime_ns
            data = parse_json(stream.read())
        if data["digest"] != head.digest or os.path.lexists(os.path.join(root, CHANGE)):
            return None
        files = data["files"]
        seen = look(root, head.folders, files[::4])
        if seen is None or seen != StatRecord(data["folders"], files):
            return None
        newest = max(*seen.folders, *files[2::4], *files[3::4])
        if newest + REST > written:
            return None
        return StatCache(data["entries"], data["unmanaged"])
    except (OSError, ValueError, KeyError, TypeError, IndexError):
        return None


def write_stamps(root: str, head: Head, stamps: StatCache, seen: StatRecord | None) -> None:
    """Keep what a look has found; a view that cannot be written goes without."""
    if seen is None:
        return
    data = {"digest": head.digest, **stamps._asdict(), **seen._asdict()}
    path = os.path.join(root, CHECKED)
    # Renamed to its path, so that its time is that of this look.
    try:
        with open(path + ".new", "w", encoding="utf-8") as stream:
            stream.write(json.dumps(data, separators=(",", ":")))
        os.rename(path + ".new", path)
    except OSError:
        pass
