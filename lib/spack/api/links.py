"""``LinkTree``: mirror a directory tree with one link a file."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Callable, Optional

__all__ = ["LinkTree"]

Ignore = Optional[Callable[[str], bool]]


class LinkTree:
    """The files below *source_root*, to be linked into other directories."""

    def __init__(self, source_root: str) -> None:
        if not os.path.isdir(source_root):
            raise FileNotFoundError(f"No such directory: '{source_root}'")
        self._root = os.path.abspath(source_root)

    def _files(self, ignore: Ignore) -> Iterator[tuple[str, str]]:
        for directory, directories, files in os.walk(self._root):
            directories.sort()
            for name in sorted(files):
                path = os.path.join(directory, name)
                relative = os.path.relpath(path, self._root)
                if ignore is None or not ignore(relative):
                    yield path, relative

    def get_file_map(self, dest_root: str, ignore: Ignore = None) -> dict[str, str]:
        """Return source path to target path."""
        return {path: os.path.join(dest_root, relative) for path, relative in self._files(ignore)}

    def find_conflict(
        self, dest_root: str, ignore: Ignore = None, ignore_file_conflicts: bool = False
    ) -> str | None:
        """Return the first target that exists already and is not a link to its source."""
        if ignore_file_conflicts:
            return None
        for source, target in self.get_file_map(dest_root, ignore).items():
            if os.path.lexists(target) and not os.path.samefile(source, target):
                return target
        return None

    def merge(
        self,
        dest_root: str,
        ignore_conflicts: bool = False,
        ignore: Ignore = None,
        link: Callable[[str, str], None] = os.symlink,
        relative: bool = False,
    ) -> None:
        """Make the links.

        :raises FileExistsError: a target is there already, unless *ignore_conflicts*.
        """
        for source, target in self.get_file_map(dest_root, ignore).items():
            if os.path.lexists(target) and ignore_conflicts:
                continue
            directory = os.path.dirname(target)
            os.makedirs(directory, exist_ok=True)
            link(os.path.relpath(source, directory) if relative else source, target)

    def unmerge(
        self,
        dest_root: str,
        ignore: Ignore = None,
        remove_file: Callable[[str, str], None] | None = None,
    ) -> None:
        """Remove the links again, and directories that are left empty."""
        for source, target in self.get_file_map(dest_root, ignore).items():
            if not os.path.islink(target):
                continue
            if remove_file is not None:
                remove_file(source, target)
            else:
                os.unlink(target)
            directory = os.path.dirname(target)
            while directory != dest_root and not os.listdir(directory):
                os.rmdir(directory)
                directory = os.path.dirname(directory)
