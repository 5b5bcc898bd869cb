"""The source cache: verified files by checksum, shared by all stages and processes.

Layout (the one that Spack's users and mirrors have)::

    <root>/_source-cache/archive/<first two>/<sha256>.<extension>
    <root>/_source-cache/git/<repository>/<commit>.tar.gz

A file appears by ``rename`` when it is complete and verified; it is hashed again whenever it is
taken out.
"""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from spack.errors import FetchError
from spack.fetch.source import Checksum, GitSource, extension_of

__all__ = ["SourceCache", "archive_path", "git_path"]


def archive_path(checksum: Checksum, filename: str) -> str:
    """Return the path of a file below the root of a cache or mirror."""
    extension = extension_of(filename)
    name = f"{checksum.value}.{extension}" if extension else checksum.value
    return f"_source-cache/archive/{checksum.value[:2]}/{name}"


def git_path(source: GitSource) -> str:
    """Return the path of a repository's state below the root of a cache; it must name a commit."""
    path = urlsplit(source.url).path or source.url
    parts = [re.sub(r"[^\w.+-]", "_", part) for part in path.split("/")[-2:]]
    name = "/".join(part for part in parts if part.strip("."))
    variant = "" if not source.submodules else "-submodules"
    variant += "-full" if source.full else ""
    return f"_source-cache/git/{name}/{source.commit}{variant}.tar.gz"


class SourceCache:
    """A directory that may not exist yet."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def find(self, relative: str) -> Path | None:
        """Return the file at *relative* if it exists."""
        path = self.root / relative
        return path if path.is_file() else None

    def discard(self, relative: str) -> None:
        """Remove a file that failed a check."""
        try:
            (self.root / relative).unlink()
        except FileNotFoundError:
            pass

    @contextmanager
    def incoming(self) -> Iterator[Path]:
        """Yield a new directory on the cache's file system for a file that is being written.

        :raises FetchError: the cache cannot be written.
        """
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            directory = tempfile.TemporaryDirectory(prefix=".incoming-", dir=self.root)
        except OSError as error:
            raise FetchError(
                f"the source cache {self.root} cannot be written: {error.strerror}",
                hint="set config:source_cache to a directory that can be written",
            ) from error
        with directory:
            yield Path(directory.name)

    def add(self, file: Path, relative: str) -> Path:
        """Move a verified *file* from :meth:`incoming` to its path."""
        target = self.root / relative
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            file.chmod(0o644)
            os.replace(file, target)
        except OSError as error:
            raise FetchError(
                f"the source cache {self.root} cannot be written: {error.strerror}",
                hint="set config:source_cache to a directory that can be written",
            ) from error
        return target
