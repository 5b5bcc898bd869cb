"""Core metadata of wheels on the package index, kept by the digest of the file that has them."""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Sequence
from email.message import Message
from email.parser import BytesHeaderParser
from pathlib import Path
from typing import TYPE_CHECKING

from spack.errors import FetchError, SpackError
from spack.fetch.index_names import without_secrets
from spack.fetch.source import Checksum, IndexSource
from spack.util.filesystem import atomic_write

if TYPE_CHECKING:
    from spack.fetch.fetcher import Fetcher
    from spack.recipe.wheel_offers import OfferedFile

__all__ = ["IndexMetadata"]


class IndexMetadata:
    """Reads metadata from beside a wheel (:pep:`658`), else from the wheel.

    :param root: directory of what was read; what is in a file of a digest never changes.
    """

    def __init__(self, root: Path, fetcher: Fetcher) -> None:
        self._root = root
        self._fetcher = fetcher

    def of(self, project: str, links: Sequence[OfferedFile]) -> Message:
        """Return the metadata of a release: those of one of its wheels.

        :raises SpackError: they cannot be read, or are not what the index says.
        """
        served = [link for link in links if link.metadata]
        link = min(served or links, key=lambda x: (x.size or 0, x.filename))
        path = self._root / str(link.sha256)
        try:
            body = path.read_bytes()
        except OSError:
            body = self._beside(link) if link.metadata else self._inside(project, link)
            self._keep(path, body)
        return BytesHeaderParser().parsebytes(body)

    def _keep(self, path: Path, body: bytes) -> None:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            atomic_write(path, body)
        except OSError:
            pass  # a cache that cannot be written is none

    def _beside(self, link: OfferedFile) -> bytes:
        _, transport = self._fetcher.connect()
        url = f"{link.url}.metadata"
        _, _, body = transport.get(url)
        wanted = link.metadata_hashes.get("sha256")
        if wanted not in (None, hashlib.sha256(body).hexdigest()):
            raise FetchError(
                f"checksum mismatch: {without_secrets(url)}",
                hint="it was changed on its way, or the index is wrong; try again",
                ref="checksum",
            )
        return body

    def _inside(self, project: str, link: OfferedFile) -> bytes:
        path = self._fetcher.fetch(
            IndexSource(
                project,
                link.filename,
                Checksum("sha256", str(link.sha256)),
                expand=False,
                what=link.filename,
                origin=without_secrets(link.index),
            )
        )
        try:
            with zipfile.ZipFile(path) as wheel:
                name = next(x for x in wheel.namelist() if x.endswith(".dist-info/METADATA"))
                return wheel.read(name)
        except (zipfile.BadZipFile, OSError, StopIteration) as error:
            raise SpackError(f"{link.filename} has no metadata", ref="wheel") from error
