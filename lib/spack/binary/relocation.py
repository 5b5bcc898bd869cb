"""Changing recorded references to prefixes in unpacked files, in place.

Nothing but the recorded bytes is looked at; each must still be the prefix that it is said to be.
"""

from __future__ import annotations

import os
import posixpath
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Callable, Optional

from spack.binary.cache_manifest import refused
from spack.binary.path_references import FileReferences, Reference
from spack.errors import BinaryCacheError
from spack.util.frozen import frozen

__all__ = ["LONGEST_SHEBANG", "Prefixes", "SetRunPath", "relocate_file"]

#: Bytes of a ``#!`` line that every Linux from 5.1 on reads, with its line end.
LONGEST_SHEBANG = 254

#: Sets the run path of an ELF file; given its path, the run path, and whether it is a RUNPATH.
SetRunPath = Callable[[Path, str, bool], None]

#: Types of marshalled strings with one and with four bytes of length (CPython's marshal.c).
_SHORT, _LONG = b"zZ", b"aAut"
_SHORT_TO_LONG = {ord("z"): ord("a"), ord("Z"): ord("A")}
_FLAG_REF = 0x80


@frozen
class Prefixes:
    """Where nodes were when a package was packed, and where they are here; by hash.

    :param package: for messages.
    :param own: where the package itself is here.
    """

    package: str
    own: str
    old: Mapping[str, str]
    new: Mapping[str, str]

    @property
    def moved(self) -> bool:
        """Whether any of them is elsewhere."""
        return any(self.new.get(key) != path for key, path in self.old.items())

    def pair(self, key: str) -> tuple[bytes, bytes]:
        """Return the old and the new path of one.

        :raises BinaryCacheError: the package names a node that is not among its dependencies.
        """
        if key not in self.old or key not in self.new:
            raise refused(self.package, f"it names the prefix of the unknown node {key!r}")
        return os.fsencode(self.old[key]), os.fsencode(self.new[key])

    def immovable(self, path: str, reason: str) -> BinaryCacheError:
        """Return the error for a file that cannot name the new prefixes."""
        return BinaryCacheError(
            f"{self.package} cannot be moved to {self.own}: {path} {reason}",
            facts={"package": self.package, "path": path, "reason": reason},
            hint="use an install tree with a shorter path, push from one with "
            "config:install_tree:padded_length, or build it from source",
            ref="binary-immovable",
        )


def relocate_file(
    root: Path,
    path: str,
    references: FileReferences,
    prefixes: Prefixes,
    set_run_path: Optional[SetRunPath] = None,  # noqa: UP045 - an alias, evaluated by Python 3.9
) -> bool:
    """Change the references in the file at *path* below *root*; return whether any changed.

    The file keeps its inode, as hard links share it.

    :param set_run_path: is used for a run path without room.
    :raises BinaryCacheError: the file is not what the record says, or cannot name the new paths.
    :raises OSError: it cannot be written.
    """
    moving = [x for x in references.references if len(set(prefixes.pair(x.key))) > 1]
    if not moving:
        return False
    if references.kind == "sealed":
        raise prefixes.immovable(path, "is a zip archive that names a prefix")
    flags = os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC
    with os.fdopen(os.open(root / path, flags), "r+b", buffering=0) as file:
        if references.kind in ("text", "bytecode"):
            _splice(file, path, moving, prefixes, references.kind)
            return True
        without_room = _overwrite(file, path, moving, references, prefixes)
    if without_room:
        _reset_run_path(root / path, path, prefixes, set_run_path)
    return True


def _splice(
    file: IO[bytes], path: str, moving: list[Reference], prefixes: Prefixes, kind: str
) -> None:
    data = _read_all(file)
    parts, position = [], 0
    for offset, key in moving:
        old, new = prefixes.pair(key)
        if data[offset : offset + len(old)] != old or offset < position:
            raise _differs(prefixes, path, old)
        begin, header = offset, b""
        if kind == "bytecode" and len(new) != len(old):
            begin, header = _string_header(data, offset, old, new)
            if not header and len(new) > len(old):
                raise prefixes.immovable(path, "is bytecode that names a prefix inside a string")
            new += b"/" * (0 if header else len(old) - len(new))
        parts += [data[position:begin], header, new]
        position = offset + len(old)
    text = b"".join([*parts, data[position:]])
    if kind == "text":
        text = _without_sbang(text)
        line = text.partition(b"\n")[0]
        if line.startswith(b"#!") and len(line) >= LONGEST_SHEBANG:
            raise prefixes.immovable(path, "is a script whose first line would be too long")
    file.seek(0)
    file.write(text)
    file.truncate()


def _read_all(file: IO[bytes]) -> bytes:
    chunks: list[bytes] = []
    while True:
        chunk = file.read(1 << 20)
        if not chunk:
            return b"".join(chunks)
        chunks.append(chunk)


def _string_header(data: bytes, offset: int, old: bytes, new: bytes) -> tuple[int, bytes]:
    """Return where the marshalled string at *offset* begins, and its header with a new length.

    The offset itself and no header if the path is not the beginning of a string.
    """
    growth = len(new) - len(old)
    kind = data[offset - 2] if offset >= 2 else 0
    if kind & ~_FLAG_REF in _SHORT and data[offset - 1] >= len(old):
        size = data[offset - 1] + growth
        if size < 256:
            return offset - 2, bytes((kind, size))
        longer = _SHORT_TO_LONG[kind & ~_FLAG_REF] | kind & _FLAG_REF
        return offset - 2, struct.pack("<Bi", longer, size)
    kind = data[offset - 5] if offset >= 5 else 0
    if kind & ~_FLAG_REF in _LONG:
        size = struct.unpack_from("<i", data, offset - 4)[0] + growth
        return offset - 5, struct.pack("<Bi", kind, size)
    return offset, b""


def _without_sbang(text: bytes) -> bytes:
    """Drop the line of Spack's ``sbang``, which a kernel that reads long lines does not need."""
    line, _, rest = text.partition(b"\n")
    is_sbang = line.startswith(b"#!/bin/sh ") and line.endswith(b"/sbang")
    return rest if is_sbang and rest.startswith(b"#!") else text


def _overwrite(
    file: IO[bytes],
    path: str,
    moving: list[Reference],
    references: FileReferences,
    prefixes: Prefixes,
) -> bool:
    """Write the new paths over the old ones; return whether a run path has no room."""
    without_room = False
    for offset, key in moving:
        old, new = prefixes.pair(key)
        file.seek(offset)
        if file.read(len(old)) != old:
            raise _differs(prefixes, path, old)
        if len(new) > len(old) and offset in references.run_paths:
            new = _relative_to_origin(path, new, prefixes)
            if len(new) > len(old):
                without_room = True
                continue
        if len(new) > len(old):
            if offset in references.debug:
                continue
            raise prefixes.immovable(
                path, f"names {os.fsdecode(old)}, and has no room for {os.fsdecode(new)}"
            )
        file.seek(offset)
        file.write(new + b"/" * (len(old) - len(new)))
    return without_room


def _relative_to_origin(path: str, new: bytes, prefixes: Prefixes) -> bytes:
    folder = posixpath.dirname(posixpath.join(prefixes.own, path))
    return b"$ORIGIN/" + os.fsencode(posixpath.relpath(os.fsdecode(new), folder))


def _reset_run_path(
    file: Path, path: str, prefixes: Prefixes, set_run_path: SetRunPath | None
) -> None:
    from spack.api.elf import parse_elf  # start-up: seldom

    if set_run_path is None:
        raise prefixes.immovable(path, "has a run path without room, and patchelf is not on PATH")
    with open(file, "rb") as stream:
        elf = parse_elf(stream, dynamic_section=True)
    run_path = os.fsdecode(elf.dt_rpath_str)
    for key in sorted(prefixes.old, key=lambda key: -len(prefixes.old[key])):
        if key in prefixes.new:
            run_path = run_path.replace(prefixes.old[key], prefixes.new[key])
    set_run_path(file, run_path, elf.is_runpath)


def _differs(prefixes: Prefixes, path: str, old: bytes) -> BinaryCacheError:
    return refused(prefixes.package, f"{path} does not name {os.fsdecode(old)} where it should")
