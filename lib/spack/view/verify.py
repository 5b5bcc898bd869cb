"""How the disk compares with what a view records of itself."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from spack.util.hashing import hash_file
from spack.view.view_manifest import FOLDER, ViewManifest, ViewRecord

__all__ = ["VerificationResult", "describe", "examine", "is_as_made", "is_as_made_at"]


class VerificationResult(NamedTuple):
    """How a view differs from its manifest; all paths relative, in order.

    :ivar missing: files, links and directories that do not exist.
    :ivar modified: paths that hold something else.
    :ivar extra: unmanaged files, links, and directories with a trailing ``/``.
    :ivar bytecode: ``.pyc`` files that Python wrote beside the view's sources.
    """

    missing: tuple[str, ...]
    modified: tuple[str, ...]
    extra: tuple[str, ...]
    bytecode: tuple[str, ...]

    @property
    def whole(self) -> bool:
        """Whether everything that belongs to the view is there as it was made."""
        return not self.missing and not self.modified


def examine(root: str, manifest: ViewManifest) -> VerificationResult:  # noqa: C901 - inner loop of verification
    """Compare the disk with the manifest.

    Links by their targets; hardlinks by the identity of the file; other files by size and time,
    and where those differ by content. Cost: about 3 µs a path.
    """
    expected: dict[str, dict[str, ViewRecord]] = {"": {}}
    for folder in manifest.folders:
        expected[folder] = {}
    for path, item in manifest.items.items():
        folder, _, name = path.rpartition("/")
        expected[folder][name] = item
    missing: list[str] = []
    modified: list[str] = []
    extra: list[str] = []
    bytecode: list[str] = []
    for folder, items in expected.items():
        start = folder + "/" if folder else ""
        try:
            with os.scandir(os.path.join(root, folder)) as listing:
                entries = {entry.name: entry for entry in listing}
        except (FileNotFoundError, NotADirectoryError):
            missing.append(folder)
            missing.extend(start + name for name in items)
            continue
        for name, item in items.items():
            entry = entries.pop(name, None)
            if entry is None:
                missing.append(start + name)
            elif not is_as_made(entry, item):
                modified.append(start + name)
        for name, entry in entries.items():
            path = start + name
            if not entry.is_dir(follow_symlinks=False):
                extra.append(path)
            elif path not in expected and path != FOLDER:
                if name == "__pycache__":
                    _sort_bytecode(entry.path, path, items, extra, bytecode)
                else:
                    extra.extend(_everything(entry.path, path))
    _extract_bytecode(extra, bytecode, expected)
    # A directory that a file has replaced: its name is listed as unmanaged and as missing.
    return VerificationResult(
        tuple(sorted(missing)), tuple(sorted(modified)), tuple(sorted(extra)), tuple(bytecode)
    )


def is_as_made(entry: os.DirEntry[str], item: ViewRecord) -> bool:
    """Return whether an entry of a folder is what *item* says."""
    if item.how in ("symlink", "link"):
        return entry.is_symlink() and os.readlink(entry.path) == item.source
    if not entry.is_file(follow_symlinks=False):
        return False
    return _is_same_file(entry.path, entry.stat(follow_symlinks=False), item)


def is_as_made_at(path: str, item: ViewRecord) -> bool:
    """Return whether what is at *path* is what *item* says."""
    try:
        info = os.lstat(path)
        if item.how in ("symlink", "link"):
            return stat.S_ISLNK(info.st_mode) and os.readlink(path) == item.source
        return stat.S_ISREG(info.st_mode) and _is_same_file(path, info, item)
    except OSError:
        return False


def _is_same_file(path: str, info: os.stat_result, item: ViewRecord) -> bool:
    if item.how == "hardlink":
        try:
            source = os.stat(item.source, follow_symlinks=False)
        except OSError:
            return _hash(path, item.digest) == item.digest
        if (source.st_ino, source.st_dev) == (info.st_ino, info.st_dev):
            return True
    elif info.st_size == item.size and info.st_mtime_ns == item.mtime_ns:
        return True
    return _hash(path, item.digest) == item.digest


def _hash(path: str, like: str) -> str:
    try:
        return hash_file(path, like)
    except OSError:
        return ""


def _everything(path: str, relative: str) -> Iterator[str]:
    """Yield an unmanaged directory and all in it."""
    pending = [(path, relative)]
    while pending:
        path, relative = pending.pop()
        try:
            with os.scandir(path) as listing:
                entries = list(listing)
        except FileNotFoundError:
            continue  # its owner has removed it meanwhile
        yield relative + "/"
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                pending.append((entry.path, f"{relative}/{entry.name}"))
            else:
                yield f"{relative}/{entry.name}"


def _source_name(name: str) -> str:
    """Return ``a.py`` for ``a.cpython-311.opt-1.pyc``."""
    return name.partition(".")[0] + ".py"


def _sort_bytecode(
    path: str,
    relative: str,
    sources: Mapping[str, ViewRecord],
    extra: list[str],
    bytecode: list[str],
) -> None:
    """Return whether an unmanaged ``__pycache__`` belongs to the view's own sources."""
    for found in _everything(path, relative):
        name = found.rpartition("/")[2]
        if name.endswith(".pyc") and _source_name(name) in sources:
            bytecode.append(found)
        elif not found.endswith("/"):
            extra.append(found)


def _extract_bytecode(
    extra: list[str], bytecode: list[str], expected: Mapping[str, Mapping[str, ViewRecord]]
) -> None:
    """Move byte-code of the view's sources, in a ``__pycache__`` of the view, out of *extra*."""
    kept: list[str] = []
    for path in extra:
        folder, _, name = path.rpartition("/")
        above, _, last = folder.rpartition("/")
        if (
            last == "__pycache__"
            and name.endswith(".pyc")
            and _source_name(name) in expected.get(above, {})
        ):
            bytecode.append(path)
        else:
            kept.append(path)
    extra[:] = kept


def describe(path: str) -> str:
    """Return the kind of *path*, for a message."""
    try:
        mode = os.lstat(path).st_mode
    except OSError:
        return "nothing"
    if stat.S_ISLNK(mode):
        return "a symbolic link"
    return "a directory" if stat.S_ISDIR(mode) else "a file"
