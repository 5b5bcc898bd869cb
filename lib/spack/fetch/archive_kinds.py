"""Kinds of archives and compressions, a row each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

__all__ = ["ENDINGS", "KINDS", "ArchiveKind", "kind_of_head"]


class ArchiveKind(NamedTuple):
    """One kind, recognised by its first bytes.

    :ivar magic: what is at *offset*.
    :ivar endings: of names that promise it.
    :ivar module: of Python, whose ``open`` reads it; some Pythons lack some.
    :ivar program: reads it from standard input, for Pythons without the module.
    """

    magic: bytes
    offset: int = 0
    endings: tuple[str, ...] = ()
    module: str = ""
    program: tuple[str, ...] = ()


KINDS: Mapping[str, ArchiveKind] = {
    "gz": ArchiveKind(b"\x1f\x8b", 0, (".gz", ".tgz"), "gzip"),
    "bz2": ArchiveKind(b"BZh", 0, (".bz2", ".tbz", ".tbz2"), "bz2", ("bzip2", "-dc")),
    "xz": ArchiveKind(b"\xfd7zXZ\x00", 0, (".xz", ".txz"), "lzma", ("xz", "-dc")),
    "lzma": ArchiveKind(b"\x5d\x00\x00", 0, (), "lzma", ("xz", "-dc")),
    "zst": ArchiveKind(b"\x28\xb5\x2f\xfd", 0, (".zst",), "compression.zstd", ("zstd", "-dc")),
    "lz": ArchiveKind(b"LZIP", 0, (".lz",), "", ("lzip", "-dc")),
    "Z": ArchiveKind(b"\x1f\x9d", 0, (".Z",), "", ("gzip", "-dc")),
    "zip": ArchiveKind(b"PK\x03\x04", 0, (".zip",)),
    "empty-zip": ArchiveKind(b"PK\x05\x06"),
    "tar": ArchiveKind(b"ustar", 257, (".tar",), "io"),
}

#: Endings of names that promise an archive.
ENDINGS = tuple(ending for kind in KINDS.values() for ending in kind.endings)


def kind_of_head(head: bytes) -> str | None:
    """Return the kind of a file that begins with *head*, 512 bytes of it; None for no archive."""
    for name, kind in KINDS.items():
        if head[kind.offset : kind.offset + len(kind.magic)] == kind.magic:
            return name
    return None
