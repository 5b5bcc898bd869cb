"""Source mirrors: directories and URLs with the cache's layout, asked before the origin."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from spack.fetch.source import Checksum
from spack.fetch.source_cache import archive_path

__all__ = ["Mirror"]


@dataclass(frozen=True)
class Mirror:
    """A mirror by its url (``file://`` too) or directory."""

    name: str
    url: str

    @property
    def base(self) -> str:
        """The url without a trailing slash; a directory becomes a ``file://`` url."""
        if "://" not in self.url:
            return Path(self.url).expanduser().absolute().as_uri()
        return self.url.rstrip("/")

    def addresses(self, checksum: Checksum | None, filename: str, what: str) -> Iterator[str]:
        """Yield where the file may be: by its checksum, and by package and version.

        :param what: ``name@version`` or another title, which then gives no second path.
        """
        if checksum is not None:
            yield f"{self.base}/{archive_path(checksum, filename)}"
        name, _, version = what.partition("@")
        if version and " " not in what:
            extension = archive_path(Checksum("", ""), filename).rpartition("/")[2]
            yield f"{self.base}/{name}/{name}-{version}{extension}"
