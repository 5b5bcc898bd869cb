"""Searching files, libraries and headers below a directory.

Order is fixed: by pattern as given, then by path. Symbolic links to directories are followed,
each real directory is visited once, nearest first. Directories that cannot be read are passed
over.
"""

from __future__ import annotations

import fnmatch
import glob
import os
import re
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from typing import Union

from spack.api.libraries import HeaderList, LibraryList

__all__ = [
    "find",
    "find_all_headers",
    "find_all_libraries",
    "find_first",
    "find_headers",
    "find_libraries",
    "find_system_libraries",
    "library_extensions",
]

Path = Union[str, "os.PathLike[str]"]

#: Suffixes that mark a library.
library_extensions = ["a", "so", "dylib"]

HEADER_SUFFIXES = ("h", "hpp", "hxx", "hh", "H", "txx", "tcc", "icc", "mod", "inc")

#: Where the system keeps libraries, in order of search.
SYSTEM_LIBRARY_DIRECTORIES = (
    "/lib64",
    "/lib",
    "/usr/lib64",
    "/usr/lib",
    "/usr/local/lib64",
    "/usr/local/lib",
)


def find(
    root: Path | Sequence[Path],
    files: str | Sequence[str],
    recursive: bool = True,
    max_depth: int | None = None,
) -> list[str]:
    """Return absolute paths of all files and directories below *root* whose name matches *files*.

    :param root: one directory or several; those that do not exist are passed over.
    :param files: patterns of :mod:`fnmatch`; one with ``/`` is a path below any directory.
    :param max_depth: 0 is *root* itself; not together with ``recursive=False``.
    """
    roots = [root] if isinstance(root, (str, os.PathLike)) else root
    patterns = [files] if isinstance(files, str) else files
    for argument in (roots, patterns):
        if not isinstance(argument, Sequence):
            raise TypeError("find() takes a path or a sequence of paths, and of patterns")
    if max_depth and not recursive:
        raise ValueError(f"max_depth ({max_depth}) needs recursive=True")
    depth = max_depth if recursive else 0
    return _search([os.path.abspath(path) for path in roots], patterns, depth)


def _search(roots: list[str], patterns: Sequence[str], max_depth: int | None) -> list[str]:
    names = {x: re.compile(fnmatch.translate(x)) for x in patterns if "/" not in x}
    found: dict[str, list[str]] = {pattern: [] for pattern in patterns}
    for directory, entries in _directories(roots, max_depth):
        for entry in entries:
            for pattern, regex in names.items():
                if regex.match(entry.name):
                    found[pattern].append(entry.path)
                    break
        for pattern in patterns:
            if pattern not in names:
                found[pattern].extend(glob.glob(os.path.join(glob.escape(directory), pattern)))
    return list(dict.fromkeys(path for paths in found.values() for path in sorted(paths)))


def _directories(
    roots: Iterable[str], max_depth: int | None
) -> Iterator[tuple[str, list[os.DirEntry[str]]]]:
    """Yield directories breadth first with their entries; each real directory once."""
    queue: deque[tuple[int, str]] = deque()
    visited = set()

    def enqueue(depth: int, path: str) -> None:
        try:
            status = os.stat(path)
        except OSError:
            return
        identity = (status.st_dev, status.st_ino)
        if identity not in visited:
            visited.add(identity)
            queue.append((depth, path))

    for root in roots:
        enqueue(0, root)
    while queue:
        depth, directory = queue.popleft()
        try:
            with os.scandir(directory) as scan:
                entries = sorted(scan, key=lambda entry: entry.name)
        except OSError:
            continue
        yield directory, entries
        if max_depth is not None and depth >= max_depth:
            continue
        for entry in entries:
            if _is_directory(entry):
                enqueue(depth + 1, entry.path)


def _is_directory(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False


def find_first(root: Path, files: str | Iterable[str], bfs_depth: int = 2) -> str | None:
    """Return the match nearest to *root*, or None; *bfs_depth* is accepted for compatibility."""
    regex = re.compile(
        "|".join(fnmatch.translate(x) for x in ([files] if isinstance(files, str) else files))
    )
    for _, entries in _directories([os.path.abspath(root)], None):
        for entry in entries:
            if regex.match(entry.name):
                return entry.path
    return None


def _names(what: str | Sequence[str], suffixes: Sequence[str]) -> list[str]:
    names = [what] if isinstance(what, str) else what
    if not isinstance(names, Sequence):
        raise TypeError("a name or a sequence of names is expected")
    return [f"{name}.{suffix}" for name in names for suffix in suffixes]


def find_headers(headers: str | Sequence[str], root: str, recursive: bool = False) -> HeaderList:
    """Return headers *headers* (patterns without suffix) in, or with *recursive* below, *root*."""
    return HeaderList(find(root, _names(headers, HEADER_SUFFIXES), recursive))


def find_all_headers(root: str) -> HeaderList:
    """Return all headers below *root*."""
    return find_headers("*", root, recursive=True)


def find_libraries(
    libraries: str | Sequence[str],
    root: str,
    shared: bool = True,
    recursive: bool = False,
    runtime: bool = True,
    max_depth: int | None = None,
) -> LibraryList:
    """Return the *libraries* (patterns such as ``libz``) in, or with *recursive* below, *root*.

    A recursive search looks into ``lib`` and ``lib64`` first and is content with what it finds
    there: *root* may be ``/usr``.

    :param shared: shared libraries, else static ones.
    :param runtime: has no meaning on this platform.
    """
    names = _names(libraries, ("so",) if shared else ("a",))
    if not recursive:
        if max_depth:
            raise ValueError(f"max_depth ({max_depth}) needs recursive=True")
        return LibraryList(find(root, names, recursive=False))
    for subdirectory in ("lib", "lib64"):
        found = find(os.path.join(root, subdirectory), names, recursive=False)
        if found:
            return LibraryList(found)
    return LibraryList(find(root, names, recursive=True, max_depth=max_depth))


def find_all_libraries(root: str, recursive: bool = False) -> LibraryList:
    """Return all shared and static libraries in, or with *recursive* below, *root*."""
    return find_libraries("*", root, shared=True, recursive=recursive) + find_libraries(
        "*", root, shared=False, recursive=recursive
    )


def find_system_libraries(libraries: str | Sequence[str], shared: bool = True) -> LibraryList:
    """Return libraries in the system's own directories, each from the first that has it."""
    found = LibraryList([])
    for library in [libraries] if isinstance(libraries, str) else libraries:
        for root in SYSTEM_LIBRARY_DIRECTORIES:
            here = find_libraries(library, root, shared, recursive=True)
            if here:
                found += here
                break
    return found
