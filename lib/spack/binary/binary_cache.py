"""One cache: what it has, what of it is trusted, and how packages get into it."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import random
import shutil
import time
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Callable

from spack.binary import cache_paths
from spack.binary.cache_manifest import (
    ARCHIVE,
    SPACK_INDEX,
    SPEC,
    Blob,
    CacheManifest,
    refused,
)
from spack.binary.cache_storage import CacheStorage, HttpStorage, MissingInCacheError
from spack.binary.catalogue import (
    CachedPackage,
    IndexManifest,
    LocalCatalogue,
    decode_part,
    encode_part,
    parts_to_merge,
)
from spack.binary.earlier_layout import EarlierLayout, archive_path
from spack.binary.pack_package import PackedPrefix
from spack.binary.provenance import PROVENANCE, read_provenance
from spack.binary.signatures import Trust
from spack.binary.spack_index import decode_spack_index, encode_spack_index
from spack.errors import BinaryCacheError
from spack.spec import ConcreteSpec, to_specfile
from spack.util.hashing import hash_file

__all__ = ["BinaryCache"]

#: Requests at one time, where packages have to be asked for one by one.
_REQUESTS = 8

#: How often an index is written that other pushes change meanwhile.
_ATTEMPTS = 20

#: Bytes of the largest part of an index, as it is stored.
_LARGEST_PART = 1 << 30

#: What Spack's own spec blobs give as their layout.
_SPEC_LAYOUT = 2


class BinaryCache:
    """A cache of binaries; may be used from several threads.

    :param name: of the mirror, or its URL.
    :param local: where is kept what is known of it here.
    :param trust: decides whether a manifest counts.
    :param view: the index view that says what the cache has; ``""`` is the whole index.
    """

    def __init__(
        self, name: str, storage: CacheStorage, local: Path, trust: Trust, *, view: str = ""
    ) -> None:
        self.name = name
        self.view = view
        self.storage = storage
        self.trust = trust
        self.catalogue = LocalCatalogue(local)
        self._refreshed = False
        #: Set if what is there is of layout version 2.
        self._earlier: EarlierLayout | None = None

    @property
    def is_earlier(self) -> bool:
        """Whether what was read is of layout version 2, which is not written."""
        return self._earlier is not None

    # -- reading -----------------------------------------------------------------------------

    def refresh(self) -> bool:
        """Fetch what is new of the index; return whether there is one.

        At most one request, and one for each new part of the catalogue. Of a cache that Spack
        alone has written, its index.

        :raises BinaryCacheError: the index is damaged, or older than the one before.
        """
        if not self._refreshed:
            index = self._index()
            if not index.sources and not self.view:
                earlier = EarlierLayout(self.storage)
                index = earlier.index(self._origin)
                self._earlier = earlier if index.sources else None
            if index.sources:
                self._take_over(index)
                self._refreshed = True
        return self._refreshed

    def _index(self) -> IndexManifest:
        try:
            text = self.storage.read(cache_paths.index_path(self.view))
        except MissingInCacheError:
            return IndexManifest()
        return IndexManifest.from_json(text, self._origin)

    def _take_over(self, index: IndexManifest) -> None:
        seen = self.catalogue.state.get("serial", 0)
        if index.serial < seen:
            raise refused(
                self._origin,
                "it is older than the one that was seen before",
                "if the cache was set back on purpose, `spack clean -m` forgets what was seen",
            )
        missing = self.catalogue.missing(index)
        if not missing and index.serial == seen:
            return
        with ThreadPoolExecutor(_REQUESTS) as pool:
            contents = list(pool.map(self._blob, missing))
        fetched = {
            blob.digest: self._packages(content, blob) for blob, content in zip(missing, contents)
        }
        self.catalogue.update(index, fetched)

    def _blob(self, blob: Blob) -> bytes:
        if blob.size > _LARGEST_PART:
            raise refused(self._origin, f"a part of it has {blob.size} bytes")
        if self._earlier is not None:
            return self._earlier.index_content()
        return self.storage.read(blob.path, blob.size)

    def _packages(self, content: bytes, blob: Blob) -> list[CachedPackage]:
        if blob.media_type != SPACK_INDEX:
            return decode_part(content, blob, self._origin)
        # Spack's index has no manifests.
        return [CachedPackage(x, "") for x in decode_spack_index(content, blob, self._origin)]

    @property
    def _origin(self) -> str:
        view = f"view {self.view} of the " if self.view else ""
        return f"the {view}index of the cache {self.name}"

    def forget(self) -> None:
        """Fetch what is new of the index when it is next needed."""
        self._refreshed = False

    def find(self, specs: Iterable[ConcreteSpec], *, beyond_index: bool = False) -> dict[str, str]:
        """Return the texts of manifests by hash, of those of *specs* that the cache has.

        Without an index of this tool each manifest is a request, as in Spack.

        :param beyond_index: ask for each manifest that the index does not have: of two machines
            that push to a registry at once the index may have what one of them has pushed.
        :raises BinaryCacheError: the cache cannot be read.
        """
        wanted = {spec.dag_hash(): spec for spec in specs if spec.external is None}
        if not wanted:
            return {}
        if not self.refresh():
            return self._manifests(wanted.values()) if self._may_have_packages() else {}
        known = self.catalogue.manifests(wanted)
        unread = [wanted[key] for key, text in known.items() if not text]
        if beyond_index:
            unread += [spec for key, spec in wanted.items() if key not in known]
        return {**{k: text for k, text in known.items() if text}, **self._manifests(unread)}

    def _may_have_packages(self) -> bool:
        """Return whether asking for single packages makes sense: mirrors of sources have none."""
        return not isinstance(self.storage, HttpStorage) or self.storage.exists(cache_paths.LAYOUT)

    def _manifests(self, specs: Iterable[ConcreteSpec]) -> dict[str, str]:
        """Return what the manifests of *specs* say, of those that are there."""
        asked = list(specs)
        with ThreadPoolExecutor(_REQUESTS) as pool:
            texts = list(pool.map(self._manifest_text, asked))
        return {x.dag_hash(): text for x, text in zip(asked, texts) if text is not None}

    def _manifest_text(self, spec: ConcreteSpec) -> str | None:
        if self._earlier is not None:
            return self._earlier.manifest_text(spec)
        try:
            return self.storage.read(cache_paths.spec_manifest_path(spec)).decode("utf-8")
        except MissingInCacheError:
            return None
        except UnicodeDecodeError as error:
            raise refused(f"the manifest of {spec.short}", str(error)) from error

    def archive_of(self, spec: ConcreteSpec, text: str) -> Blob:
        """Return the archive that a manifest names, if it is trusted.

        :raises BinaryCacheError: its signature is missing, wrong or of an unknown key.
        """
        origin = f"the manifest of {spec.short} in the cache {self.name}"
        return self.trust.verified(text, spec.dag_hash(), origin).one(ARCHIVE, origin)

    def obtain(
        self, spec: ConcreteSpec, blob: Blob, target: Path, progress: Callable[[int], None]
    ) -> Path:
        """Return a local file of an archive: *target*, or the cache's own.

        :raises BinaryCacheError: it is missing, or cannot be read.
        """
        name = archive_path(spec) if self._earlier is not None else blob.path
        try:
            return self.storage.obtain(name, target, blob.size, progress)
        except MissingInCacheError as error:
            raise refused(
                f"the binary of {spec.short} in the cache {self.name}", "its archive is missing"
            ) from error

    def provenance_of(self, spec: ConcreteSpec, text: str) -> Mapping[str, Any] | None:
        """Return the provenance that a manifest names, if it is trusted; None if it names none.

        :raises BinaryCacheError: it is not trusted, missing, damaged or of another archive.
        """
        origin = f"{spec.short} in the cache {self.name}"
        manifest = self.trust.verified(text, spec.dag_hash(), origin)
        rows = manifest.of_type(PROVENANCE)
        if not rows:
            return None
        content = self.storage.read(rows[0].path)
        if hashlib.sha256(content).hexdigest() != rows[0].digest:
            raise refused(origin, "its provenance does not have the digest of its manifest")
        return read_provenance(content, manifest.one(ARCHIVE, origin).digest, origin)

    def copy_archive(self, spec: ConcreteSpec, blob: Blob, target: Path) -> None:
        """Write an archive to *target*, which is there only if it has the right digest.

        :raises BinaryCacheError: it is missing, damaged, or cannot be read.
        :raises OSError: *target* cannot be written.
        """
        new = target.with_name(f".{target.name}.new")
        try:
            path = self.obtain(spec, blob, new, lambda done: None)
            if path != new:
                shutil.copyfile(path, new)
            if hash_file(new) != blob.digest:
                raise refused(
                    f"the binary of {spec.short} in the cache {self.name}",
                    "its archive does not have the digest of its manifest",
                )
            os.replace(new, target)
        finally:
            new.unlink(missing_ok=True)

    def packages(self) -> list[CachedPackage]:
        """Return all packages of the index, with their manifests.

        :raises BinaryCacheError: the index cannot be read.
        """
        self.refresh()
        found = self.catalogue.every()
        read = self._manifests(x.spec for x in found if not x.manifest)
        filled = (
            CachedPackage(x.spec, x.manifest or read.get(x.spec.dag_hash(), "")) for x in found
        )
        return [package for package in filled if package.manifest]

    def has_index(self) -> bool:
        """Return whether there is an index, or the index view."""
        index = self._index()
        return bool(index.parts) or index.spack is not None

    def index_blobs(self) -> set[str]:
        """Return the paths of the blobs that make up the index.

        :raises BinaryCacheError: the index cannot be read.
        """
        index = self._index()
        spack = [] if index.spack is None else [index.spack]
        return {blob.path for blob in (*index.parts, *spack)}

    # -- writing -----------------------------------------------------------------------------

    def store(
        self, spec: ConcreteSpec, packed: PackedPrefix, archive: Path, provenance: bytes = b""
    ) -> CachedPackage:
        """Write one package, its manifest last: until then the cache does not have it.

        :param archive: is moved.
        :param provenance: see :mod:`spack.binary.provenance`; nothing is written if it is empty.
        :raises BinaryCacheError: it cannot be written.
        """
        blob = Blob(packed.size, ARCHIVE, "gzip", packed.digest)
        if not self.storage.exists(blob.path):
            self.storage.write(blob.path, archive)
        data = {**to_specfile(spec), "buildcache_layout_version": _SPEC_LAYOUT}
        content = gzip.compress(json.dumps(data, separators=(",", ":")).encode(), 6, mtime=0)
        digest = hashlib.sha256(content).hexdigest()
        described = Blob(len(content), SPEC, "gzip", digest)
        self.storage.write(described.path, content)
        blobs = [blob, described]
        if provenance:
            digest = hashlib.sha256(provenance).hexdigest()
            blobs.append(Blob(len(provenance), PROVENANCE, "none", digest))
            self.storage.write(blobs[-1].path, provenance)
        manifest = self.trust.signed(CacheManifest(tuple(blobs)), spec.dag_hash())
        self.storage.write(cache_paths.spec_manifest_path(spec), manifest.encode())
        return CachedPackage(spec, manifest)

    def add_to_index(self, packages: Iterable[CachedPackage]) -> None:
        """Add *packages* to the catalogue. Cost: proportional to what is new, amortized.

        :raises BinaryCacheError: the index cannot be read or written.
        """
        new = list(packages)
        for attempt in range(_ATTEMPTS if new else 0):
            with self.storage.exclusive():
                if self._add_to_index(new):
                    return
            time.sleep(random.random() * 0.1 * (attempt + 1))
        if new:
            raise BinaryCacheError(
                f"{self._origin} is changed by other pushes all the time",
                hint="the packages are there: `spack buildcache update-index` lists them",
                ref="binary-index",
            )

    def _add_to_index(self, new: list[CachedPackage]) -> bool:
        """Add *new* once; return whether it has them, which another push can prevent.

        Storages without locks are looked at again just before and after writing.
        """
        index = self._index()
        every = new
        if index.spack is not None and not index.parts:
            every = [*self._all_of_spack(index.spack), *new]
        blob, content = encode_part(every)
        count = parts_to_merge(index.parts, blob.size)
        kept = index.parts[: len(index.parts) - count]
        by_hash = {package.spec.dag_hash(): package for package in every}
        for part in index.parts[len(kept) :]:
            for package in decode_part(self._blob(part), part, self._origin):
                by_hash.setdefault(package.spec.dag_hash(), package)
        if count:
            blob, content = encode_part(by_hash.values())
        self.storage.write(blob.path, content)
        if not self.storage.locks and self._index().serial != index.serial:
            return False
        self.write_index(IndexManifest((*kept, blob), index.spack, index.serial))
        return self.storage.locks or self._lists(blob, new)

    def _lists(self, part: Blob, packages: Iterable[CachedPackage]) -> bool:
        """Return whether the index has *part*, or *packages* in another one."""
        if part.digest in {known.digest for known in self._index().parts}:
            return True
        hashes = {package.spec.dag_hash() for package in packages}
        self._refreshed = False
        return self.refresh() and set(self.catalogue.manifests(hashes)) == hashes

    def replace_index(self, packages: Iterable[CachedPackage]) -> None:
        """Make the index one of *packages* alone; Spack's too, if there is one.

        :raises BinaryCacheError: it cannot be written.
        """
        every = list(packages)
        try:
            old = self._index()
        except BinaryCacheError:
            old = IndexManifest()
        blob, content = encode_part(every)
        self.storage.write(blob.path, content)
        spack = old.spack
        if spack is not None or self.view:
            spack, text = encode_spack_index([package.spec for package in every])
            self.storage.write(spack.path, text)
        self.write_index(IndexManifest((blob,), spack, old.serial))

    def _all_of_spack(self, blob: Blob) -> list[CachedPackage]:
        """Return the packages of an index that Spack has written, with their manifests."""
        specs = decode_spack_index(self._blob(blob), blob, self._origin)
        manifests = self._manifests(specs)
        return [
            CachedPackage(spec, manifests[spec.dag_hash()])
            for spec in specs
            if spec.dag_hash() in manifests
        ]

    def write_spack_index(self) -> int:
        """Write the index that Spack reads, with all packages; return how many there are.

        :raises BinaryCacheError: the index cannot be read or written.
        """
        index = self._index()
        self.refresh()
        with self.catalogue.database as database:
            specs = list(database.specs().values())
        blob, content = encode_spack_index(specs)
        self.storage.write(blob.path, content)
        self.write_index(IndexManifest(index.parts, blob, index.serial))
        return len(specs)

    def write_index(self, index: IndexManifest) -> None:
        """Write the manifest of the index, with a serial that is greater than before."""
        serial = max(time.time_ns(), index.serial + 1)
        new = IndexManifest(index.parts, index.spack, serial)
        self.storage.write(cache_paths.index_path(self.view), new.to_json().encode())
        if not self.storage.exists(cache_paths.LAYOUT):
            self.storage.write(cache_paths.LAYOUT, cache_paths.LAYOUT_TEXT.encode())
        self._refreshed = False
