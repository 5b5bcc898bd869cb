"""Handles of directories that an untrusted process has written to; no link is followed.

A build may leave a link, a pipe or a directory where the engine is about to write or read a file.
Every step here is relative to an open directory, and each kind of file is checked after it was
opened, so that nothing that changes meanwhile leads elsewhere.
"""

from __future__ import annotations

import errno
import os
import stat
from types import TracebackType

__all__ = ["DirectoryHandle", "read_regular"]

_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


def read_regular(path: str | os.PathLike[str]) -> bytes:
    """Return the content of a regular file; a link, pipe or device is an error.

    :raises OSError: it cannot be read, or is of another kind.
    """
    return _read(os.open(path, _FILE), os.fspath(path))


def _read(descriptor: int, name: str) -> bytes:
    with open(descriptor, "rb") as stream:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, "not a regular file", name)
        return stream.read()


class DirectoryHandle:
    """An open directory; names are single parts of paths.

    :param path: the directory; its last part may not be a link.
    :raises OSError: it is missing, or not a directory.
    """

    def __init__(self, path: str | os.PathLike[str], *, within: int | None = None) -> None:
        self.path = os.fspath(path)
        try:
            self._fd = os.open(self.path, _DIRECTORY, dir_fd=within)
        except OSError as error:
            if error.errno in (errno.ELOOP, errno.ENOTDIR):
                raise OSError(errno.ENOTDIR, "not a directory", self.path) from error
            raise

    def __enter__(self) -> DirectoryHandle:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the handle."""
        os.close(self._fd)

    def identity(self) -> tuple[int, int]:
        """Return device and inode, which identify the directory."""
        info = os.fstat(self._fd)
        return info.st_dev, info.st_ino

    def directory(self, name: str) -> DirectoryHandle:
        """Return the directory *name* in this one, made if it is missing.

        :raises OSError: something else has that name.
        """
        try:
            os.mkdir(name, dir_fd=self._fd)
        except FileExistsError:
            pass
        return DirectoryHandle(name, within=self._fd)

    def write(
        self, name: str, data: bytes | str, mode: int = 0o644, group: int | None = None
    ) -> None:
        """Write the file *name*; a file or link of that name is replaced, in one step.

        :raises OSError: it cannot be written, or a directory has that name.
        """
        new = f".{name[:200]}.new"
        self._unlink(new)
        descriptor = os.open(new, _NEW, 0o600, dir_fd=self._fd)
        with open(descriptor, "wb") as stream:
            stream.write(data.encode("utf-8") if isinstance(data, str) else data)
            if group is not None:
                os.fchown(descriptor, -1, group)
            os.fchmod(descriptor, mode)
        os.rename(new, name, src_dir_fd=self._fd, dst_dir_fd=self._fd)

    def take(self, source: str | os.PathLike[str], name: str) -> None:
        """Rename the trusted file *source* to *name* in this directory, if *source* exists."""
        try:
            os.rename(source, name, dst_dir_fd=self._fd)
        except FileNotFoundError:
            pass

    def give(self, name: str, target: str | os.PathLike[str]) -> None:
        """Rename *name* out of this directory, if it is a regular file."""
        try:
            info = os.stat(name, dir_fd=self._fd, follow_symlinks=False)
        except FileNotFoundError:
            return
        if stat.S_ISREG(info.st_mode):
            os.rename(name, target, src_dir_fd=self._fd)

    def read(self, name: str) -> bytes:
        """Return the content of the regular file *name*; see :func:`read_regular`."""
        return _read(os.open(name, _FILE, dir_fd=self._fd), name)

    def _unlink(self, name: str) -> None:
        try:
            os.unlink(name, dir_fd=self._fd)
        except FileNotFoundError:
            pass
