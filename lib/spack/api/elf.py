"""Reading and trimming ELF files: interpreter, needed libraries, run paths.

Follows the System V ABI, chapters 4 (object files) and 5 (program loading). Only what dynamic
linking needs is read; damaged files raise :class:`ElfParsingError`.
"""

from __future__ import annotations

import os
import re
import struct
from dataclasses import dataclass, field
from typing import Any, BinaryIO, NamedTuple

__all__ = [
    "ElfFile",
    "ElfParsingError",
    "delete_needed_from_elf",
    "delete_rpath",
    "get_elf_compat",
    "get_rpaths",
    "libc_from_dynamic_linker",
    "parse_dynamic_linker",
    "parse_elf",
]

_PT_LOAD, _PT_DYNAMIC, _PT_INTERP = 1, 2, 3
_DT_NULL, _DT_NEEDED, _DT_STRTAB, _DT_STRSZ, _DT_SONAME = 0, 1, 5, 10, 14
_DT_RPATH, _DT_RUNPATH = 15, 29

#: Dynamic linkers as ``gcc -###`` and ``ld`` name them.
_DYNAMIC_LINKER = r"-(?:dynamic-linker|I)[ =,\"']+([^\s,\"']*ld[^\s,\"']*)"


class ElfParsingError(Exception):
    """The file is not an ELF file, or a damaged one."""


class _Segment(NamedTuple):
    kind: int
    offset: int
    address: int
    size: int


class _Entry(NamedTuple):
    tag: int
    value: int


@dataclass
class ElfFile:
    """What an ELF file says about its dynamic linking; texts are bytes as in the file.

    :ivar dynamic: entries of the dynamic section in order, without the final null.
    :ivar dynamic_offset: offset of the first of them in the file.
    :ivar dt_rpath_offset: offset of the run path in the file; -1 without one.
    """

    is_64_bit: bool = True
    is_little_endian: bool = True
    machine: int = 0
    elf_type: int = 0
    has_pt_interp: bool = False
    pt_interp_str: bytes = b""
    has_pt_dynamic: bool = False
    has_rpath: bool = False
    is_runpath: bool = False
    dt_rpath_str: bytes = b""
    dt_rpath_offset: int = -1
    has_soname: bool = False
    dt_soname_str: bytes = b""
    dt_needed_strs: list[bytes] = field(default_factory=list)
    dynamic: list[_Entry] = field(default_factory=list)
    dynamic_offset: int = 0
    segments: list[_Segment] = field(default_factory=list)

    @property
    def has_needed(self) -> bool:
        """Whether it needs shared libraries."""
        return bool(self.dt_needed_strs)

    @property
    def loaded(self) -> list[slice]:
        """Where in the file is what a running program has."""
        parts = (segment for segment in self.segments if segment.kind == _PT_LOAD)
        return [slice(part.offset, part.offset + part.size) for part in parts]

    def is_loaded(self, offset: int) -> bool:
        """Return whether a running program has what is at *offset* of the file."""
        return any(part.start <= offset < part.stop for part in self.loaded)

    @property
    def byte_order(self) -> str:
        """Prefix for :mod:`struct` formats."""
        return "<" if self.is_little_endian else ">"

    @property
    def entry_format(self) -> str:
        """Format of one entry of the dynamic section."""
        return self.byte_order + ("qQ" if self.is_64_bit else "iI")


def parse_elf(
    f: BinaryIO,
    interpreter: bool = False,
    dynamic_section: bool = False,
    only_header: bool = False,
) -> ElfFile:
    """Read the file from its start.

    :param interpreter: read the program interpreter.
    :param dynamic_section: read needed libraries, soname and run path.
    :raises ElfParsingError: no ELF file, or a damaged one.
    """
    elf = ElfFile()
    try:
        f.seek(0)
        start, size, count = _read_header(f, elf)
        if only_header:
            return elf
        _read_segments(f, elf, start, size, count)
        if interpreter:
            for segment in elf.segments:
                if segment.kind == _PT_INTERP:
                    elf.has_pt_interp = True
                    elf.pt_interp_str = _read(f, segment.offset, segment.size).rstrip(b"\0")
        if dynamic_section:
            _read_dynamic(f, elf)
    except (struct.error, IndexError, OverflowError) as exc:
        raise ElfParsingError(f"damaged ELF file: {exc}") from exc
    return elf


def _read(f: BinaryIO, offset: int, size: int) -> bytes:
    f.seek(offset)
    data = f.read(size)
    if len(data) != size:
        raise ElfParsingError("the ELF file ends too early")
    return data


def _read_header(f: BinaryIO, elf: ElfFile) -> tuple[int, int, int]:
    ident = f.read(16)
    if len(ident) != 16 or ident[:4] != b"\x7fELF" or ident[4] not in (1, 2):
        raise ElfParsingError("not an ELF file")
    elf.is_64_bit = ident[4] == 2
    elf.is_little_endian = ident[5] == 1
    layout = elf.byte_order + ("HHIQQQIHHHHHH" if elf.is_64_bit else "HHIIIIIHHHHHH")
    header: tuple[Any, ...] = struct.unpack(layout, _read(f, 16, struct.calcsize(layout)))
    elf.elf_type, elf.machine = header[0], header[1]
    return header[4], header[8], header[9]


def _read_segments(f: BinaryIO, elf: ElfFile, start: int, size: int, count: int) -> None:
    layout = elf.byte_order + ("IIQQQQQQ" if elf.is_64_bit else "IIIIIIII")
    for number in range(count):
        row = struct.unpack(layout, _read(f, start + number * size, struct.calcsize(layout)))
        if elf.is_64_bit:
            kind, _, offset, address, _, filesz = row[:6]
        else:
            kind, offset, address, _, filesz = row[:5]
        elf.segments.append(_Segment(kind, offset, address, filesz))


def _read_dynamic(f: BinaryIO, elf: ElfFile) -> None:
    segment = next((x for x in elf.segments if x.kind == _PT_DYNAMIC), None)
    if segment is None:
        return
    elf.has_pt_dynamic = True
    elf.dynamic_offset = segment.offset
    data = _read(f, segment.offset, segment.size)
    usable = len(data) - len(data) % struct.calcsize(elf.entry_format)
    for tag, value in struct.iter_unpack(elf.entry_format, data[:usable]):
        if tag == _DT_NULL:
            break
        elf.dynamic.append(_Entry(tag, value))
    start, strings = _string_table(f, elf)
    for tag, value in elf.dynamic:
        if tag == _DT_NEEDED:
            elf.dt_needed_strs.append(_string(strings, value))
        elif tag == _DT_SONAME:
            elf.has_soname, elf.dt_soname_str = True, _string(strings, value)
        elif tag in (_DT_RPATH, _DT_RUNPATH):
            elf.has_rpath, elf.is_runpath = True, tag == _DT_RUNPATH
            elf.dt_rpath_str = _string(strings, value)
            elf.dt_rpath_offset = start + value


def _string_table(f: BinaryIO, elf: ElfFile) -> tuple[int, bytes]:
    """Return the offset and the content of the dynamic string table."""
    values = dict(elf.dynamic)
    if _DT_STRTAB not in values:
        return 0, b""
    address = values[_DT_STRTAB]
    for segment in elf.segments:
        inside = segment.address <= address < segment.address + segment.size
        if segment.kind == _PT_LOAD and inside:
            offset = segment.offset + address - segment.address
            return offset, _read(f, offset, values.get(_DT_STRSZ, 0))
    raise ElfParsingError("the string table is in no segment")


def _string(table: bytes, start: int) -> bytes:
    end = table.find(b"\0", start)
    if end < 0:
        raise ElfParsingError("a name is outside of the string table")
    return table[start:end]


def get_rpaths(path: str) -> list[str] | None:
    """Return entries of the run path of *path*; None when it has none or is not an ELF file."""
    try:
        with open(path, "rb") as f:
            elf = parse_elf(f, dynamic_section=True)
    except ElfParsingError:
        return None
    return os.fsdecode(elf.dt_rpath_str).split(":") if elf.has_rpath else None


def get_elf_compat(path: str) -> tuple[bool, bool, int]:
    """Return (64 bit, little endian, machine): files that can be linked agree in all three."""
    with open(path, "rb") as f:
        elf = parse_elf(f, only_header=True)
    return elf.is_64_bit, elf.is_little_endian, elf.machine


def _remove_entries(f: BinaryIO, elf: ElfFile, unwanted: list[int]) -> None:
    """Write the dynamic section without the entries at *unwanted*, nulls at its end."""
    kept = [entry for index, entry in enumerate(elf.dynamic) if index not in unwanted]
    rows = kept + [_Entry(_DT_NULL, 0)] * (len(elf.dynamic) - len(kept))
    f.seek(elf.dynamic_offset)
    f.write(b"".join(struct.pack(elf.entry_format, *row) for row in rows))
    elf.dynamic = kept


def delete_rpath(path: str) -> None:
    """Remove all run paths from the ELF file *path*, in place."""
    with open(path, "rb+") as f:
        elf = parse_elf(f, dynamic_section=True)
        tags = (_DT_RPATH, _DT_RUNPATH)
        _remove_entries(f, elf, [i for i, x in enumerate(elf.dynamic) if x.tag in tags])


def delete_needed_from_elf(f: BinaryIO, elf: ElfFile, needed: bytes) -> None:
    """Remove the needed library *needed*, in place; nothing happens when it is not there.

    :param elf: *f* as read with ``dynamic_section=True``.
    """
    if needed not in elf.dt_needed_strs:
        return
    number = elf.dt_needed_strs.index(needed)
    locations = [i for i, entry in enumerate(elf.dynamic) if entry.tag == _DT_NEEDED]
    _remove_entries(f, elf, [locations[number]])
    del elf.dt_needed_strs[number]


def parse_dynamic_linker(output: str) -> str | None:
    """Return the dynamic linker that the verbose output of a compiler's link step names."""
    found: list[str] = re.findall(_DYNAMIC_LINKER, output)
    return found[-1] if found else None


def libc_from_dynamic_linker(dynamic_linker: str) -> str | None:
    """Return the spec of *dynamic_linker*'s C library, ``glibc@2.36``; None if unknown."""
    directory = os.path.dirname(os.path.realpath(dynamic_linker))
    try:
        with open(os.path.join(directory, "libc.so.6"), "rb") as f:
            match = re.search(rb"GNU C Library [^\n]*version (\d+\.\d+)", f.read())
    except OSError:
        return None
    return f"glibc@{match.group(1).decode()}" if match else None
