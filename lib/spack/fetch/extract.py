"""Unpacking untrusted archives.

The archive's checksum was verified, yet what is in it is still its author's: every entry must
land in the target directory, as a plain file, a directory or a link that stays inside. Refused,
with nothing left behind: absolute names and ``..``, control characters in names, links out,
devices and pipes, entries below a link, names that differ by case only (where asked, and where
the file system folds case), and archives that unpack to far more than their size.

Modes become 644, or 755 for programs and directories, whatever the umask and the archive say;
modification times are kept, as make compares them. Kinds are found by content, not by name.
"""

from __future__ import annotations

import errno
import gzip
import importlib
import os
import shutil
import stat
import subprocess
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import IO, Optional, cast

from spack.errors import FetchError
from spack.fetch.archive_kinds import ENDINGS, KINDS, kind_of_head
from spack.fetch.extraction_target import CHUNK, USUAL, ExtractionTarget, Limits

try:
    from lzma import LZMAError
except ImportError:  # a Python that was built without liblzma

    class LZMAError(Exception):  # type: ignore[no-redef]  # defined where the module is missing
        """Never raised: without the library the program xz does the work."""


__all__ = ["Limits", "Route", "decompressed", "kind_of", "pack", "unpack", "unpack_tar"]

#: Where an entry of that name belongs, or None: it is left out.
Route = Callable[[tarfile.TarInfo], Optional[str]]

#: Errors by which the readers say that the content is damaged.
DAMAGE = (
    tarfile.TarError,
    zipfile.BadZipFile,
    EOFError,
    LZMAError,
    zlib.error,
    gzip.BadGzipFile,
    NotImplementedError,
    UnicodeDecodeError,
)


def kind_of(path: Path) -> str | None:
    """Return the compression or container of *path* by its first bytes, a key of KINDS, or None."""
    with open(path, "rb") as file:
        return kind_of_head(file.read(512))


def unpack(
    archive: Path,
    target: Path,
    *,
    filename: str | None = None,
    limits: Limits = USUAL,
    distinct_case: bool = False,
    search_path: str | None = None,
) -> Path:
    """Unpack *archive* as the directory *target*, which must not exist yet.

    An archive with a single directory at its top gives that directory's contents. A compressed
    single file gives a directory with that file.

    :param filename: the archive's proper name, when *archive* is a cache's file.
    :param distinct_case: refuse names that differ by case only, on every file system.
    :param search_path: PATH for zstd, lzip and gzip where a program is needed.
    :raises FetchError: damaged, hostile, or the disk is full; nothing is left behind.
    """
    name = filename or archive.name
    try:
        kind = kind_of(archive)
    except OSError as error:
        raise FetchError(f"{archive} cannot be read: {error.strerror}") from error
    if kind is None:
        promise = name.endswith(ENDINGS)
        reason = "its content is not what its name says" if promise else "it is not an archive"
        raise _bad(name, reason, archive)
    target.parent.mkdir(parents=True, exist_ok=True)
    staging = Path(tempfile.mkdtemp(prefix=".unpack-", dir=target.parent))
    try:
        extraction = ExtractionTarget(
            staging, name, limits, limits.bytes_for(archive.stat().st_size), distinct_case
        )
        if kind in ("zip", "empty-zip"):
            _unzip(archive, extraction)
        else:
            _untar(archive, kind, extraction, search_path)
        top = extraction.finish()
        top.chmod(0o755)
        os.rename(top, target)
    except DAMAGE as error:
        raise _bad(
            name, f"it is damaged ({str(error) or type(error).__name__})", archive
        ) from error
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise FetchError(
                f"{name} cannot be unpacked below {target.parent}: the disk is full",
                hint="free some space there, or set config:build_stage to another directory",
            ) from error
        raise _bad(name, str(error), archive) from error
    finally:
        _remove(staging)
    return target


def unpack_tar(stream: IO[bytes], extraction: ExtractionTarget, route: Route) -> None:
    """Unpack the ``tar.gz`` that *stream* yields to the paths that *route* names.

    Links are recorded; the caller has them created (:meth:`ExtractionTarget.create_links`).

    :param route: is asked for each entry, and for the file that a hard link names.
    :raises FetchError: damaged or hostile; what was unpacked is the caller's to remove.
    :raises OSError: it cannot be written.
    """
    try:
        with gzip.GzipFile(fileobj=stream) as plain:
            guarded = _Guarded(cast(IO[bytes], plain), extraction)
            _untar_stream(guarded, extraction, route)
    except DAMAGE as error:
        reason = f"it is damaged ({str(error) or type(error).__name__})"
        raise extraction.refuse(reason) from error


def pack(directory: Path, archive: Path) -> None:
    """Write a ``tar.gz`` of *directory* under its own name, without owners."""

    def plain(member: tarfile.TarInfo) -> tarfile.TarInfo:
        member.uid = member.gid = 0
        member.uname = member.gname = ""
        return member

    with tarfile.open(archive, "w:gz", compresslevel=1) as tar:
        tar.add(directory, arcname=directory.name, filter=plain)


def _untar(archive: Path, kind: str, extraction: ExtractionTarget, search_path: str | None) -> None:
    with decompressed(archive, kind, extraction.archive, search_path) as stream:
        guarded = _Guarded(stream, extraction)
        head = guarded.peek(512)
        if kind != "tar" and not _is_tar(head):
            if _promises_tar(extraction.archive):
                raise _bad(extraction.archive, "it is damaged (no tar archive inside)", archive)
            extraction.file(
                _without_compression(extraction.archive), cast(IO[bytes], guarded), False, 0
            )
            return
        _untar_stream(guarded, extraction, None)


def _untar_stream(guarded: _Guarded, extraction: ExtractionTarget, route: Route | None) -> None:
    guarded.expect_header()
    with tarfile.open(fileobj=cast(IO[bytes], guarded), mode="r|") as tar:
        while True:
            guarded.expect_header()
            member = tar.next()
            if member is None:
                break
            guarded.expect_content()
            if route is None or _is_routed(member, route):
                _untar_member(tar, member, extraction)
            tar.members.clear()  # type: ignore[attr-defined]  # as the documentation advises
    guarded.drain()


def _is_routed(member: tarfile.TarInfo, route: Route) -> bool:
    """Give *member* the name that *route* says; return whether it has one."""
    name = route(member)
    if name is None:
        return False
    if member.islnk():
        linked = tarfile.TarInfo(member.linkname)
        member.linkname = route(linked) or ""
    member.name = name
    return True


def _untar_member(
    tar: tarfile.TarFile, member: tarfile.TarInfo, extraction: ExtractionTarget
) -> None:
    if member.isdir():
        extraction.directory(member.name, member.mtime)
    elif member.isreg():
        data = tar.extractfile(member)
        assert data is not None
        extraction.file(member.name, data, bool(member.mode & 0o100), member.mtime)
    elif member.issym():
        extraction.symlink(member.name, member.linkname)
    elif member.islnk():
        extraction.hardlink(member.name, member.linkname)
    else:
        raise extraction.refuse(f"{member.name!r} is a device or pipe")


def _unzip(archive: Path, extraction: ExtractionTarget) -> None:
    with zipfile.ZipFile(archive) as file:
        for entry in file.infolist():
            mode = entry.external_attr >> 16
            mtime = _zip_time(entry)
            if "\\" in entry.filename:
                raise extraction.refuse(f"{entry.filename!r} has a backslash")
            if entry.flag_bits & 1:
                raise extraction.refuse(f"{entry.filename!r} is encrypted")
            if entry.is_dir():
                extraction.directory(entry.filename, mtime)
            elif stat.S_ISLNK(mode):
                if entry.file_size > 4096:
                    raise extraction.refuse(f"{entry.filename!r} is a link with an endless target")
                target = file.read(entry).decode("utf-8", "surrogateescape")
                extraction.symlink(entry.filename, target)
            elif stat.S_IFMT(mode) in (0, stat.S_IFREG):
                with file.open(entry) as data:
                    extraction.file(entry.filename, data, bool(mode & 0o100), mtime)
            else:
                raise extraction.refuse(f"{entry.filename!r} is a device or pipe")


class _Guarded:
    """The stream below a tar file: limits all that is read, and the length of a header."""

    def __init__(self, stream: IO[bytes], extraction: ExtractionTarget) -> None:
        self._stream = stream
        self._extraction = extraction
        self._ahead = b""
        self._left = 2 * extraction.left
        self._header: int | None = None

    def expect_header(self) -> None:
        """Expect a header next, of limited length."""
        self._header = self._extraction.limits.metadata

    def expect_content(self) -> None:
        """Expect a file's content next."""
        self._header = None

    def peek(self, size: int) -> bytes:
        """Return the first bytes and leave them to be read."""
        while len(self._ahead) < size:
            chunk = self._stream.read(size - len(self._ahead))
            if not chunk:
                break
            self._ahead += chunk
        return self._ahead

    def read(self, size: int) -> bytes:
        """Return the next bytes.

        :raises FetchError: a limit is reached.
        """
        data, self._ahead = self._ahead[:size], self._ahead[size:]
        if len(data) < size:
            data += self._stream.read(size - len(data))
        self._left -= len(data)
        if self._left < 0:
            raise self._extraction.refuse("it unpacks to far more than its size")
        if self._header is not None:
            self._header -= len(data)
            if self._header < 0:
                raise self._extraction.refuse("a header in it is too long")
        return data

    def drain(self) -> None:
        """Read on to the end, where a compression has its own checksum.

        Trailing data after the compressed data is ignored, as other programs do.
        """
        self._header = None
        try:
            while self.read(CHUNK):
                pass
        except gzip.BadGzipFile as error:
            if "Not a gzipped file" not in str(error):
                raise


def _opener(module: str) -> Callable[[Path, str], AbstractContextManager[IO[bytes]]] | None:
    """Return the function ``open`` of *module*; None where this Python lacks it."""
    try:
        return getattr(importlib.import_module(module), "open") if module else None  # noqa: B009
    except ImportError:
        return None


@contextmanager
def decompressed(
    archive: Path, kind: str, name: str, search_path: str | None
) -> Iterator[IO[bytes]]:
    """Give the content of a compressed file as a stream.

    :param kind: a key of KINDS. :param name: for messages. :param search_path: see :func:`unpack`.
    :raises FetchError: a program is missing, or finds the file damaged.
    """
    row = KINDS[kind]
    opener = _opener(row.module)
    if opener is not None:
        with opener(archive, "rb") as stream:
            yield stream
        return
    program = shutil.which(row.program[0], path=search_path)
    if program is None:
        raise FetchError(
            f"{name} cannot be unpacked: this needs the program {row.program[0]}",
            hint=f"install {row.program[0]}, so that it is on PATH",
        )
    with (
        open(archive, "rb") as compressed,
        subprocess.Popen(
            [program, *row.program[1:]],
            stdin=compressed,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        ) as process,
    ):
        assert process.stdout is not None
        try:
            yield process.stdout
        except BaseException:
            process.kill()
            raise
        process.stdout.close()
        if process.wait() not in (0, -13):
            raise _bad(name, "it is damaged", archive)


def _is_tar(head: bytes) -> bool:
    """Return whether it is a tar file, also an old one, with a header checksum only."""
    if head[257:262] == b"ustar":
        return True
    try:
        tarfile.TarInfo.frombuf(head, "utf-8", "surrogateescape")
    except tarfile.HeaderError:
        return False
    return True


def _promises_tar(name: str) -> bool:
    return ".tar." in name or name.endswith((".tgz", ".tbz", ".tbz2", ".txz", ".tar"))


def _without_compression(name: str) -> str:
    stem, _, ending = name.rpartition(".")
    return stem if stem and "." + ending in ENDINGS else name


def _zip_time(entry: zipfile.ZipInfo) -> float:
    import time  # only for zip archives

    try:
        return time.mktime((*entry.date_time, 0, 0, -1))
    except (ValueError, OverflowError):
        return 0.0


def _remove(directory: Path) -> None:
    shutil.rmtree(directory, ignore_errors=True)


def _bad(name: str, reason: str, archive: Path) -> FetchError:
    return FetchError(
        f"{name} cannot be unpacked: {reason}",
        facts={"archive": str(archive), "reason": reason},
        ref="corrupt-archive",
        hint="its checksum is the recipe's, so the file is as its author published it; "
        "without a checksum, remove it from the source cache and fetch it again",
    )
