"""Run paths of the libraries in a wheel: where a kept wheel may name prefixes.

The compiler wrapper writes the prefixes of dependencies into the run paths of what it links. A
wheel that names them nowhere else serves other install trees, too, when these are changed: a path
keeps its length, filled up with slashes before what follows the prefix, so that nothing moves.
"""

from __future__ import annotations

import io
import os
import re
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path

from spack.api.elf import ElfFile, ElfParsingError, parse_elf
from spack.util.record_file import RecordedFile, corrected_record

__all__ = ["moved_wheel", "named_paths"]

_RECORD = re.compile(r"[^/]+\.dist-info/RECORD\Z")


def named_paths(wheel: str, paths: Iterable[str]) -> tuple[bool, bool]:
    """Return whether files of *wheel* name one of *paths* in a run path, and elsewhere.

    Prefixes of the system are too short to mean anything.
    """
    reported = [os.fsencode(path) for path in paths if path.count("/") > 2]
    above = {os.path.dirname(path) for path in reported}  # few, and hardly ever named
    in_run_path = elsewhere = False
    with zipfile.ZipFile(wheel) as archive:
        for name in archive.namelist():
            data = archive.read(name)
            if not _names(data, above, reported):
                continue
            in_run_path = True
            elsewhere = elsewhere or _names(_without_run_path(data), above, reported)
    return in_run_path, elsewhere


def _names(data: bytes, above: Iterable[bytes], paths: Iterable[bytes]) -> bool:
    return any(path in data for path in above) and any(path in data for path in paths)


def _without_run_path(data: bytes) -> bytes:
    """Return what a program reads of a file, without run path: debuggers need the build's stage."""
    elf = _elf(data)
    if elf is None:
        return data
    parts = [data[part] for part in elf.loaded]
    run_path = data[slice(*_run_path(elf))]
    return b"\0".join(part.replace(run_path, b"") if run_path else part for part in parts)


def _elf(data: bytes) -> ElfFile | None:
    """Return the parts of a library or program; None for other files."""
    if not data.startswith(b"\x7fELF"):
        return None
    try:
        elf = parse_elf(io.BytesIO(data), dynamic_section=True)
    except ElfParsingError:
        return None
    return elf if elf.has_pt_dynamic else None


def _run_path(elf: ElfFile | None) -> tuple[int, int]:
    """Return where the run path is; an empty range without one."""
    if elf is None or not elf.has_rpath:
        return 0, 0
    return elf.dt_rpath_offset, elf.dt_rpath_offset + len(elf.dt_rpath_str)


def moved_wheel(wheel: str, changes: Mapping[str, str | None], target: Path) -> str | None:
    """Write *wheel* with other prefixes in its run paths into the directory *target*.

    :param changes: the prefix here by the one that the wheel names; None where it is not known.
    :returns: its path; None if it names one elsewhere, or one that has no room or is not known.
    """
    new: dict[str, bytes] = {}
    with zipfile.ZipFile(wheel) as archive:
        rows = [(entry, archive.read(entry)) for entry in archive.infolist()]
    for entry, data in rows:
        changed = _moved(data, changes)
        if changed is None:
            return None
        if changed != data:
            new[entry.filename] = changed
    files = {name: RecordedFile.of(data) for name, data in new.items()}
    target.mkdir(parents=True, exist_ok=True)
    path = target / os.path.basename(wheel)
    with zipfile.ZipFile(path, "w") as archive:
        for entry, data in rows:
            if _RECORD.match(entry.filename):
                data = corrected_record(data, "", files)
            archive.writestr(entry, new.get(entry.filename, data))
    return str(path)


def _moved(data: bytes, changes: Mapping[str, str | None]) -> bytes | None:
    """Return the content of a file with other prefixes; None if that cannot be."""
    elf = _elf(data)
    begin, end = _run_path(elf)
    text = data[begin:end]
    for old in sorted(changes, key=len, reverse=True):
        pattern = re.compile(re.escape(os.fsencode(old)) + rb"(?![A-Za-z0-9_.+-])")
        for found in pattern.finditer(data):
            inside = begin <= found.start() < end
            if not inside and (elf is None or elf.is_loaded(found.start())):
                return None
        here = changes[old]
        if here == old or not pattern.search(text):
            continue
        if here is None or len(here) > len(old):
            return None
        filled = os.fsencode(here).ljust(len(os.fsencode(old)), b"/")
        text = filled.join(pattern.split(text))
    return data[:begin] + text + data[end:]
