"""Kinds of archives that a view is packed into: each is written, and read with care.

The same tree gives the same bytes: entries are in order of name and have no owner.
"""

from __future__ import annotations

import gzip
import os
import subprocess
import tarfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, NamedTuple, Protocol, cast

from spack.actions.pack_needs import NEEDS
from spack.actions.programs import Programs
from spack.errors import UsageError, ViewError
from spack.fetch.extract import decompressed, kind_of

__all__ = ["FORMATS", "PackFormat", "format_of_file", "format_of_name"]


class PackFormat(Protocol):
    """One kind of archives."""

    @property
    def endings(self) -> Sequence[str]:
        """How names of such files end; the first is given to a file without a name."""

    def write(self, tree: Path, name: str, target: Path, programs: Programs) -> None:
        """Write the file *target* with the directory *tree*, as *name* where that matters.

        :raises UsageError: a program is missing. :raises OSError: it cannot be written.
        """

    def needs(self, archive: Path, work: Path, programs: Programs) -> str:
        """Return the text of the needs, without writing anything else of the archive.

        :param work: a directory that is there and empty, for what a program writes.
        :raises Exception: it is damaged, hostile, or holds no packed view.
        """

    def extract(self, archive: Path, work: Path, programs: Programs) -> Path:
        """Unpack all below *work*; return the directory of the view. Raises as :meth:`needs`."""


class TarFormat(NamedTuple):
    """``tar``, compressed or not; the needs are its first entry."""

    endings: Sequence[str]
    compression: str

    def write(self, tree: Path, name: str, target: Path, programs: Programs) -> None:
        with (
            _COMPRESSED[self.compression](target, programs) as stream,
            tarfile.open(fileobj=stream, mode="w|", format=tarfile.PAX_FORMAT) as archive,
        ):
            archive.add(tree / NEEDS, f"{name}/{NEEDS}", filter=_anonymous)
            first = f"{name}/{NEEDS}"
            archive.add(tree, name, filter=lambda x: None if x.name == first else _anonymous(x))

    def needs(self, archive: Path, work: Path, programs: Programs) -> str:
        found, links, names = None, set(), []
        for tar, member in _members(archive, programs):
            name = _safe(member).name
            names.append(name)
            if member.issym():
                links.add(name)
            if name == f"{name.split('/')[0]}/{NEEDS}" and member.isreg():
                content = tar.extractfile(member)
                assert content is not None
                found = content.read().decode("utf-8")
        _refuse_below_links(names, links)
        if found is None:
            raise tarfile.TarError("it holds no packed view")
        return found

    def extract(self, archive: Path, work: Path, programs: Programs) -> Path:
        top = ""
        for tar, member in _members(archive, programs):
            # Every member has been looked at by needs().
            top = _safe(member).name.split("/")[0]
            tar.extract(member, work, **_trusting())
        return work / top


class SquashfsFormat(NamedTuple):
    """A file system in one file, which is mounted or unpacked (Linux, squashfs 4.0)."""

    endings: Sequence[str] = (".squashfs", ".sqfs", ".sfs")

    def write(self, tree: Path, name: str, target: Path, programs: Programs) -> None:
        purpose = f"pack {target}"
        program = programs.need("mksquashfs", purpose)
        options = ["-all-root", "-no-xattrs", "-noappend", "-no-progress", "-quiet"]
        compression = ["-comp", "zstd", "-Xcompression-level", "9", "-mkfs-time", _TIME]
        programs.run([program, str(tree), str(target), *options, *compression], purpose)

    def needs(self, archive: Path, work: Path, programs: Programs) -> str:
        return self._unpacked(archive, work, programs, NEEDS).joinpath(NEEDS).read_text("utf-8")

    def extract(self, archive: Path, work: Path, programs: Programs) -> Path:
        return self._unpacked(archive, work, programs)

    @staticmethod
    def _unpacked(archive: Path, work: Path, programs: Programs, *names: str) -> Path:
        purpose = f"unpack {archive}"
        program = programs.need("unsquashfs", purpose)
        top = work / "view"
        options = ["-no-progress", "-no-xattrs", "-d", str(top)]
        programs.run([program, *options, str(archive), *names], purpose)
        for folder, folders, files in os.walk(top):
            for name in (*folders, *files):
                path = Path(folder, name)
                if path.is_symlink():
                    continue
                if not (path.is_dir() or path.is_file()):
                    raise tarfile.TarError(f"{name} is not a file, link or directory")
                path.chmod(path.stat().st_mode & 0o755)
        return top


_TIME = "315532800"

FORMATS: Mapping[str, PackFormat] = {
    "tar.gz": TarFormat((".tar.gz", ".tgz"), "gz"),
    "tar.xz": TarFormat((".tar.xz", ".txz"), "xz"),
    "tar.zst": TarFormat((".tar.zst", ".tzst"), "zst"),
    "tar": TarFormat((".tar",), ""),
    "squashfs": SquashfsFormat(),
}


def format_of_name(name: str) -> PackFormat:
    """Return the format that the ending of a file's name means.

    :raises UsageError: it means none.
    """
    for row in FORMATS.values():
        if name.endswith(tuple(row.endings)):
            return row
    raise UsageError(
        f"{name} does not say what kind of archive it shall be",
        hint="name a format with --format, or end it with "
        + ", ".join(row.endings[0] for row in FORMATS.values()),
        ref="pack-kind",
    )


def format_of_file(archive: Path) -> PackFormat:
    """Return the format of a file by its first bytes.

    :raises OSError: it cannot be read.
    """
    with open(archive, "rb") as stream:
        return FORMATS["squashfs"] if stream.read(4) == b"hsqs" else FORMATS["tar"]


# -- compression -------------------------------------------------------------------------------


@contextmanager
def _plain(target: Path, programs: Programs) -> Iterator[IO[bytes]]:
    with open(target, "wb") as stream:
        yield stream


@contextmanager
def _gzip(target: Path, programs: Programs) -> Iterator[IO[bytes]]:
    # The usual level 9 takes three times as long for a hundredth of the size.
    with (
        open(target, "wb") as file,
        gzip.GzipFile("", "wb", compresslevel=6, fileobj=file, mtime=0) as stream,
    ):
        yield cast(IO[bytes], stream)


@contextmanager
def _xz(target: Path, programs: Programs) -> Iterator[IO[bytes]]:
    import lzma  # some Pythons were built without it

    with lzma.open(target, "wb") as stream:
        yield cast(IO[bytes], stream)


@contextmanager
def _zstd(target: Path, programs: Programs) -> Iterator[IO[bytes]]:
    purpose = f"pack {target.name}"
    program = programs.need("zstd", purpose)
    with (
        open(target, "wb") as file,
        subprocess.Popen(
            [program, "-q", "-6", "-T0"], stdin=subprocess.PIPE, stdout=file
        ) as process,
    ):
        assert process.stdin is not None
        yield process.stdin
        process.stdin.close()
        if process.wait():
            raise ViewError(f"cannot {purpose}: zstd ended with {process.returncode}", ref="pack")


_COMPRESSED = {"": _plain, "gz": _gzip, "xz": _xz, "zst": _zstd}


# -- entries of tar ----------------------------------------------------------------------------


def _members(
    archive: Path, programs: Programs
) -> Iterator[tuple[tarfile.TarFile, tarfile.TarInfo]]:
    """Yield the entries of a tar file, to its end, where the compression has its checksum."""
    kind = kind_of(archive) or "tar"
    with decompressed(archive, kind, archive.name, programs.search_path) as stream:
        with tarfile.open(fileobj=stream, mode="r|") as tar:
            for member in tar:
                yield tar, member
        while stream.read(1 << 20):
            pass


def _anonymous(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    member.mtime = int(member.mtime)
    return member


def _safe(member: tarfile.TarInfo) -> tarfile.TarInfo:
    """Return a member as it may be written: this user's, without special modes.

    :raises tarfile.TarError: it would be written outside, or is not a file, link or directory.

    Links may lead anywhere: that of the interpreter leads to the machine's.
    """
    parts = member.name.split("/")
    if member.name.startswith("/") or ".." in parts:
        raise tarfile.TarError(f"{member.name} would be outside")
    if not (member.isreg() or member.isdir() or member.issym()):
        raise tarfile.TarError(f"{member.name} is not a file, link or directory")
    member.mode &= 0o755
    member.uid, member.gid = os.geteuid(), os.getegid()
    member.uname = member.gname = ""
    return member


def _refuse_below_links(names: Sequence[str], links: set[str]) -> None:
    """Refuse members that would be written through a link.

    :raises tarfile.TarError: something would be written through a link.
    """
    for name in names:
        above = os.path.dirname(name)
        while above:
            if above in links:
                raise tarfile.TarError(f"{name} is below a link")
            above = os.path.dirname(above)


def _trusting() -> dict[str, Any]:
    """Name the filter that Python 3.12 and later expect."""
    return {"filter": "fully_trusted"} if hasattr(tarfile, "data_filter") else {}
