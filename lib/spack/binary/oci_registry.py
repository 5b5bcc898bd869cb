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
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any, Callable, TypeVar
from urllib.parse import quote, urlencode, urljoin, urlsplit

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
from spack.binary.oci_login import RegistryLogin
from spack.errors import BinaryCacheError, FetchError

if TYPE_CHECKING:
    from spack.fetch.transport import Transport

__all__ = ["OciRegistry", "tag_of"]

_T = TypeVar("_T")

MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json"
_CONFIG_TYPE = "application/vnd.oci.image.config.v1+json"
_LAYER_TYPE = "application/vnd.oci.image.layer.v1.tar+gzip"
#: Media types of manifests that are read.
_ACCEPTED = f"{MANIFEST_TYPE}, application/vnd.docker.distribution.manifest.v2+json"

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

    def __init__(self, url: str, transport: Transport, login: tuple[str, str] | None) -> None:
        self.url = url.rstrip("/")
        parts = urlsplit(self.url)
        scheme = "http" if parts.scheme == "oci+http" else "https"
        name = parts.path.strip("/").rpartition(":")
        self._name = name[0] if name[1] else name[2]
        self._base = f"{scheme}://{parts.netloc}/v2/{self._name}"
        self._transport = transport
        self._login = RegistryLogin(transport, self._name, login)
        #: Contents of small blobs that were written, which configurations are made of.
        self._written: dict[str, bytes] = {}
        self._guard = threading.Lock()

    # -- reading -----------------------------------------------------------------------------

    def read(self, name: str, limit: int = LARGEST_MANIFEST) -> bytes:
        blob = _BLOB.match(name)
        if blob is not None:
            url = self._blob_url(blob.group(1))
            return self._get(name, url, "*/*", limit)
        try:
            return self._document(name, tag_of(name))
        except MissingInCacheError:
            if name == cache_paths.INDEX:
                return self._index_of_spack()
            raise

    def obtain(self, name: str, target: Path, size: int, progress: Callable[[int], None]) -> Path:
        blob = _BLOB.match(name)
        assert blob is not None
        url = self._blob_url(blob.group(1))
        target.parent.mkdir(parents=True, exist_ok=True)

        def download(headers: Mapping[str, str]) -> None:
            self._transport.download(
                url,
                target,
                progress=lambda done, total: progress(done),
                limit=size,
                headers=headers,
            )

        self._authorized(name, download)
        return target

    def exists(self, name: str) -> bool:
        blob = _BLOB.match(name)
        url = self._blob_url(blob.group(1)) if blob else self._manifest_url(tag_of(name))
        try:
            self._send(name, "HEAD", url, {"accept": _ACCEPTED})
        except MissingInCacheError:
            return False
        return True

    def names(self, below: str) -> Iterator[str]:
        """Yield the names of the packages' manifests; nothing else is listed."""
        if not below.startswith(cache_paths.SPECS):
            return
        url = f"{self._base}/tags/list?n=1000"
        while url:
            answer = self._send("tags", "GET", url, {"accept": "application/json"})
            try:
                tags = sorted(map(str, json.loads(answer.body).get("tags") or []))
            except (ValueError, AttributeError, TypeError) as error:
                raise refused(f"the list of tags of {self.url}", str(error)) from error
            for tag in tags:
                if tag.endswith(".spack") and tag != _SPACK_INDEX_TAG:
                    yield f"{cache_paths.SPECS}/-/{tag[: -len('.spack')]}{_ENDING}"
            further = re.match(r"<([^>]+)>; *rel=\"?next", answer.headers.get("link", ""))
            url = urljoin(url, further.group(1)) if further else ""

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
        content = self._get(name, self._manifest_url(tag), _ACCEPTED, LARGEST_MANIFEST)
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
            self._upload(name, blob.group(1), content)
            return
        assert isinstance(content, bytes)
        layers, config = self._layers_of(name, content)
        self._write_tag(name, tag_of(name), layers, config, content.decode())
        spack = [x for x in layers if x.media_type == SPACK_INDEX]
        if name == cache_paths.INDEX and spack:
            self._write_tag(name, _SPACK_INDEX_TAG, spack, {}, None)

    def remove(self, name: str) -> None:
        blob = _BLOB.match(name)
        if blob is not None:
            return  # the registry removes blobs that no manifest names
        tag = tag_of(name)
        try:
            answer = self._send(name, "HEAD", self._manifest_url(tag), {"accept": _ACCEPTED})
            digest = answer.headers.get("docker-content-digest", "")
            self._send(name, "DELETE", self._manifest_url(digest or tag), {})
        except MissingInCacheError:
            pass

    def exclusive(self) -> AbstractContextManager[object]:
        return nullcontext()  # registries have no locks: `update-index` mends what is lost

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
        name: str,
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
        self._upload(name, digest, text)
        manifest: dict[str, Any] = {
            "schemaVersion": 2,
            "mediaType": MANIFEST_TYPE,
            "config": {"mediaType": _CONFIG_TYPE, "digest": f"sha256:{digest}", "size": len(text)},
            "layers": [_layer(blob) for blob in layers],
        }
        if document is not None:
            manifest["annotations"] = {DOCUMENT: document}
        body = json.dumps(manifest, separators=(",", ":")).encode()
        url = self._manifest_url(tag)
        self._send(name, "PUT", url, {"content-type": MANIFEST_TYPE}, body)

    def _upload(self, name: str, digest: str, content: bytes | Path) -> None:
        if isinstance(content, bytes):
            with self._guard:
                self._written[digest] = content
        path = f"blobs/sha256/{digest[:2]}/{digest}"
        if self.exists(path):
            return
        begun = self._send(name, "POST", f"{self._base}/blobs/uploads/", {"content-length": "0"})
        location = urljoin(self._base, begun.headers.get("location", ""))
        separator = "&" if urlsplit(location).query else "?"
        url = f"{location}{separator}{urlencode({'digest': f'sha256:{digest}'})}"
        self._send(name, "PUT", url, {"content-type": "application/octet-stream"}, content)

    # -- requests ----------------------------------------------------------------------------

    def _blob_url(self, digest: str) -> str:
        return f"{self._base}/blobs/sha256:{digest}"

    def _manifest_url(self, tag: str) -> str:
        return f"{self._base}/manifests/{quote(tag, safe=':')}"

    def _get(self, name: str, url: str, accept: str, limit: int) -> bytes:
        def get(headers: Mapping[str, str]) -> bytes:
            return self._transport.document(url, {"accept": accept, **headers}, limit).body

        return self._authorized(name, get)

    def _send(
        self,
        name: str,
        method: str,
        url: str,
        headers: Mapping[str, str],
        body: bytes | Path = b"",
    ) -> Any:
        writes = method not in ("GET", "HEAD")
        return self._authorized(
            name,
            lambda login: self._transport.send(method, url, {**headers, **login}, body),
            writes=writes,
        )

    def _authorized(
        self, name: str, action: Callable[[Mapping[str, str]], _T], *, writes: bool = False
    ) -> _T:
        """Do *action* with the headers of a login, which is asked for when the registry wants one.

        :raises MissingInCacheError: there is no such tag or blob.
        :raises BinaryCacheError: the registry refuses it, or does not answer.
        """
        try:
            try:
                return action(self._login.headers(writes=writes))
            except FetchError as error:
                if error.facts.get("status") != 401:
                    raise
                challenge = str(error.facts.get("challenge", ""))
                return action(self._login.answer(challenge, writes=writes))
        except FetchError as error:
            if error.facts.get("status") == 404:
                raise MissingInCacheError(
                    f"the registry {self.url} has no {name}", facts={"path": name}
                ) from error
            raise BinaryCacheError(
                f"the registry {self.url} cannot be used: {error.message}",
                facts=error.facts,
                hint="access_pair of the mirror names a login; `oci+http://` is for registries "
                "without encryption",
                ref="binary-registry",
            ) from error


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
