"""The environment of an image under another path: a directory with packages and view of its own.

What is pulled is verified before it is used: the manifest by the digest that the user names, if
any, the configuration and the layers by the digests in it. Layers that were fetched once are kept
with the sources, so that a second environment moves only what is new.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any, Callable, NamedTuple

from spack.actions.pack_needs import Needs, needs_of_text
from spack.binary import cache_paths
from spack.binary.cache_manifest import ARCHIVE, Blob, CacheManifest
from spack.binary.cache_storage import LARGEST_MANIFEST, MissingInCacheError
from spack.binary.oci_image import EXTENSION, Image, ImageLayer, ImageStore, verified_layer
from spack.environment.environment import Environment
from spack.environment.lockfile import LockedRoot, Lockfile, parse_lockfile
from spack.errors import BinaryCacheError, EnvironmentFileError, SpackError, ViewError
from spack.spec import ConcreteSpec
from spack.spec.stored import stored_closure
from spack.util.filesystem import remove_tree
from spack.util.hashing import hash_file

__all__ = [
    "ImageArchives",
    "PulledEnvironment",
    "environment_of_image",
    "lock_of_roots",
    "refuse_existing",
    "write_environment",
]


#: Layers that are fetched at one time.
_REQUESTS = 8


class PulledEnvironment(NamedTuple):
    """What an image says of the environment in it.

    :ivar archives: layers by hash of the package. :ivar view: as in ``spack.yaml``.
    """

    needs: Needs
    lock: Lockfile
    view: Mapping[str, Any]
    archives: Mapping[str, ImageLayer]


def environment_of_image(image: Image, origin: str) -> PulledEnvironment:
    """Read the environment of an image.

    :raises BinaryCacheError: it has none, or a damaged one.
    """
    try:
        data = image.config[EXTENSION]
        known = {layer.digest: layer for layer in image.layers}
        return PulledEnvironment(
            needs_of_text(json.dumps(data["needs"])),
            parse_lockfile(json.dumps(data["lock"]), Path(origin)),
            {str(key): value for key, value in data["view"].items()},
            {str(key): known[row["digest"]] for key, row in data["archives"].items()},
        )
    except (KeyError, TypeError, ValueError, AttributeError, EnvironmentFileError) as error:
        raise BinaryCacheError(
            f"{origin} has no environment that can be used: {error}",
            facts={"origin": origin},
            hint="pull what `spack env pack --format oci` has made",
            ref="image-environment",
        ) from error


def lock_of_roots(lock: Lockfile, roots: Sequence[ConcreteSpec]) -> Lockfile:
    """Return the part of *lock* that is about *roots*, as one environment without groups."""
    wanted = {root.dag_hash() for root in roots}
    own = tuple(LockedRoot(x.spec, x.hash) for x in lock.every_root if x.hash in wanted)
    nodes = stored_closure([root.hash for root in own], lock.nodes)
    return Lockfile(own, "", nodes)


def refuse_existing(directory: Path) -> None:
    """Refuse a directory that exists.

    :raises ViewError: it does.
    """
    if os.path.lexists(directory):
        raise ViewError(
            f"{directory} exists already",
            facts={"path": str(directory)},
            hint="name a new directory",
            ref="pull",
        )


def write_environment(found: PulledEnvironment, directory: Path) -> Environment:
    """Make the environment in *directory*, which must not exist yet.

    Its install tree is ``store``, and its view ``view``, both in it.

    :raises ViewError: *directory* exists, or cannot be written.
    """
    refuse_existing(directory)
    manifest = {
        "spack": {
            "specs": [root.spec for root in found.lock.roots],
            "view": {"default": {"root": "view", **found.view}},
            "config": {"install_tree": {"root": "$env/store"}},
        }
    }
    try:
        directory.mkdir(parents=True)
        # JSON is YAML.
        text = json.dumps(manifest, indent=2) + "\n"
        (directory / "spack.yaml").write_text(text, encoding="utf-8")
        found.lock.write(directory / "spack.lock")
    except (OSError, SpackError) as error:
        if directory.is_dir():
            remove_tree(directory)
        reason = error.strerror if isinstance(error, OSError) else error.message
        raise ViewError(
            f"{directory} cannot be written: {reason}",
            facts={"path": str(directory)},
            hint="name a directory that can be written",
            ref="pull",
        ) from error
    return Environment(directory)


class ImageArchives:
    """The layers of an image as a binary cache, for installing what they hold.

    See :class:`~spack.binary.cache_storage.CacheStorage`; it is not written to. All is fetched and
    verified by :meth:`fetch`, before anything is installed.

    :param kept: directory of layers that were fetched before.
    :ivar moved: bytes that were fetched.
    """

    locks = False

    def __init__(
        self,
        store: ImageStore,
        archives: Mapping[str, ImageLayer],
        specs: Sequence[ConcreteSpec],
        kept: Path,
    ) -> None:
        self._store = store
        self._kept = kept
        self.moved = 0
        self._paths: dict[str, Path] = {}
        by_path = {cache_paths.spec_manifest_path(spec): spec.dag_hash() for spec in specs}
        self._manifests = {path: archives[key] for path, key in by_path.items() if key in archives}
        self._layers = {_blob(layer).path: layer for layer in archives.values()}

    @property
    def url(self) -> str:
        return self._store.name

    def read(self, name: str, limit: int = LARGEST_MANIFEST) -> bytes:
        layer = self._manifests.get(name)
        if layer is None:
            raise MissingInCacheError(f"{self.url} has no {name}", facts={"path": name})
        return CacheManifest((_blob(layer),)).to_json().encode()

    def fetch(self) -> None:
        """Fetch and verify all layers that are not kept already.

        :raises BinaryCacheError: one is missing, has another digest, or cannot be kept.
        """
        with ThreadPoolExecutor(_REQUESTS) as pool:
            layers = list(self._layers.values())
            for layer, path in zip(layers, pool.map(self._fetched, layers)):
                self._paths[layer.digest] = path

    def _fetched(self, layer: ImageLayer) -> Path:
        kept = self._kept / layer.digest
        part = kept.with_name(f".{kept.name}.{os.getpid()}.part")
        try:
            if kept.is_file() and hash_file(kept) == layer.digest:
                return kept
            kept.parent.mkdir(parents=True, exist_ok=True)
            path = verified_layer(self._store, layer, part, lambda done: None)
            if path != part:
                return path
            os.replace(part, kept)
        except OSError as error:
            raise BinaryCacheError(
                f"{kept} cannot be written: {error.strerror}",
                facts={"path": str(kept)},
                hint="set config:source_cache to a directory with free space",
                ref="image-kept",
            ) from error
        finally:
            part.unlink(missing_ok=True)
        self.moved += layer.size
        return kept

    def obtain(self, name: str, target: Path, size: int, progress: Callable[[int], None]) -> Path:
        return self._paths[self._layers[name].digest]

    def exists(self, name: str) -> bool:
        return name in self._manifests or name in self._layers

    def names(self, below: str) -> Iterator[str]:
        return iter(self._manifests)

    def write(self, name: str, content: bytes | Path) -> None:
        raise self._readonly()

    def remove(self, name: str) -> None:
        raise self._readonly()

    def exclusive(self) -> AbstractContextManager[object]:
        return nullcontext()

    def _readonly(self) -> BinaryCacheError:
        return BinaryCacheError(f"{self.url} is an image, which is not changed", ref="image")


def _blob(layer: ImageLayer) -> Blob:
    return Blob(layer.size, ARCHIVE, "gzip", layer.digest)
