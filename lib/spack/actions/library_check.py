"""Shared libraries that the loader would not find for the files of installed packages."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from spack.api.elf import ElfParsingError, parse_elf

__all__ = ["UnresolvedLibrary", "unresolved_libraries"]

#: Directories that the loader always searches.
SYSTEM_DIRECTORIES = ("/lib64", "/lib", "/usr/lib64", "/usr/lib", "/usr/local/lib")

_MAGIC = b"\x7fELF"


class UnresolvedLibrary(NamedTuple):
    """A library that a file needs and that is in none of its run paths.

    :ivar file: relative to the prefix.
    """

    file: str
    library: str


def unresolved_libraries(
    prefix: Path, system: Iterable[str] = SYSTEM_DIRECTORIES
) -> Iterator[UnresolvedLibrary]:
    """Yield what the loader would not find for programs and libraries below *prefix*.

    :param system: directories of the system; those of one architecture below them count, too.
    """
    known = _names(system)
    for folder, folders, files in os.walk(prefix):
        folders[:] = sorted(set(folders) - {".spack"})
        for name in sorted(files):
            path = os.path.join(folder, name)
            for library in _missing(path, known):
                yield UnresolvedLibrary(os.path.relpath(path, prefix), library)


def _names(folders: Iterable[str]) -> frozenset[str]:
    """Return the names of all libraries of the system."""
    found: set[str] = set()
    for folder in folders:
        try:
            entries = list(os.scandir(folder))
        except OSError:
            continue
        found |= {entry.name for entry in entries}
        below = [entry.path for entry in entries if entry.name.endswith("-gnu")]
        found |= _names(below) if below else set()
    return frozenset(found)


def _missing(path: str, known: frozenset[str]) -> list[str]:
    if os.path.islink(path):
        return []
    try:
        with open(path, "rb") as stream:
            if stream.read(4) != _MAGIC:
                return []
            stream.seek(0)
            elf = parse_elf(stream, interpreter=True, dynamic_section=True)
    except (OSError, ElfParsingError):
        return []
    if not elf.has_needed:
        return []
    origin = os.path.dirname(path)
    paths = elf.dt_rpath_str.decode(errors="replace").split(":") if elf.has_rpath else []
    folders = [x.replace("${ORIGIN}", origin).replace("$ORIGIN", origin) for x in paths if x]
    wanted = [text.decode(errors="replace") for text in elf.dt_needed_strs]
    return [
        library
        for library in wanted
        if not (os.path.exists(library) if "/" in library else library in known)
        and not any(os.path.exists(os.path.join(folder, library)) for folder in folders)
    ]
