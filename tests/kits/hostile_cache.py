"""A cache whose owner is hostile: what is changed fits to its digests and its index."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from spack.binary import cache_paths
from spack.binary.binary_cache import BinaryCache
from spack.binary.cache_manifest import ARCHIVE, Blob, CacheManifest
from spack.binary.cache_storage import DirectoryStorage
from spack.binary.catalogue import CachedPackage
from spack.binary.signatures import NoSignatures
from spack.util.frozen import replace

__all__ = ["HostileCache"]

#: Given an archive's members and their contents, returns them changed.
Members = list[tuple[tarfile.TarInfo, bytes]]


class HostileCache:
    """The unsigned cache at *root*.

    :param local: a directory for what its own reader keeps.
    """

    def __init__(self, root: Path, local: Path) -> None:
        self.root = root
        self._cache = BinaryCache("hostile", DirectoryStorage(root), local, NoSignatures())

    def package(self, name: str) -> CachedPackage:
        """Return the package of that name."""
        return next(x for x in self._cache.packages() if x.spec.name == name)

    def archive(self, name: str) -> Path:
        """Return the file of a package's archive."""
        return self.root / self._blob(name).path

    def change_archive(self, name: str, change: Callable[[Members], Members]) -> None:
        """Replace the archive of a package, with a manifest and an index that fit."""
        with tarfile.open(self.archive(name), "r:gz") as tar:
            members = [(row, file.read() if (file := tar.extractfile(row)) else b"") for row in tar]
        plain = io.BytesIO()
        with tarfile.open(fileobj=plain, mode="w") as tar:
            for row, data in change(members):
                row.size = len(data)
                tar.addfile(row, io.BytesIO(data) if row.isreg() else None)
        self.replace_archive(name, gzip.compress(plain.getvalue()))

    def replace_archive(self, name: str, content: bytes) -> None:
        """Replace the archive of a package by *content*."""
        digest = hashlib.sha256(content).hexdigest()
        self.change_row(name, lambda row: replace(row, size=len(content), digest=digest))
        path = self.archive(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)

    def change_row(self, name: str, change: Callable[[Blob], Blob]) -> None:
        """Change what the manifest of a package says of its archive."""
        package = self.package(name)
        manifest = CacheManifest.from_json(package.manifest, "")
        rows = tuple(change(x) if x.media_type == ARCHIVE else x for x in manifest.blobs)
        self.replace_manifest(name, CacheManifest(rows).to_json())

    def replace_manifest(self, name: str, text: str) -> None:
        """Replace the manifest of a package, in the index too."""
        package = self.package(name)
        path = self.root / cache_paths.spec_manifest_path(package.spec)
        path.write_text(text)
        rest = [x for x in self._cache.packages() if x.spec.name != name]
        self._cache.replace_index([*rest, CachedPackage(package.spec, text)])

    def change_index(self, change: Callable[[Any], Any]) -> None:
        """Change the manifest of the index, as plain data."""
        path = self.root / cache_paths.INDEX
        path.write_text(json.dumps(change(json.loads(path.read_text()))))

    def _blob(self, name: str) -> Blob:
        return CacheManifest.from_json(self.package(name).manifest, "").one(ARCHIVE, "")
