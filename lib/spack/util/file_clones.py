"""Giving a file a second path: sharing its blocks, as a hard link, or as a copy."""

from __future__ import annotations

import errno
import fcntl
import os
import shutil

__all__ = ["NO_HARD_LINK", "FileLinker", "share_blocks"]

#: ``ioctl`` that makes a file share the blocks of another (btrfs, xfs, overlay over them).
_FICLONE = 0x40049409

#: A hard link that is not possible: other file system, protected files, too many links.
NO_HARD_LINK = frozenset({errno.EXDEV, errno.EPERM, errno.EMLINK, errno.EOPNOTSUPP, errno.EACCES})


def share_blocks(source: int, target: int) -> bool:
    """Return whether the file open as *target* could be made to share the blocks of *source*."""
    try:
        fcntl.ioctl(target, _FICLONE, source)
    except OSError:
        return False
    return True


class FileLinker:
    """Links files into new directories: what the file system cannot do is tried once.

    A file that shares blocks is one of its own, which a change of the other does not reach; a hard
    link is the same file, and the cheapest where blocks cannot be shared.
    """

    def __init__(self) -> None:
        self._clones = True
        self._links = True

    def link(self, source: str, target: str, mode: int) -> None:
        """Make the new file *target* with the content of *source*, whose permissions are *mode*.

        :raises OSError: it cannot be made.
        """
        if self._clones and self._clone(source, target, mode):
            return
        if self._links:
            try:
                os.link(source, target, follow_symlinks=False)
                return
            except OSError as error:
                if error.errno not in NO_HARD_LINK:
                    raise
                # One file may have too many links; anything else holds for all of them.
                self._links = error.errno == errno.EMLINK
        with open(source, "rb") as old, open(target, "xb") as new:
            shutil.copyfileobj(old, new, 1 << 20)
            os.fchmod(new.fileno(), mode)

    def _clone(self, source: str, target: str, mode: int) -> bool:
        with open(source, "rb") as old, open(target, "xb") as new:
            self._clones = share_blocks(old.fileno(), new.fileno())
            if self._clones:
                os.fchmod(new.fileno(), mode)
        if not self._clones:
            os.unlink(target)
        return self._clones
