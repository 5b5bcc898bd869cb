"""Packing a prefix: a ``tar.gz`` that is the same whenever the same prefix is packed.

Entries are named by their full path, without owners and times; directories come first, files in
order of name. One walk reads each file once, for the archive and for the references in it.
"""

from __future__ import annotations

import io
import mmap
import os
import posixpath
import stat
import tarfile
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO, Any, Literal, NamedTuple, cast

from spack.binary.package_description import DESCRIPTION, PackageDescription
from spack.binary.parallel_gzip import Digest, GzipWriter
from spack.binary.path_references import ROOT, FileReferences, PrefixPattern, references_in
from spack.errors import BinaryCacheError
from spack.store import METADATA

__all__ = ["BOOKKEEPING", "PackedPrefix", "pack_prefix"]

#: Files of ``.spack`` that are written again where the package is installed, or only
#: describe the build: nothing reads paths in them.
BOOKKEEPING = frozenset(
    {
        "install_environment.json",
        "install_manifest.json",
        "install_record.json",
        "spack-build-env.txt",
        "spack-build-out.txt",
        "spec.json",
    }
)


class PackedPrefix(NamedTuple):
    """An archive that was written."""

    size: int
    digest: str
    description: PackageDescription


def pack_prefix(
    prefix: Path,
    root: Path,
    prefixes: Mapping[str, str],
    target: IO[bytes],
    pool: ThreadPoolExecutor,
    plain: Digest | None = None,
) -> PackedPrefix:
    """Write the archive of *prefix* to *target*.

    :param root: of its install tree. :param prefixes: of the node and its dependencies, by hash.
    :param pool: compresses. :param plain: is given the archive before it is compressed.
    :raises BinaryCacheError: the prefix cannot be read.
    """
    every = {**prefixes, ROOT: str(root)}
    writer = GzipWriter(target, pool, plain=plain)
    try:
        packing = _Packing(str(prefix), PrefixPattern(every), writer)
        packing.run()
        description = PackageDescription(
            prefixes=every,
            relative=os.path.relpath(prefix, root),
            references=packing.references,
            links=tuple(packing.links),
        )
        packing.finish(description)
    except OSError as error:
        raise BinaryCacheError(
            f"cannot pack {prefix}: {error.filename or ''}: {error.strerror}",
            facts={"prefix": str(prefix)},
            hint="`spack verify` compares the package with what was installed",
            ref="binary-pack",
        ) from error
    size, digest = writer.close()
    return PackedPrefix(size, digest, description)


class _Packing:
    def __init__(self, prefix: str, pattern: PrefixPattern, writer: GzipWriter) -> None:
        self.references: dict[str, FileReferences] = {}
        self.links: list[str] = []
        self._prefix = prefix
        self._pattern = pattern
        self._tar = tarfile.open(  # noqa: SIM115 - closed by finish
            mode="w|", fileobj=cast(IO[bytes], writer), format=tarfile.PAX_FORMAT, bufsize=1 << 20
        )
        self._inodes: dict[tuple[int, int], str] = {}

    def run(self) -> None:
        """Add the directories above the prefix, then what is in it."""
        parts = self._prefix.strip("/").split("/")
        for count in range(1, len(parts) + 1):
            self._add(self._entry("/".join(parts[:count]), tarfile.DIRTYPE, 0o755))
        for relative, path, info in _walk(self._prefix):
            self._add_path(relative, path, info)

    def finish(self, description: PackageDescription) -> None:
        """Add the description and the end of the archive."""
        text = description.to_json().encode("utf-8")
        self._add_file(f"{METADATA}/{DESCRIPTION}", 0o644, text)
        self._tar.close()

    def _entry(self, name: str, kind: bytes, mode: int) -> tarfile.TarInfo:
        entry = tarfile.TarInfo(name)
        entry.type, entry.mode = kind, mode
        return entry

    def _add(self, entry: tarfile.TarInfo, data: IO[bytes] | None = None) -> None:
        self._tar.format = _format_of(entry)
        self._tar.addfile(entry, data)
        self._tar.members.clear()  # type: ignore[attr-defined]  # else all of them are kept

    def _named(self, relative: str, kind: bytes, mode: int) -> tarfile.TarInfo:
        return self._entry(f"{self._prefix.strip('/')}/{relative}", kind, mode)

    def _add_path(self, relative: str, path: str, info: os.stat_result) -> None:
        if stat.S_ISDIR(info.st_mode):
            self._add(self._named(relative, tarfile.DIRTYPE, 0o755))
        elif stat.S_ISLNK(info.st_mode):
            entry = self._named(relative, tarfile.SYMTYPE, 0o755)
            entry.linkname = os.readlink(path)
            if entry.linkname.startswith("/") and self._pattern.match(entry.linkname):
                self.links.append(relative)
            self._add(entry)
        elif stat.S_ISREG(info.st_mode):
            self._add_regular(relative, path, info)
        else:
            raise OSError(0, "it is neither a file nor a link nor a directory", path)

    def _add_regular(self, relative: str, path: str, info: os.stat_result) -> None:
        mode = 0o755 if info.st_mode & 0o100 else 0o644
        if info.st_nlink > 1:
            inode = (info.st_dev, info.st_ino)
            first = self._inodes.setdefault(inode, relative)
            if first != relative:
                entry = self._named(relative, tarfile.LNKTYPE, mode)
                entry.linkname = f"{self._prefix.strip('/')}/{first}"
                self._add(entry)
                return
        with open(path, "rb") as file:
            if not info.st_size:
                self._add_file(relative, mode, b"")
                return
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
                self._note_references(relative, data)
                self._add_file(relative, mode, data)

    def _note_references(self, relative: str, data: mmap.mmap) -> None:
        folder, _, name = relative.rpartition("/")
        if relative.startswith(f"{METADATA}/") and (folder != METADATA or name in BOOKKEEPING):
            return
        found = references_in(data, relative, self._pattern)
        if found is not None:
            self.references[relative] = found

    def _add_file(self, relative: str, mode: int, data: bytes | mmap.mmap) -> None:
        entry = self._named(relative, tarfile.REGTYPE, mode)
        entry.size = len(data)
        source: Any = io.BytesIO(data) if isinstance(data, bytes) else data
        self._add(entry, source)


def _format_of(entry: tarfile.TarInfo) -> Literal[0, 2]:
    """Return the format that has room for an entry.

    That of POSIX.1-1988 holds most paths of 255 bytes in one block; tarfile's pax headers take two
    blocks more for each path of over 100 bytes, which readers decode one by one.
    """
    try:
        entry.tobuf(tarfile.USTAR_FORMAT, "ascii", "strict")
    except ValueError:  # too long, too large, or not ASCII
        return 2  # tarfile.PAX_FORMAT
    return 0  # tarfile.USTAR_FORMAT


def _walk(prefix: str) -> Iterator[tuple[str, str, os.stat_result]]:
    """Yield all below *prefix*: of each directory first what is not a directory, by name."""
    pending = [""]
    while pending:
        folder = pending.pop()
        if folder:
            path = posixpath.join(prefix, folder)
            yield folder, path, os.lstat(path)
        with os.scandir(posixpath.join(prefix, folder)) as entries:
            ordered = sorted(entries, key=lambda entry: entry.name)
        below = []
        for entry in ordered:
            relative = f"{folder}/{entry.name}" if folder else entry.name
            if entry.is_dir(follow_symlinks=False):
                below.append(relative)
            elif relative != f"{METADATA}/{DESCRIPTION}":
                yield relative, entry.path, entry.stat(follow_symlinks=False)
        pending.extend(reversed(below))
