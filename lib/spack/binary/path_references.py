"""References in the files of a prefix to its own prefix or those of its dependencies.

They are found once, when a package is packed, as offsets; installing it elsewhere changes those
bytes and reads nothing else. How, depends on the kind of file:

``text``      any length: what follows moves.
``binary``    the length stays: a shorter path is filled up with slashes behind it, which names the
              same file, keeps all offsets, the length of every string, and strings that share
              an end.
``elf``       as ``binary``; a run path that has no room becomes relative to ``$ORIGIN``, and what
              is for debuggers only (outside of all segments that are loaded) may stay as it was.
``bytecode``  strings of ``.pyc`` files carry their length, which is changed with them.
``sealed``    zip archives: a checksum covers the bytes, so they cannot be changed.
"""

from __future__ import annotations

import io
import mmap
import os
import re
from collections.abc import Iterable, Mapping
from typing import Any, Literal, NamedTuple, Union, get_args

from spack.api.elf import ElfParsingError, parse_elf
from spack.util.frozen import frozen

__all__ = ["ROOT", "FileReferences", "Kind", "PrefixPattern", "Reference", "references_in"]

Kind = Literal["text", "binary", "elf", "bytecode", "sealed"]

#: The key of the install tree's root, for paths in it that belong to no known node.
ROOT = ""

_Buffer = Union[bytes, mmap.mmap]

#: What names of files are made of; a path that continues with it is another path.
_WORD = rb"[A-Za-z0-9_+-]"
_WORD_BEFORE = re.compile(rb"[A-Za-z0-9_.+-]*\Z")
_LONGEST_WORD = 64


class Reference(NamedTuple):
    """One reference: *key* is the hash of the node whose prefix it names, or :data:`ROOT`."""

    offset: int
    key: str


@frozen
class FileReferences:
    """The references of one file, in order of offset.

    :param run_paths: offsets of those that begin an entry of an ELF file's run path.
    :param debug: offsets of those that no running program reads.
    """

    kind: Kind
    references: tuple[Reference, ...]
    run_paths: frozenset[int] = frozenset()
    debug: frozenset[int] = frozenset()

    def to_data(self) -> dict[str, Any]:
        data: dict[str, Any] = {"kind": self.kind, "at": [list(row) for row in self.references]}
        for key in ("run_paths", "debug"):
            if getattr(self, key):
                data[key] = sorted(getattr(self, key))
        return data

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> FileReferences:
        """Read what :meth:`to_data` gave.

        :raises ValueError: it is of another form; so are KeyError and TypeError.
        """
        if data["kind"] not in get_args(Kind):
            raise ValueError(f"the kind {data['kind']!r} is not known")
        found = tuple(Reference(offset, key) for offset, key in data["at"])
        if any(type(x.offset) is not int or type(x.key) is not str for x in found):
            raise ValueError("an offset is not a number")
        if any(before.offset >= after.offset for before, after in zip(found, found[1:])):
            raise ValueError("the offsets are not in order")
        rest = (frozenset(data.get(key, ())) for key in ("run_paths", "debug"))
        return cls(data["kind"], found, *rest)


class PrefixPattern:
    """Finds prefixes in files.

    :param prefixes: by key; :data:`ROOT` is the install tree's.
    """

    def __init__(self, prefixes: Mapping[str, str]) -> None:
        self._keys = {os.fsencode(path): key for key, path in prefixes.items()}
        longest_first = sorted(self._keys, key=len, reverse=True)
        choice = b"|".join(re.escape(path) for path in longest_first)
        self._pattern = re.compile(rb"(?:" + choice + rb")(?!" + _WORD + rb")")

    def find(self, data: _Buffer) -> list[Reference]:
        """Return the references in *data*, in order of offset."""
        found = []
        for match in self._pattern.finditer(data):
            offset = match.start()
            if not _is_inside_path(data[max(0, offset - _LONGEST_WORD) : offset]):
                found.append(Reference(offset, self._keys[match.group()]))
        return found

    def match(self, path: str) -> tuple[str, str] | None:
        """Return the key of the prefix that *path* begins with, and what follows; None without."""
        found = self._pattern.match(os.fsencode(path))
        if found is None:
            return None
        return self._keys[found.group()], os.fsdecode(os.fsencode(path)[found.end() :])


def _is_inside_path(before: bytes) -> bool:
    """Return whether what comes before makes the match the end of a longer path."""
    word = _WORD_BEFORE.search(before)
    start = word.start() if word is not None else len(before)
    return start < len(before) and before[start - 1 : start] == b"/"


def references_in(data: _Buffer, path: str, pattern: PrefixPattern) -> FileReferences | None:
    """Return the references in a file's content, or None if there are none."""
    found = pattern.find(data)
    if not found:
        return None
    kind = _kind(data, path)
    return FileReferences(
        kind, tuple(found), *(_parts_of_elf(data, found) if kind == "elf" else ())
    )


def _kind(data: _Buffer, path: str) -> Kind:
    head = data[:4]
    if head == b"\x7fELF":
        return "elf"
    if head == b"PK\x03\x04":
        return "sealed"
    if data.find(b"\0") < 0:
        return "text"
    return "bytecode" if path.endswith(".pyc") else "binary"


def _parts_of_elf(
    data: _Buffer, found: Iterable[Reference]
) -> tuple[frozenset[int], frozenset[int]]:
    """Return the offsets of run paths, and of what is for debuggers only."""
    try:
        elf = parse_elf(io.BytesIO(data), dynamic_section=True)
    except ElfParsingError:
        return frozenset(), frozenset()
    begin, end = elf.dt_rpath_offset, elf.dt_rpath_offset + len(elf.dt_rpath_str)
    run_paths, debug = set(), set()
    for offset, _ in found:
        if begin <= offset < end and (offset == begin or data[offset - 1 : offset] == b":"):
            run_paths.add(offset)
        elif elf.has_pt_dynamic and not elf.is_loaded(offset):
            debug.add(offset)
    return frozenset(run_paths), frozenset(debug)
