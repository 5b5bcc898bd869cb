"""Where the files of a cache are: a directory, or an HTTP server that is only read.

Names are relative paths with slashes. What is read was written by any user that may write there,
so all reads are limited.
"""

from __future__ import annotations

import errno
import os
import shutil
import stat
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Callable, Protocol
from urllib.parse import quote, urlsplit
from urllib.request import url2pathname

from spack.binary.cache_manifest import refused
from spack.errors import BinaryCacheError, FetchError
from spack.fetch.index_names import without_secrets
from spack.util.filesystem import atomic_write
from spack.util.lock import FileLock

if TYPE_CHECKING:
    from spack.fetch.transport import Transport

__all__ = ["CacheStorage", "DirectoryStorage", "HttpStorage", "MissingInCacheError"]

#: Largest manifest or other small document, in bytes.
LARGEST_MANIFEST = 4 << 20


class MissingInCacheError(BinaryCacheError):
    """The cache has no such file."""

    ref = "binary-missing"


class CacheStorage(Protocol):
    """The files of one cache; may be used from several threads."""

    #: Whether :meth:`exclusive` keeps other processes from changing the index.
    locks: bool

    @property
    def url(self) -> str:
        """The cache, for messages."""

    def read(self, name: str, limit: int = LARGEST_MANIFEST) -> bytes:
        """Return a document of at most *limit* bytes.

        :raises MissingInCacheError: there is none. :raises BinaryCacheError: it cannot be read.
        """

    def obtain(self, name: str, target: Path, size: int, progress: Callable[[int], None]) -> Path:
        """Return a local file with the content of *name*: *target*, or the file itself.

        :param size: bytes that it should have; more are never written.
        :raises MissingInCacheError: there is none. :raises BinaryCacheError: it cannot be read.
        """

    def exists(self, name: str) -> bool:
        """Return whether there is such a file."""

    def write(self, name: str, content: bytes | Path) -> None:
        """Write a document, or a file that is moved there; readers see all of it or nothing.

        :raises BinaryCacheError: it cannot be written.
        """

    def names(self, below: str) -> Iterator[str]:
        """Yield the names of all files below a directory, in order.

        :raises BinaryCacheError: they cannot be listed.
        """

    def remove(self, name: str) -> None:
        """Remove a file, if it is there.

        :raises BinaryCacheError: it cannot be removed.
        """

    def exclusive(self) -> AbstractContextManager[object]:
        """Return what keeps other processes from changing the index meanwhile, where possible."""


class DirectoryStorage:
    """A cache in a directory."""

    locks = True

    def __init__(self, root: Path) -> None:
        self.root = root

    @property
    def url(self) -> str:
        return str(self.root)

    @classmethod
    def of_url(cls, url: str) -> DirectoryStorage:
        """Return the cache of a ``file://`` URL or path."""
        path = url2pathname(urlsplit(url).path) if url.startswith("file:") else url
        return cls(Path(os.path.abspath(os.path.expanduser(path))))

    def read(self, name: str, limit: int = LARGEST_MANIFEST) -> bytes:
        try:
            with open(self._regular(name), "rb") as file:
                data = file.read(limit + 1)
        except OSError as error:
            raise self._error(name, error, "read") from error
        if len(data) > limit:
            raise refused(str(self.root / name), f"it is longer than {limit} bytes")
        return data

    def obtain(self, name: str, target: Path, size: int, progress: Callable[[int], None]) -> Path:
        try:
            return self._regular(name)
        except OSError as error:
            raise self._error(name, error, "read") from error

    def exists(self, name: str) -> bool:
        return (self.root / name).is_file()

    def write(self, name: str, content: bytes | Path) -> None:
        path = self.root / name
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            if isinstance(content, Path):
                os.chmod(content, 0o644)
                _move(content, path)
            else:
                atomic_write(path, content)
        except OSError as error:
            raise self._error(name, error, "written") from error

    def names(self, below: str) -> Iterator[str]:
        for folder, folders, files in os.walk(self.root / below):
            folders.sort()
            for name in sorted(files):
                if not name.startswith("."):
                    yield os.path.relpath(os.path.join(folder, name), self.root)

    def remove(self, name: str) -> None:
        try:
            (self.root / name).unlink()
        except FileNotFoundError:
            pass
        except OSError as error:
            raise self._error(name, error, "removed") from error

    def exclusive(self) -> AbstractContextManager[object]:
        path = self.root / "v3" / ".index.lock"
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise self._error("v3", error, "written") from error
        return FileLock(path).exclusive()

    def _regular(self, name: str) -> Path:
        """Return the path of a file; a pipe or device would never end."""
        path = self.root / name
        if not stat.S_ISREG(os.stat(path).st_mode):
            raise OSError(0, "it is not a regular file", str(path))
        return path

    def _error(self, name: str, error: OSError, verb: str) -> BinaryCacheError:
        path = self.root / name
        if isinstance(error, (FileNotFoundError, NotADirectoryError)) and verb == "read":
            return MissingInCacheError(
                f"the cache {self.root} has no {name}", facts={"path": str(path)}
            )
        return BinaryCacheError(
            f"{path} cannot be {verb}: {error.strerror}",
            facts={"path": str(path), "errno": error.errno},
            hint="look at the permissions and the free space of the cache's directory",
            ref="binary-directory",
        )


def _move(source: Path, target: Path) -> None:
    """Move a file, also from another file system; readers never see a part of it."""
    try:
        os.replace(source, target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        copy = target.with_name(f".{target.name}.{os.getpid()}.tmp")
        try:
            shutil.copyfile(source, copy)
            os.replace(copy, target)
        finally:
            copy.unlink(missing_ok=True)
        source.unlink()


class HttpStorage:
    """A cache on an HTTP server; it is not written to.

    :param transport: logs in, retries and resumes.
    """

    locks = False

    def __init__(self, url: str, transport: Transport) -> None:
        self._base = url.rstrip("/")
        self._transport = transport

    @property
    def url(self) -> str:
        return without_secrets(self._base)

    def read(self, name: str, limit: int = LARGEST_MANIFEST) -> bytes:
        try:
            return self._transport.get(self._address(name), limit=limit)[2]
        except FetchError as error:
            raise self._error(name, error) from error

    def obtain(self, name: str, target: Path, size: int, progress: Callable[[int], None]) -> Path:
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            self._transport.download(
                self._address(name),
                target,
                progress=lambda done, total: progress(done),
                limit=size,
            )
        except FetchError as error:
            raise self._error(name, error) from error
        return target

    def exists(self, name: str) -> bool:
        try:
            self.read(name)
        except MissingInCacheError:
            return False
        return True

    def write(self, name: str, content: bytes | Path) -> None:
        raise self._readonly("written to")

    def names(self, below: str) -> Iterator[str]:
        raise self._readonly("listed")

    def remove(self, name: str) -> None:
        raise self._readonly("written to")

    def exclusive(self) -> AbstractContextManager[object]:
        return nullcontext()

    def _address(self, name: str) -> str:
        return f"{self._base}/{quote(name)}"

    def _error(self, name: str, error: FetchError) -> BinaryCacheError:
        if error.facts.get("status") in (404, 410):
            return MissingInCacheError(f"the cache {self.url} has no {name}", facts={"path": name})
        return BinaryCacheError(
            error.message,
            facts=error.facts,
            hint="configure a login for the mirror (access_pair), or leave the mirror out",
            ref="binary-http",
        )

    def _readonly(self, verb: str) -> BinaryCacheError:
        return BinaryCacheError(
            f"the cache {self.url} cannot be {verb}: it is an HTTP server",
            hint="push to the directory that the server shows, or to a registry (oci://)",
            ref="binary-readonly",
        )
