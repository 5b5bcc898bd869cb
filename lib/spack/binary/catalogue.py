"""The index of a cache: which packages it has, with their manifests, in few files.

``v3/manifests/index/index.manifest.json`` names, beside the blob that Spack reads, up to
:data:`MOST_PARTS` *parts* of the catalogue. A part is ``gzip`` of ::

    {"format": 1, "specs": what spack.spec.dump gives, "packages": {hash: manifest as text}}

A push adds a part with what is new, and merges those that are not much larger, as log-structured
merge trees do (O'Neil et al., 1996): what a push writes and what a reader fetches again is
proportional to what is new. Parts are content-addressed, so a reader fetches none twice. With the
manifests in it, an install reads the index and then only archives.

Readers keep a catalogue as a database of the store's form, so that it is queried by name and by
hash in microseconds, whatever its size.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import zlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from spack.binary.cache_manifest import (
    CATALOGUE,
    SPACK_INDEX,
    VERSION,
    Blob,
    CacheManifest,
    refused,
)
from spack.errors import SpackError
from spack.spec import ConcreteSpec, dump, load
from spack.spec.stored import verify
from spack.store import InstallRecord
from spack.store.database import Database
from spack.store.database_tables import SCHEMA_VERSION
from spack.util.filesystem import atomic_write
from spack.util.frozen import frozen
from spack.util.json_input import parse_json

__all__ = [
    "MANIFEST",
    "CachedPackage",
    "IndexManifest",
    "LocalCatalogue",
    "decode_part",
    "encode_part",
    "parts_to_merge",
]

FORMAT = 1

#: Parts of a catalogue: with the index manifest, the requests that reading it takes.
MOST_PARTS = 4

#: Largest part, unpacked.
_LARGEST = 2 << 30

#: The key of a record's facts that holds the manifest.
MANIFEST = "manifest"


@frozen
class CachedPackage:
    """A package that a cache has, with the text of its manifest."""

    spec: ConcreteSpec
    manifest: str


@frozen
class IndexManifest:
    """What the index of a cache consists of.

    :param parts: of the catalogue, the oldest first.
    :param spack: the blob that Spack reads, if there is one.
    :param serial: greater with every change, in nanoseconds since the epoch; 0 in Spack's.
    """

    parts: tuple[Blob, ...] = ()
    spack: Blob | None = None
    serial: int = 0

    @property
    def sources(self) -> tuple[Blob, ...]:
        """The blobs that a reader needs: the parts, else what Spack has written."""
        return self.parts or (() if self.spack is None else (self.spack,))

    def to_json(self) -> str:
        rows = [] if self.spack is None else [self.spack.to_data()]
        rows += [part.to_data() for part in self.parts]
        return json.dumps({"version": VERSION, "serial": self.serial, "data": rows}, indent=0)

    @classmethod
    def from_json(cls, text: bytes, origin: str) -> IndexManifest:
        """Read an index manifest.

        :raises BinaryCacheError: it is not one that can be used.
        """
        decoded = text.decode("utf-8", "replace")
        manifest = CacheManifest.from_json(decoded, origin)
        serial = parse_json(decoded).get("serial", 0)
        spack = manifest.of_type(SPACK_INDEX)
        parts = manifest.of_type(CATALOGUE)
        if type(serial) is not int or len(parts) > MOST_PARTS or len(spack) > 1:
            raise refused(origin, "it is not the manifest of an index")
        return cls(parts, spack[0] if spack else None, serial)


def parts_to_merge(parts: Sequence[Blob], size: int) -> int:
    """Return how many parts, from the last one back, a new part of *size* bytes is merged with."""
    count = 0
    for part in reversed(parts):
        if part.size > 2 * size and len(parts) - count < MOST_PARTS:
            break
        count += 1
        size += part.size
    return count


def encode_part(packages: Iterable[CachedPackage]) -> tuple[Blob, bytes]:
    """Return a part with *packages*: its row and its content, the same for the same packages."""
    ordered = sorted(packages, key=lambda package: package.spec.dag_hash())
    data = {
        "format": FORMAT,
        "specs": dump(package.spec for package in ordered),
        "packages": {package.spec.dag_hash(): package.manifest for package in ordered},
    }
    text = json.dumps(data, sort_keys=True, separators=(",", ":")).encode()
    content = gzip.compress(text, 6, mtime=0)
    digest = hashlib.sha256(content).hexdigest()
    return Blob(len(content), CATALOGUE, "gzip", digest), content


def decode_part(content: bytes, blob: Blob, origin: str) -> list[CachedPackage]:
    """Read a part; every node is checked by its hash.

    :raises BinaryCacheError: it is damaged, or not what its manifest says.
    """
    if len(content) != blob.size or hashlib.sha256(content).hexdigest() != blob.digest:
        raise refused(origin, "a part of its index does not have the digest of its manifest")
    try:
        unpacker = zlib.decompressobj(zlib.MAX_WBITS | 16)
        text = unpacker.decompress(content, _LARGEST)
        if unpacker.unconsumed_tail or not unpacker.eof:
            raise ValueError("its compressed data do not end")
        data: Any = parse_json(text)
        if data["format"] != FORMAT:
            raise ValueError(f"it has the format {data['format']!r}, not {FORMAT}")
        nodes = load(data["specs"])
        verify(nodes)
        packages: Mapping[str, str] = data["packages"]
        return [CachedPackage(nodes[key], str(packages[key])) for key in sorted(packages)]
    except (
        SpackError, zlib.error, ValueError, KeyError, TypeError, AttributeError, RecursionError
    ) as error:  # fmt: skip
        raise refused(origin, f"a part of its index cannot be read: {error}") from error


class LocalCatalogue:
    """What is known here of one cache's catalogue.

    :param folder: of this cache alone.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._state = folder / "state.json"

    @property
    def database(self) -> Database:
        """The packages, as records whose facts have the manifest."""
        return Database(self._folder / self.state.get("file", "none.sqlite"))

    @property
    def state(self) -> dict[str, Any]:
        """``parts`` (digests), ``serial`` and ``file``; empty before the first update."""
        try:
            state = parse_json(self._state.read_bytes())
            return state if state["schema"] == SCHEMA_VERSION else {}
        except (OSError, ValueError, KeyError, TypeError):
            return {}

    def package(self, spec_hash: str) -> CachedPackage | None:
        """Return the package of that hash, or None."""
        with self.database as database:
            record = database.record(spec_hash)
            if record is None:
                return None
            return CachedPackage(
                database.specs([spec_hash])[spec_hash], str(record.facts[MANIFEST])
            )

    def every(self) -> list[CachedPackage]:
        """Return all packages, by name, version and hash; manifests may be missing."""
        with self.database as database:
            records = database.records()
            specs = database.specs(record.hash for record in records)
        return [CachedPackage(specs[row.hash], str(row.facts[MANIFEST])) for row in records]

    def manifests(self, hashes: Iterable[str]) -> dict[str, str]:
        """Return the manifests of those of *hashes* that it has."""
        with self.database as database:
            found = ((key, database.record(key)) for key in hashes)
            return {key: str(row.facts[MANIFEST]) for key, row in found if row is not None}

    def update(self, index: IndexManifest, fetched: Mapping[str, list[CachedPackage]]) -> None:
        """Take over *index*.

        :param fetched: packages by digest, of the parts that :meth:`missing` named.
        :raises StoreError: it cannot be written.
        """
        known = self.state.get("parts", [])
        digests = [part.digest for part in index.sources]
        grows = set(known) <= set(digests) and "file" in self.state
        name = self.state["file"] if grows else f"catalogue-{digests[-1][:12]}.sqlite"
        self._folder.mkdir(parents=True, exist_ok=True)
        if not grows and (self._folder / name).exists():
            os.unlink(self._folder / name)
        new = (package for digest in digests for package in fetched.get(digest, ()))
        items = [(package.spec, _record(package)) for package in new]
        with Database(self._folder / name, write=True) as database:
            database.add_all(items)
        state = {
            "parts": digests,
            "serial": index.serial,
            "file": name,
            "schema": SCHEMA_VERSION,
        }
        atomic_write(self._state, json.dumps(state))
        for path in self._folder.glob("catalogue-*.sqlite*"):
            if not path.name.startswith(name):
                path.unlink(missing_ok=True)

    def missing(self, index: IndexManifest) -> tuple[Blob, ...]:
        """Return the parts that must be fetched to take over *index*."""
        known = set(self.state.get("parts", ()))
        digests = {part.digest for part in index.sources}
        if known <= digests:
            return tuple(part for part in index.sources if part.digest not in known)
        return index.sources


def _record(package: CachedPackage) -> InstallRecord:
    return InstallRecord.of(package.spec, Path("/"), facts={MANIFEST: package.manifest})
