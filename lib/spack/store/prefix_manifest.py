"""What an install put on the disk: every path of a prefix with kind, mode, content and size.

The manifest is written at the end of an install, read by views (so that they need not walk
prefixes) and by ``spack verify``. It does not list the metadata folder ``.spack``.

The file ``install_manifest.json`` is ``{"format": 1, "files": {path: [kind, mode, content,
size]}}`` with paths relative to the prefix, in sorted order; *kind* is ``file``, ``link`` or
``dir``; *mode* the permission bits; *content* the hex sha256 of a file, the target of a link,
``""`` of a directory; *size* in bytes.

A prefix that Spack installed has its manifest at the same path, with absolute paths, modes with
the type of file, and SHA-1 in base 32; it is read too (:mod:`spack.store.spack_manifest`).

Cost: one walk that opens each file once; 700 files of a Python package take about 20 ms.
"""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from spack.errors import StoreError
from spack.store.layout import METADATA
from spack.store.spack_manifest import is_of_spack, spack_entries
from spack.util.frozen import frozen
from spack.util.hashing import SHA1, hash_file
from spack.util.json_input import parse_json

__all__ = ["Difference", "ManifestEntry", "Manifest", "Scan", "scan", "verify"]

FORMAT = 1

FILE = "file"
LINK = "link"
DIRECTORY = "dir"

#: Files up to this size are read in one piece.
_CHUNK = 1 << 20


class ManifestEntry(NamedTuple):
    """One path of a prefix."""

    kind: str
    mode: int
    content: str
    size: int


@frozen
class Manifest:
    """The paths of one prefix, relative, in sorted order."""

    files: Mapping[str, ManifestEntry]

    def to_json(self) -> str:
        data = {"format": FORMAT, "files": self.files}
        return json.dumps(data, separators=(",", ":"), ensure_ascii=True)

    @classmethod
    def from_json(cls, text: str, origin: str = "manifest") -> Manifest:
        """Read what :meth:`to_json` wrote; *origin* is named when it cannot be read.

        :raises StoreError: if the text is damaged or of a format that is not known.
        """
        try:
            data = parse_json(text)
            if is_of_spack(data):
                return cls({path: ManifestEntry(*row) for path, row in spack_entries(data)})
            if data["format"] != FORMAT:
                raise ValueError(f"format {data['format']!r}")
            make = ManifestEntry._make
            return cls({path: make(entry) for path, entry in data["files"].items()})
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise StoreError(
                f"{origin}: not a manifest that can be read: {error}",
                facts={"path": origin},
                hint="reinstall the package: spack install --overwrite",
                ref="store-manifest",
            ) from error

    @classmethod
    def load(cls, path: Path) -> Manifest:
        """Load a manifest from its file.

        :raises StoreError: if the file is missing or damaged.
        """
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise StoreError(
                f"{path}: the manifest cannot be read: {_reason(error)}",
                facts={"path": str(path)},
                hint="reinstall the package: spack install --overwrite",
                ref="store-manifest",
            ) from error
        return cls.from_json(text, str(path))


class Scan(NamedTuple):
    """The outcome of :func:`scan`.

    :param found: for each text file that holds one of the needles, the first of them.
    :param binary: the same for files that hold a NUL byte in their first 8 KiB.
    :param special: paths that are neither file, link nor directory (sockets, devices, pipes).
    """

    manifest: Manifest
    found: Mapping[str, bytes]
    binary: Mapping[str, bytes]
    special: tuple[str, ...]


def scan(prefix: Path, needles: Sequence[bytes] = ()) -> Scan:
    """Walk *prefix* once: hash all files, and look for *needles* in them on the way.

    Links are not followed. Names that are not valid UTF-8 are kept with surrogate escapes.

    :raises StoreError: if something cannot be read.
    """
    files: dict[str, ManifestEntry] = {}
    found: dict[str, bytes] = {}
    binary: dict[str, bytes] = {}
    special: list[str] = []
    try:
        for path, entry, info in _walk(str(prefix)):
            mode = stat.S_IMODE(info.st_mode)
            if stat.S_ISREG(info.st_mode):
                digest, needle, text = _examine(entry.path, needles)
                files[path] = ManifestEntry(FILE, mode, digest, info.st_size)
                if needle is not None:
                    (found if text else binary)[path] = needle
            elif stat.S_ISLNK(info.st_mode):
                files[path] = ManifestEntry(LINK, mode, os.readlink(entry.path), info.st_size)
            elif stat.S_ISDIR(info.st_mode):
                files[path] = ManifestEntry(DIRECTORY, mode, "", 0)
            else:
                special.append(path)
    except OSError as error:
        raise StoreError(
            f"{error.filename or prefix}: cannot be read: {_reason(error)}",
            facts={"path": str(error.filename or prefix)},
        ) from error
    ordered = {path: files[path] for path in sorted(files)}
    return Scan(Manifest(ordered), found, binary, tuple(special))


def _walk(root: str) -> Iterator[tuple[str, os.DirEntry[str], os.stat_result]]:
    """Yield all paths below *root* but the metadata, each relative path with its stat."""
    pending = [("", root)]
    while pending:
        relative, folder = pending.pop()
        with os.scandir(folder) as entries:
            for entry in entries:
                if not relative and entry.name == METADATA:
                    continue
                path = relative + entry.name
                info = entry.stat(follow_symlinks=False)
                if stat.S_ISDIR(info.st_mode):
                    pending.append((path + "/", entry.path))
                yield path, entry, info


def _examine(path: str, needles: Sequence[bytes]) -> tuple[str, bytes | None, bool]:
    """Return a file's sha256, the first needle in it or None, and whether it looks like text."""
    import hashlib  # start-up: readers of manifests do not hash

    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        _refuse_holes(path, os.fstat(descriptor))
        data = os.read(descriptor, _CHUNK)
        text = b"\0" not in data[:8192]
        needle = _first(data, needles)
        digest = hashlib.sha256(data)
        overlap = max(map(len, needles), default=1) - 1
        while data:
            # A short read is not the end of the file: only an empty one is.
            tail = data[-overlap:] if overlap else b""
            data = os.read(descriptor, _CHUNK)
            digest.update(data)
            if needle is None and data:
                needle = _first(tail + data, needles)
        return digest.hexdigest(), needle, text
    finally:
        os.close(descriptor)


#: Bytes; a file of more that is nearly all holes would take hours to read.
_LARGE = 1 << 35


def _refuse_holes(path: str, info: os.stat_result) -> None:
    present = info.st_blocks * 512
    if info.st_size > _LARGE and present < info.st_size // 8:
        raise StoreError(
            f"{path} is {info.st_size >> 30} GiB large, of which {present >> 20} MiB are there",
            facts={"path": path, "size": info.st_size, "present": present},
            hint="let the recipe remove it, or install a file without holes",
            ref="store-holes",
        )


def _first(data: bytes, needles: Sequence[bytes]) -> bytes | None:
    for needle in needles:
        if needle in data:
            return needle
    return None


class Difference(NamedTuple):
    """One path that is not as the manifest says.

    *what* is ``missing``, ``added``, ``kind``, ``mode``, ``content`` or ``target``; *expected* and
    *actual* are texts for the user.
    """

    path: str
    what: str
    expected: str = ""
    actual: str = ""


def verify(prefix: Path, manifest: Manifest) -> tuple[Difference, ...]:
    """Compare the disk with the manifest, contents included, in order of path.

    Bytecode that Python wrote beside its source after the install is not a difference.

    :raises StoreError: if the prefix itself is missing or cannot be read.
    """
    actual = scan(prefix)
    differences: list[Difference] = []
    for path, expected in manifest.files.items():
        entry = actual.manifest.files.get(path)
        if entry is None:
            differences.append(Difference(path, "missing", expected.kind))
            continue
        if entry.kind == FILE and expected.content.startswith(SHA1):
            entry = entry._replace(content=hash_file(prefix / path, expected.content))
        if entry != expected:
            differences.append(_difference(path, expected, entry))
    for path, entry in actual.manifest.files.items():
        if path not in manifest.files and not _is_bytecode(path):
            differences.append(Difference(path, "added", "", entry.kind))
    differences.extend(Difference(path, "added", "", "special") for path in actual.special)
    return tuple(sorted(differences))


def _difference(path: str, expected: ManifestEntry, actual: ManifestEntry) -> Difference:
    if expected.kind != actual.kind:
        return Difference(path, "kind", expected.kind, actual.kind)
    if expected.content != actual.content:
        what = "target" if expected.kind == LINK else "content"
        return Difference(path, what, expected.content, actual.content)
    return Difference(path, "mode", f"{expected.mode:04o}", f"{actual.mode:04o}")


def _is_bytecode(path: str) -> bool:
    return path.endswith("/__pycache__") or (path.endswith(".pyc") and "/__pycache__/" in path)


def _reason(error: Exception) -> str:
    return error.strerror or str(error) if isinstance(error, OSError) else str(error)
