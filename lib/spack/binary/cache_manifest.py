"""Manifests of a cache: the blobs that make up one thing, by digest.

The format is that of Spack's build caches, layout version 3. What is read here was written by any
user that may write to the cache: everything is checked before it is used.
"""

from __future__ import annotations

import json
import re
from typing import Any

from spack.errors import BinaryCacheError
from spack.util.frozen import frozen
from spack.util.json_input import parse_json

__all__ = [
    "ARCHIVE",
    "CATALOGUE",
    "KEY",
    "KEY_INDEX",
    "SPEC",
    "SPACK_INDEX",
    "Blob",
    "CacheManifest",
    "refused",
]

#: Media types of blobs.
ARCHIVE = "application/vnd.spack.install.v2.tar+gzip"
SPEC = "application/vnd.spack.spec.v5+json"
SPACK_INDEX = "application/vnd.spack.db.v8+json"
KEY = "application/pgp-keys"
KEY_INDEX = "application/vnd.spack.keyindex.v1+json"
#: A part of this tool's own index; see :mod:`spack.binary.catalogue`.
CATALOGUE = "application/vnd.spack-venv.catalogue.v1+json"

VERSION = 3

#: What a spec file of layout version 2 has instead of a manifest, and the most bytes that its
#: archive may have.
_OF_SPEC_FILE = "binary_cache_checksum"
_LARGEST_UNSIZED = 64 << 30

_DIGEST = re.compile(r"[0-9a-f]{64}\Z")


@frozen
class Blob:
    """A row of a manifest: a file that its digest names.

    :param size: bytes as it is stored; the most that it may have if it is not *sized*.
    :param compression: ``gzip`` or ``none``.
    """

    size: int
    media_type: str
    compression: str
    digest: str
    sized: bool = True

    @property
    def path(self) -> str:
        """Where it is in a cache."""
        return f"blobs/sha256/{self.digest[:2]}/{self.digest}"

    def to_data(self) -> dict[str, Any]:
        return {
            "contentLength": self.size,
            "mediaType": self.media_type,
            "compression": self.compression,
            "checksumAlgorithm": "sha256",
            "checksum": self.digest,
        }

    @classmethod
    def from_data(cls, row: Any) -> Blob:
        """Read a row.

        :raises ValueError: it is not one that can be used.
        """
        if row["checksumAlgorithm"] != "sha256" or not _DIGEST.match(row["checksum"]):
            raise ValueError(f"the digest {row['checksum']!r} is not sha256")
        if row["compression"] not in ("gzip", "none"):
            raise ValueError(f"the compression {row['compression']!r} is not known")
        size = row["contentLength"]
        if type(size) is not int or size < 0:
            raise ValueError(f"{size!r} is not a size")
        return cls(size, str(row["mediaType"]), row["compression"], row["checksum"])


@frozen
class CacheManifest:
    """The blobs that belong together."""

    blobs: tuple[Blob, ...]

    def of_type(self, media_type: str) -> tuple[Blob, ...]:
        """Return the blobs of that type, in order."""
        return tuple(blob for blob in self.blobs if blob.media_type == media_type)

    def one(self, media_type: str, origin: str) -> Blob:
        """Return the only blob of that type.

        :raises BinaryCacheError: there is none, or several.
        """
        found = self.of_type(media_type)
        if len(found) != 1:
            raise refused(origin, f"it names {len(found)} blobs of the type {media_type}, not one")
        return found[0]

    def to_json(self) -> str:
        """Return the text, with short lines: gpg's signatures of long ones are not verified."""
        data = {"version": VERSION, "data": [blob.to_data() for blob in self.blobs]}
        return json.dumps(data, indent=0, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str, origin: str) -> CacheManifest:
        """Read a manifest without its signature, or a spec file of layout version 2.

        :raises BinaryCacheError: it is not one that can be used.
        """
        try:
            data = parse_json(text)
            if _OF_SPEC_FILE in data:
                return cls((_archive_of_spec_file(data[_OF_SPEC_FILE]),))
            if data["version"] != VERSION:
                raise ValueError(f"it has the layout version {data['version']!r}, not {VERSION}")
            return cls(tuple(Blob.from_data(row) for row in data["data"]))
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise refused(origin, f"it cannot be read: {error}") from error


def _archive_of_spec_file(row: Any) -> Blob:
    """Return the archive that a spec file of layout version 2 names.

    :raises ValueError: its digest is not sha256; so are KeyError and TypeError.
    """
    if row["hash_algorithm"] != "sha256" or not _DIGEST.match(row["hash"]):
        raise ValueError(f"the digest {row['hash']!r} is not sha256")
    return Blob(_LARGEST_UNSIZED, ARCHIVE, "gzip", row["hash"], sized=False)


def refused(origin: str, reason: str, hint: str | None = None) -> BinaryCacheError:
    """Return the error for something in a cache that is not used."""
    return BinaryCacheError(
        f"{origin} is refused: {reason}",
        facts={"origin": origin, "reason": reason},
        hint=hint
        or "nothing of it was kept; it is built instead where the caches are not the only "
        "source, and `spack buildcache check` examines a cache",
        ref="binary-refused",
    )
