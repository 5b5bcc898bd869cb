"""An environment as an image: a layer for each package, and one for its view.

The layer of a package is the archive that a binary cache has of it, byte by byte, so a registry
that has the one has the other. Packages keep their paths, and nothing is relocated; the view is
at :data:`VIEW`. The same environment gives the same digest.
"""

from __future__ import annotations

import hashlib
import json
import os
import tarfile
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, NamedTuple, cast

from spack.actions.buildcache import installed_prefix, pack_installed
from spack.actions.pack_needs import Needs
from spack.actions.packed_tree import PACKED_TIME, shown_tree
from spack.actions.packing import refuse_editable
from spack.actions.views import ViewParts, shown
from spack.binary.oci_image import (
    ARCHITECTURES,
    Image,
    ImageContent,
    ImageLayer,
    ImageStore,
    image_documents,
)
from spack.binary.parallel_gzip import GzipWriter
from spack.environment.spack_yaml import ViewDescriptor
from spack.errors import BinaryCacheError
from spack.spec import RUN_TIME, ConcreteSpec
from spack.store import Store
from spack.util.filesystem import atomic_write
from spack.util.hashing import sha256_hex
from spack.util.json_input import parse_json
from spack.view.activate import NAME, ROOT
from spack.view.view_manifest import load_activation

__all__ = ["VIEW", "BaseImage", "ImageRequest", "PackedImage", "pack_image"]

#: The view in an image.
VIEW = "/opt/view"

#: What processes of an image without a base have.
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

#: Bytes of a layer's own record on this machine; see :class:`_Layers`.
_RECORD = 1


class BaseImage(NamedTuple):
    """An image that another one is put upon, and where it is."""

    store: ImageStore
    image: Image


@dataclass(frozen=True)
class ImageRequest:
    """What is to be packed, and where to.

    :param lock: text of a lock file with the roots of the view alone.
    :param reference: the tag. :param jobs: threads that compress.
    :param known: directory that remembers layers, so that a package is packed once.
    """

    view: ViewDescriptor
    roots: Sequence[ConcreteSpec]
    parts: ViewParts
    lock: str
    target: ImageStore
    reference: str
    known: Path
    jobs: int = 1
    base: BaseImage | None = None


@dataclass
class PackedImage:
    """An image that was written.

    :param digest: of its manifest. :param moved: bytes that the target did not have.
    """

    needs: Needs
    digest: str = ""
    layers: int = 0
    size: int = 0
    moved: int = 0
    packages: Mapping[str, ImageLayer] = field(default_factory=dict)


def pack_image(request: ImageRequest) -> PackedImage:
    """Write an image with the packages of a view and what they need at run time.

    :raises ViewError: see :func:`spack.actions.views.make_view`; an editable install is among them.
    :raises BinaryCacheError: a package is not installed; the image cannot be written.
    """
    nodes = shown(request.roots, request.view)
    refuse_editable(nodes)
    packages = _ordered(nodes)
    target, base = request.target, request.base
    with (
        shown_tree(request.view, request.roots, request.parts, request.known / "view") as tree,
        tempfile.TemporaryDirectory(prefix="spack-image-") as folder,
        ThreadPoolExecutor(request.jobs) as compressing,
        ThreadPoolExecutor(min(request.jobs, 4)) as packing,
    ):
        done = PackedImage(tree.needs)
        if base is not None:
            _copy_layers(base, target, Path(folder), done)
        work = _Layers(request, compressing, Path(folder))
        found = list(packing.map(work.package, packages))
        layers = [layer for layer, _ in found]
        shows, is_new = work.view(tree.root)
        done.packages = {node.dag_hash(): layer for node, layer in zip(packages, layers)}
        for layer, new in (*found, (shows, is_new)):
            done.size += layer.size
            done.moved += layer.size if new else 0
        content = ImageContent(
            layers=[*(base.image.layers if base else ()), *layers, shows],
            environment=_variables(tree.root, base),
            architecture=_architecture(packages),
            extension=_extension(request, done),
        )
    config, manifest = image_documents(content)
    for text in (config, manifest):
        done.size += len(text)
        done.moved += len(text) if target.write(sha256_hex(text), text) else 0
    target.tag(request.reference, manifest)
    done.digest, done.layers = sha256_hex(manifest), len(content.layers)
    return done


def _ordered(nodes: Iterable[ConcreteSpec]) -> list[ConcreteSpec]:
    """Return *nodes* and what they need at run time, dependencies first; externals are left out."""
    every = {x.dag_hash(): x for node in nodes for x in node.traverse(RUN_TIME)}
    heights: dict[str, int] = {}

    def height(node: ConcreteSpec) -> int:
        key = node.dag_hash()
        if key not in heights:
            below = [x for x in node.traverse(RUN_TIME) if x is not node]
            heights[key] = len({x.dag_hash() for x in below})
        return heights[key]

    built = [node for node in every.values() if node.external is None]
    return sorted(built, key=lambda x: (height(x), x.name, x.dag_hash()))


def _architecture(packages: Sequence[ConcreteSpec]) -> str:
    family = str(packages[0].target) if packages else "x86_64"
    import archspec.cpu  # start-up: 40 ms

    known = archspec.cpu.TARGETS.get(family)
    name = known.family.name if known is not None else family
    return ARCHITECTURES.get(name, name)


def _variables(tree: Path, base: BaseImage | None) -> dict[str, str]:
    """Return what activating the view does to the variables of an image."""
    rows = (base.image.config.get("config") or {}).get("Env") or () if base else ()
    found = {"PATH": _PATH, **dict(row.split("=", 1) for row in rows)}
    activation = load_activation(str(tree))
    for step in () if activation is None else activation.steps:
        value = step.value.replace(ROOT, VIEW).replace(NAME, os.path.basename(VIEW))
        before = found.get(step.name, "")
        if step.action == "unset":
            found.pop(step.name, None)
        elif step.action == "set":
            found[step.name] = value
        elif step.action == "prepend":
            found[step.name] = value + (step.separator + before if before else step.tail)
        else:
            found[step.name] = before + (step.separator if before else "") + value
    return found


def _extension(request: ImageRequest, done: PackedImage) -> dict[str, Any]:
    """Return what another machine needs to know of the image to install it under another path."""
    view = request.view
    return {
        "format": 1,
        "needs": done.needs._asdict(),
        "lock": json.loads(request.lock),
        "view": {
            "link": view.link,
            "link_type": "symlink",
            "fold": view.fold,
            "select": list(view.select),
            "exclude": list(view.exclude),
            "projections": dict(view.projections),
            "conflicts": dict(view.winners),
        },
        "archives": {
            key: {"digest": layer.digest, "size": layer.size}
            for key, layer in done.packages.items()
        },
    }


def _copy_layers(base: BaseImage, target: ImageStore, folder: Path, done: PackedImage) -> None:
    from spack.binary.oci_image import verified_layer  # start-up: few images have a base

    for layer in base.image.layers:
        done.size += layer.size
        if not target.has(layer.digest):
            path = verified_layer(base.store, layer, folder / layer.digest, lambda done: None)
            target.write(layer.digest, path)
            done.moved += layer.size


@dataclass(frozen=True)
class _Layers:
    """Makes layers and writes them to the target of a request."""

    request: ImageRequest
    pool: ThreadPoolExecutor
    folder: Path

    def package(self, node: ConcreteSpec) -> tuple[ImageLayer, bool]:
        """Return the layer of a package, and whether the target did not have it."""
        store, target = self.request.parts.store, self.request.target
        note = self.request.known / f"{node.dag_hash()}.json"
        identity = _identity(node, store)
        known = _remembered(note, identity)
        if known is not None and target.has(known.digest):
            return known, False
        plain = hashlib.sha256()
        descriptor, name = tempfile.mkstemp(dir=self.folder)
        with os.fdopen(descriptor, "wb") as file:
            packed = pack_installed(node, store, file, self.pool, plain)
        layer = ImageLayer(packed.size, packed.digest, plain.hexdigest())
        new = target.write(layer.digest, Path(name))
        Path(name).unlink(missing_ok=True)
        _remember(note, identity, layer)
        return layer, new

    def view(self, tree: Path) -> tuple[ImageLayer, bool]:
        """Return the layer of the view, and whether the target did not have it."""
        plain = hashlib.sha256()
        path = self.folder / "view"
        with open(path, "wb") as file:
            writer = GzipWriter(file, self.pool, plain=plain)
            with tarfile.open(
                mode="w|", fileobj=cast(IO[bytes], writer), format=tarfile.PAX_FORMAT
            ) as archive:
                name = VIEW.strip("/")
                for above in (name.partition("/")[0],):
                    folder = tarfile.TarInfo(above)
                    folder.type, folder.mode, folder.mtime = tarfile.DIRTYPE, 0o755, PACKED_TIME
                    archive.addfile(folder)
                archive.add(tree, name, filter=_anonymous)
            size, digest = writer.close()
        layer = ImageLayer(size, digest, plain.hexdigest())
        return layer, self.request.target.write(digest, path)


def _anonymous(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    member.mtime = int(member.mtime)
    return member


def _identity(node: ConcreteSpec, store: Store) -> list[Any]:
    """Return what changes when a package is installed again or elsewhere."""
    prefix = installed_prefix(node, store)
    try:
        info = os.stat(prefix / ".spack")
    except OSError as error:
        raise BinaryCacheError(
            f"{node.short} cannot be packed: {error.filename}: {error.strerror}",
            hint="`spack verify` compares the package with what was installed",
            ref="binary-pack",
        ) from error
    return [_RECORD, str(prefix), info.st_ino, info.st_mtime_ns]


def _remembered(note: Path, identity: list[Any]) -> ImageLayer | None:
    try:
        data = parse_json(note.read_text(encoding="utf-8"))
        if data["identity"] == identity:
            return ImageLayer(int(data["size"]), str(data["digest"]), str(data["diff_id"]))
    except (OSError, ValueError, KeyError, TypeError):
        pass
    return None


def _remember(note: Path, identity: list[Any], layer: ImageLayer) -> None:
    row = {"identity": identity, **layer._asdict()}
    try:
        note.parent.mkdir(parents=True, exist_ok=True)
        atomic_write(note, json.dumps(row))
    except OSError:
        pass  # it is packed again next time
