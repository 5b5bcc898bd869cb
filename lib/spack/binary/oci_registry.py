"""Caches in registries of container images (OCI Distribution Specification 1.1).

A package is an image manifest with the tag that Spack gives it, ``<name>-<version>-<hash>.spack``:
its configuration is the spec file, its last layer the archive. The manifest of the cache, with its
signature, is an annotation; what Spack has pushed has none. The index is the tag
``index.spack-venv``, whose layers are the parts of the catalogue; ``index.spack`` is the index that
Spack reads. Other documents are annotations of tags of their own.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import re
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any, Callable

from spack.binary import cache_paths
from spack.binary.cache_manifest import (
    ARCHIVE,
    SPACK_INDEX,
    SPEC,
    VERSION,
    Blob,
    CacheManifest,
    refused,
)
from spack.binary.cache_storage import LARGEST_MANIFEST, MissingInCacheError
from spack.binary.oci_client import MANIFEST_TYPE, OciClient

if TYPE_CHECKING:
    from spack.fetch.transport import Transport

__all__ = ["OciRegistry", "tag_of"]

_CONFIG_TYPE = "application/vnd.oci.image.config.v1+json"
_LAYER_TYPE = "application/vnd.oci.image.layer.v1.tar+gzip"
#: The annotation that holds a document of the cache.
DOCUMENT = "org.spack-venv.document"

_INDEX_TAG = "index.spack-venv"
_SPACK_INDEX_TAG = "index.spack"
_ENDING = ".spec.manifest.json"

_BLOB = re.compile(r"blobs/sha256/[0-9a-f]{2}/([0-9a-f]{64})\Z")

#: Names of processors in images.
_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


def tag_of(name: str) -> str:
    """Return the tag of a document that is not a blob."""
    if name == cache_paths.INDEX:
        return _INDEX_TAG
    base = name.rpartition("/")[2]
    if name.startswith(cache_paths.SPECS) and base.endswith(_ENDING):
        tag = re.sub(r"[^A-Za-z0-9_.-]", "_", base[: -len(_ENDING)] + ".spack")
        return tag if len(tag) <= 128 else tag[:64] + tag[-64:]
    return re.sub(r"[^A-Za-z0-9_.-]", "_", name)[-110:].lstrip(".-") + ".document"


class OciRegistry:
    """A cache in a repository of a registry; see :class:`~spack.binary.cache_storage.CacheStorage`.

    :param url: ``oci://HOST[:PORT]/NAME``, or ``oci+http://``, which is not encrypted.
    :param transport: retries and resumes. :param login: user and password, or None.
    """

    locks = False

    def __init__(self, url: str, transport: Transport, login: tuple[str, str] | None) -> None:
        self.client = OciClient(url, transport, login)
        self.url = self.client.url
        #: Contents of small blobs that were written, which configurations are made of.
        self._written: dict[str, bytes] = {}
        self._guard = threading.Lock()

    # -- reading -----------------------------------------------------------------------------

    def read(self, name: str, limit: int = LARGEST_MANIFEST) -> bytes:
        blob = _BLOB.match(name)
        if blob is not None:
            return self.client.blob(blob.group(1), limit)
        try:
            return self._document(name, tag_of(name))
        except MissingInCacheError:
            if name == cache_paths.INDEX:
                return self._index_of_spack()
            raise

    def obtain(self, name: str, target: Path, size: int, progress: Callable[[int], None]) -> Path:
        blob = _BLOB.match(name)
        assert blob is not None
        self.client.download(blob.group(1), target, size, progress)
        return target

    def exists(self, name: str) -> bool:
        blob = _BLOB.match(name)
        if blob is not None:
            return self.client.has_blob(blob.group(1))
        return self.client.has_manifest(tag_of(name))

    def names(self, below: str) -> Iterator[str]:
        """Yield the names of the packages' manifests; nothing else is listed."""
        if not below.startswith(cache_paths.SPECS):
            return
        try:
            tags = self.client.tags()
        except (ValueError, AttributeError, TypeError) as error:
            raise refused(f"the list of tags of {self.url}", str(error)) from error
        for tag in tags:
            if tag.endswith(".spack") and tag != _SPACK_INDEX_TAG:
                yield f"{cache_paths.SPECS}/-/{tag[: -len('.spack')]}{_ENDING}"

    def _document(self, name: str, tag: str) -> bytes:
        """Return the document of a tag; of a package that Spack has pushed, one made for it."""
        manifest = self._manifest(name, tag)
        try:
            text = manifest.get("annotations", {}).get(DOCUMENT)
            if text is not None:
                return str(text).encode()
            blobs = (
                _blob_of(manifest["layers"][-1], ARCHIVE, "gzip"),
                _blob_of(manifest["config"], SPEC, "none"),
            )
        except (ValueError, KeyError, TypeError, IndexError, AttributeError) as error:
            raise refused(
                f"the tag {tag} of {self.url}", f"it cannot be read: {error!r}"
            ) from error
        return CacheManifest(blobs).to_json().encode()

    def _index_of_spack(self) -> bytes:
        manifest = self._manifest(cache_paths.INDEX, _SPACK_INDEX_TAG)
        try:
            blob = _blob_of(manifest["layers"][0], SPACK_INDEX, "none")
        except (ValueError, KeyError, TypeError, IndexError) as error:
            reason = f"it cannot be read: {error!r}"
            raise refused(f"the tag {_SPACK_INDEX_TAG} of {self.url}", reason) from error
        return CacheManifest((blob,)).to_json().encode()

    def _manifest(self, name: str, tag: str) -> Any:
        content = self.client.manifest(tag, name)
        try:
            data = json.loads(content)
            if not isinstance(data, dict):
                raise ValueError("it is not a mapping")
            return data
        except ValueError as error:
            raise refused(f"the tag {tag} of {self.url}", f"it cannot be read: {error}") from error

    # -- writing -----------------------------------------------------------------------------

    def write(self, name: str, content: bytes | Path) -> None:
        blob = _BLOB.match(name)
        if blob is not None:
            self._upload(blob.group(1), content)
            return
        assert isinstance(content, bytes)
        layers, config = self._layers_of(name, content)
        self._write_tag(tag_of(name), layers, config, content.decode())
        spack = [x for x in layers if x.media_type == SPACK_INDEX]
        if name == cache_paths.INDEX and spack:
            self._write_tag(_SPACK_INDEX_TAG, spack, {}, None)

    def remove(self, name: str) -> None:
        blob = _BLOB.match(name)
        if blob is not None:
            return  # the registry removes blobs that no manifest names
        self.client.remove_manifest(tag_of(name))

    def exclusive(self) -> AbstractContextManager[object]:
        return nullcontext()  # see BinaryCache.add_to_index

    def _layers_of(self, name: str, content: bytes) -> tuple[list[Blob], dict[str, Any]]:
        """Return the blobs that a document names, the archive last, and its configuration."""
        try:
            rows = json.loads(content).get("data", ())
            blobs = [Blob.from_data(row) for row in rows]
        except (ValueError, KeyError, TypeError, AttributeError):
            text = content.decode("utf-8", "replace")
            # A clear-signed manifest: its rows are between the lines of the signature.
            begin, end = text.find("{"), text.rfind("}")
            blobs = list(CacheManifest.from_json(text[begin : end + 1], name).blobs)
        blobs.sort(key=lambda blob: blob.media_type == ARCHIVE)
        spec = [blob for blob in blobs if blob.media_type == SPEC]
        archive = [blob for blob in blobs if blob.media_type == ARCHIVE]
        if not spec or not archive:
            return blobs, {}
        return blobs, self._configuration(spec[0], archive[0])

    def _configuration(self, spec: Blob, archive: Blob) -> dict[str, Any]:
        """Return the configuration of an image as Spack writes it: the spec file and more."""
        with self._guard:
            content = self._written.pop(spec.digest, None)
        if content is None:
            content = self.read(spec.path, spec.size)
        data = json.loads(gzip.decompress(content))
        node = data["spec"]["nodes"][0]
        target = node["arch"]["target"]
        family = str(target if isinstance(target, str) else target.get("name", "")).split("_v")[0]
        return {
            **data,
            "buildcache_layout_version": VERSION,
            "binary_cache_checksum": {"hash_algorithm": "sha256", "hash": archive.digest},
            "archive_size": archive.size,
            "archive_compression": "gzip",
            "architecture": _ARCHITECTURES.get(family, family),
            "os": node["arch"]["platform"],
        }

    def _write_tag(
        self,
        tag: str,
        layers: list[Blob],
        config: dict[str, Any],
        document: str | None,
    ) -> None:
        image = {
            "architecture": "amd64",
            "os": "linux",
            "rootfs": {"type": "layers", "diff_ids": []},
            "config": {"Env": ["PATH=/bin:/usr/bin"]},
        }
        text = json.dumps({**image, **config}, separators=(",", ":"), sort_keys=True).encode()
        digest = hashlib.sha256(text).hexdigest()
        self._upload(digest, text)
        manifest: dict[str, Any] = {
            "schemaVersion": 2,
            "mediaType": MANIFEST_TYPE,
            "config": {"mediaType": _CONFIG_TYPE, "digest": f"sha256:{digest}", "size": len(text)},
            "layers": [_layer(blob) for blob in layers],
        }
        if document is not None:
            manifest["annotations"] = {DOCUMENT: document}
        body = json.dumps(manifest, separators=(",", ":")).encode()
        self.client.put_manifest(tag, body)

    def _upload(self, digest: str, content: bytes | Path) -> None:
        if isinstance(content, bytes):
            with self._guard:
                self._written[digest] = content
        self.client.upload(digest, content)


def _layer(blob: Blob) -> dict[str, Any]:
    kind = _LAYER_TYPE if blob.media_type in (ARCHIVE, SPACK_INDEX) else blob.media_type
    return {"mediaType": kind, "digest": f"sha256:{blob.digest}", "size": blob.size}


def _blob_of(layer: Any, media_type: str, compression: str) -> Blob:
    """Return the row for a layer.

    :raises ValueError: its digest is not sha256; so are KeyError and TypeError.
    """
    algorithm, _, digest = str(layer["digest"]).partition(":")
    return Blob.from_data(
        {
            "contentLength": layer["size"],
            "mediaType": media_type,
            "compression": compression,
            "checksumAlgorithm": algorithm,
            "checksum": digest,
        }
    )
