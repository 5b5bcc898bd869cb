"""Images in the OCI format: what they consist of, and where they are kept.

An image is a manifest that names a configuration and layers by digest (OCI Image Specification
1.1). It is kept in a repository of a registry, or in a directory with the image layout::

    oci-layout                   {"imageLayoutVersion": "1.0.0"}
    index.json                   manifests by name
    blobs/sha256/<digest>        manifests, configurations, layers

What this tool knows of an image is in its configuration, below :data:`EXTENSION`.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Callable, NamedTuple, Protocol

from spack.binary.cache_manifest import refused
from spack.binary.cache_storage import LARGEST_MANIFEST, MissingInCacheError
from spack.binary.oci_client import MANIFEST_TYPE, OciClient
from spack.errors import BinaryCacheError
from spack.util.filesystem import atomic_write
from spack.util.hashing import hash_file, sha256_hex
from spack.util.json_input import parse_json

__all__ = [
    "EXTENSION",
    "Image",
    "ImageContent",
    "ImageLayer",
    "ImageLayout",
    "ImageRepository",
    "ImageStore",
    "image_documents",
    "load_image",
    "machine_architecture",
    "verified_layer",
]

#: The part of a configuration that this tool writes and reads.
EXTENSION = "org.spack-venv.environment"

CONFIG_TYPE = "application/vnd.oci.image.config.v1+json"
LAYER_TYPE = "application/vnd.oci.image.layer.v1.tar+gzip"
INDEX_TYPE = "application/vnd.oci.image.index.v1+json"
_INDEXES = (INDEX_TYPE, "application/vnd.docker.distribution.manifest.list.v2+json")

#: Names of processors in images, by family.
ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64", "ppc64le": "ppc64le", "riscv64": "riscv64"}

#: Bytes of the largest configuration that is read: it has the lock file of an environment.
LARGEST_CONFIG = 64 << 20

_DIGEST = re.compile(r"sha256:([0-9a-f]{64})\Z")


class ImageLayer(NamedTuple):
    """One layer.

    :ivar size: bytes as it is stored. :ivar digest: sha256 of these, in hex.
    :ivar diff_id: sha256 of the tar file that is compressed in it.
    """

    size: int
    digest: str
    diff_id: str
    media_type: str = LAYER_TYPE


class ImageContent(NamedTuple):
    """What an image is made of.

    :ivar environment: variables of the processes that are started in it.
    :ivar extension: JSON data of this tool's own.
    """

    layers: Sequence[ImageLayer]
    environment: Mapping[str, str]
    architecture: str
    platform: str = "linux"
    extension: Mapping[str, Any] = {}  # never changed


class Image(NamedTuple):
    """An image that was found.

    :ivar digest: of its manifest, in hex. :ivar config: the data of its configuration.
    """

    digest: str
    layers: Sequence[ImageLayer]
    config: Mapping[str, Any]


class ImageStore(Protocol):
    """Keeps images; may be used from several threads."""

    @property
    def name(self) -> str:
        """The store, for messages."""

    def has(self, digest: str) -> bool:
        """Return whether a blob is there."""

    def write(self, digest: str, content: bytes | Path) -> bool:
        """Write a blob, a file being moved or read; return False if it was there.

        :raises BinaryCacheError: it cannot be written.
        """

    def tag(self, reference: str, manifest: bytes) -> None:
        """Give a manifest a name; its blobs are there already. Raises as :meth:`write`."""

    def manifest(self, reference: str) -> bytes:
        """Return the manifest of a name, or of ``sha256:DIGEST``.

        :raises MissingInCacheError: there is none. :raises BinaryCacheError: it cannot be read.
        """

    def read(self, digest: str, limit: int) -> bytes:
        """Return a blob of at most *limit* bytes, which is not verified. Raises as above."""

    def obtain(self, digest: str, target: Path, size: int, progress: Callable[[int], None]) -> Path:
        """Return a local file of a blob, *target* or its own, not verified. Raises as above."""


def image_documents(content: ImageContent) -> tuple[bytes, bytes]:
    """Return configuration and manifest, the same bytes for the same content."""
    config = {
        "architecture": content.architecture,
        "os": content.platform,
        "created": "1980-01-01T00:00:00Z",
        "config": {
            "Env": [f"{name}={value}" for name, value in content.environment.items()],
            "Cmd": ["/bin/sh"],
            "WorkingDir": "/",
        },
        "rootfs": {
            "type": "layers",
            "diff_ids": [f"sha256:{layer.diff_id}" for layer in content.layers],
        },
        EXTENSION: content.extension,
    }
    text = _compact(config)
    manifest = {
        "schemaVersion": 2,
        "mediaType": MANIFEST_TYPE,
        "config": _descriptor(CONFIG_TYPE, sha256_hex(text), len(text)),
        "layers": [_descriptor(x.media_type, x.digest, x.size) for x in content.layers],
    }
    return text, _compact(manifest)


def _compact(data: Mapping[str, Any]) -> bytes:
    return json.dumps(data, separators=(",", ":"), sort_keys=True).encode()


def _descriptor(media_type: str, digest: str, size: int) -> dict[str, Any]:
    return {"mediaType": media_type, "digest": f"sha256:{digest}", "size": size}


def load_image(store: ImageStore, reference: str, architecture: str) -> Image:
    """Return the image of a name, with verified manifest and configuration.

    :param architecture: of the machine, which chooses among the images of an index.
    :raises MissingInCacheError: there is none.
    :raises BinaryCacheError: it cannot be read, or a digest is wrong.
    """
    origin = f"the image {reference} in {store.name}"
    try:
        text = _verified(store.manifest(reference), reference, origin)
        manifest = parse_json(text)
        if manifest.get("mediaType") in _INDEXES or "manifests" in manifest:
            chosen = _of_architecture(manifest["manifests"], architecture)
            text = _verified(store.manifest(chosen), chosen, origin)
            manifest = parse_json(text)
        row = manifest["config"]
        digest = _hex(row["digest"])
        config = parse_json(_verified(store.read(digest, LARGEST_CONFIG), row["digest"], origin))
        rows = list(zip(manifest["layers"], config["rootfs"]["diff_ids"]))
        if len(rows) != len(manifest["layers"]):
            raise ValueError("it has more layers than its configuration says")
        layers = [
            ImageLayer(int(x["size"]), _hex(x["digest"]), _hex(y), str(x["mediaType"]))
            for x, y in rows
        ]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise refused(origin, f"it cannot be read: {error}", _HINT) from error
    return Image(sha256_hex(text), layers, config)


_HINT = "nothing of it was written; push it again, or name another image"


def _of_architecture(rows: Sequence[Mapping[str, Any]], architecture: str) -> str:
    for row in rows:
        platform = row.get("platform", {})
        if (platform.get("os"), platform.get("architecture")) == ("linux", architecture):
            return str(row["digest"])
    raise ValueError(f"it has no image for linux on {architecture}")


def _hex(digest: object) -> str:
    found = _DIGEST.match(str(digest))
    if found is None:
        raise ValueError(f"the digest {digest!r} is not sha256")
    return found[1]


def _verified(content: bytes, reference: str, origin: str) -> bytes:
    """Return *content*, unless *reference* is a digest and not that of it.

    :raises BinaryCacheError: it is another one.
    """
    expected = _DIGEST.match(reference)
    if expected is not None and sha256_hex(content) != expected[1]:
        raise refused(origin, f"what it names {reference} has another digest", _HINT)
    return content


def verified_layer(
    store: ImageStore, layer: ImageLayer, target: Path, progress: Callable[[int], None]
) -> Path:
    """Return a local file of a layer, which has its digest.

    :raises BinaryCacheError: it is missing, or has another one.
    """
    path = store.obtain(layer.digest, target, layer.size, progress)
    if os.path.getsize(path) != layer.size or hash_file(path) != layer.digest:
        raise refused(
            f"a layer in {store.name}", f"it does not have the digest {layer.digest}", _HINT
        )
    return path


def machine_architecture(family: str) -> str:
    """Return the name that images have for a family of processors."""
    return ARCHITECTURES.get(family, family)


class ImageRepository:
    """Images in a repository of a registry."""

    def __init__(self, client: OciClient) -> None:
        self._client = client

    @property
    def name(self) -> str:
        return self._client.url

    def has(self, digest: str) -> bool:
        return self._client.has_blob(digest)

    def write(self, digest: str, content: bytes | Path) -> bool:
        return self._client.upload(digest, content)

    def tag(self, reference: str, manifest: bytes) -> None:
        self._client.put_manifest(reference, manifest)

    def manifest(self, reference: str) -> bytes:
        return self._client.manifest(reference, f"image {reference}")

    def read(self, digest: str, limit: int) -> bytes:
        return self._client.blob(digest, limit)

    def obtain(self, digest: str, target: Path, size: int, progress: Callable[[int], None]) -> Path:
        self._client.download(digest, target, size, progress)
        return target


class ImageLayout:
    """Images in a directory; see the module's docstring."""

    def __init__(self, root: Path) -> None:
        self._root = root

    @property
    def name(self) -> str:
        return str(self._root)

    def has(self, digest: str) -> bool:
        return self._blob(digest).is_file()

    def write(self, digest: str, content: bytes | Path) -> bool:
        if self.has(digest):
            return False
        path = self._blob(digest)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            part = path.with_name(f".{digest}.{os.getpid()}.part")
            if isinstance(content, Path):
                shutil.copyfile(content, part)
            else:
                part.write_bytes(content)
            os.replace(part, path)
        except OSError as error:
            raise self._unwritable(error) from error
        return True

    def tag(self, reference: str, manifest: bytes) -> None:
        digest = sha256_hex(manifest)
        self.write(digest, manifest)
        row = {
            **_descriptor(MANIFEST_TYPE, digest, len(manifest)),
            "annotations": {_NAME: reference},
        }
        rows = [x for x in self._index() if x.get("annotations", {}).get(_NAME) != reference]
        index = {"schemaVersion": 2, "mediaType": INDEX_TYPE, "manifests": [*rows, row]}
        try:
            atomic_write(self._root / "oci-layout", '{"imageLayoutVersion":"1.0.0"}')
            atomic_write(self._root / "index.json", _compact(index))
        except OSError as error:
            raise self._unwritable(error) from error

    def manifest(self, reference: str) -> bytes:
        expected = _DIGEST.match(reference)
        if expected is not None:
            return self.read(expected[1], LARGEST_MANIFEST)
        for row in self._index():
            if row.get("annotations", {}).get(_NAME) == reference:
                digest = str(row["digest"])
                content = self.read(_hex(digest), LARGEST_MANIFEST)
                return _verified(content, digest, f"the image {reference} in {self.name}")
        raise MissingInCacheError(
            f"{self._root} has no image {reference}",
            facts={"path": str(self._root), "reference": reference},
            hint="name one as DIR:NAME; index.json lists them",
        )

    def read(self, digest: str, limit: int) -> bytes:
        try:
            with open(self._blob(digest), "rb") as stream:
                return stream.read(limit)
        except FileNotFoundError as error:
            raise self._missing(digest) from error
        except OSError as error:
            raise self._unreadable(error) from error

    def obtain(self, digest: str, target: Path, size: int, progress: Callable[[int], None]) -> Path:
        path = self._blob(digest)
        if not path.is_file():
            raise self._missing(digest)
        return path

    def _blob(self, digest: str) -> Path:
        return self._root / "blobs" / "sha256" / digest

    def _index(self) -> list[dict[str, Any]]:
        try:
            text = (self._root / "index.json").read_bytes()
        except FileNotFoundError:
            return []
        except OSError as error:
            raise self._unreadable(error) from error
        try:
            return [dict(row) for row in parse_json(text)["manifests"]]
        except (ValueError, KeyError, TypeError) as error:
            raise refused(f"{self._root}/index.json", str(error), _HINT) from error

    def _missing(self, digest: str) -> MissingInCacheError:
        return MissingInCacheError(
            f"{self._root} has no blob {digest}",
            facts={"path": str(self._root)},
            hint="a part of the image is missing: pack it again",
        )

    def _unreadable(self, error: OSError) -> BinaryCacheError:
        return BinaryCacheError(
            f"{error.filename or self._root} cannot be read: {error.strerror}",
            facts={"path": str(self._root)},
            hint="name the directory of an image, or its registry (oci://)",
            ref="image-directory",
        )

    def _unwritable(self, error: OSError) -> BinaryCacheError:
        return BinaryCacheError(
            f"{error.filename or self._root} cannot be written: {error.strerror}",
            facts={"path": str(self._root)},
            hint="look at the permissions and the free space there",
            ref="image-directory",
        )


_NAME = "org.opencontainers.image.ref.name"
