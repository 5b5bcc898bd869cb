"""Upkeep of caches: their index made again, what they have examined, copied and removed."""

from __future__ import annotations

import gzip
import hashlib
import json
import tempfile
import zlib
from collections.abc import Collection, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Callable, Literal

from spack.binary import cache_paths
from spack.binary.binary_cache import BinaryCache
from spack.binary.cache_manifest import ARCHIVE, SPEC, Blob, refused
from spack.binary.cache_storage import DirectoryStorage
from spack.binary.catalogue import CachedPackage
from spack.binary.signatures import NoSignatures
from spack.errors import BinaryCacheError, SpackError, UsageError
from spack.spec import ConcreteSpec, from_specfile
from spack.spec.stored import verify
from spack.util.frozen import field, frozen

__all__ = [
    "Depth",
    "IndexProblem",
    "PruneReport",
    "SyncReport",
    "check_index",
    "missing_nodes",
    "prune",
    "rebuild_index",
    "sync",
    "write_index_view",
]

#: Manifests that are read at one time.
_AT_ONCE = 8

#: What is done with an index view.
ViewMode = Literal["append", "create", "replace"]

#: How much :func:`check_index` examines: whether blobs are there, and what is in them.
Depth = Collection[str]


@frozen
class IndexProblem:
    """What is wrong with one package of a cache."""

    package: str
    error: SpackError


def rebuild_index(cache: BinaryCache) -> tuple[int, list[IndexProblem]]:
    """Make the index of *cache* again from the manifests that it has.

    :returns: the number of packages, and what was left out.
    :raises BinaryCacheError: the cache cannot be listed or written.
    """
    names = list(cache.storage.names(cache_paths.SPECS))
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        outcomes = list(pool.map(lambda name: _attempt(cache, name), names))
    packages = [x for x in outcomes if isinstance(x, CachedPackage)]
    problems = [x for x in outcomes if isinstance(x, IndexProblem)]
    cache.replace_index(packages)
    return len(packages), problems


def _attempt(cache: BinaryCache, name: str) -> CachedPackage | IndexProblem:
    try:
        return _package_of(cache, name)
    except SpackError as error:
        return IndexProblem(name.rpartition("/")[2], error)


def _package_of(cache: BinaryCache, name: str) -> CachedPackage:
    """Return the package whose manifest is *name*, from the spec file that it names."""
    text = cache.storage.read(name).decode("utf-8", "replace")
    blob = NoSignatures().verified(text, "", name).one(SPEC, name)
    content = cache.storage.read(blob.path, blob.size)
    _check_digest(content, blob, name)
    try:
        if blob.compression == "gzip":
            content = gzip.decompress(content)
        digest, nodes = from_specfile(json.loads(content))
        verify(nodes)
    except (OSError, EOFError, ValueError, zlib.error) as error:
        raise refused(name, f"its spec file cannot be read: {error}") from error
    if cache_paths.hash_of(name) != digest:
        raise refused(name, f"its spec file is of {nodes[digest].short}")
    return CachedPackage(nodes[digest], text)


def write_index_view(
    whole: BinaryCache, view: BinaryCache, hashes: Collection[str], mode: ViewMode
) -> tuple[int, int]:
    """Write an index of some packages of a cache, which readers take for the whole.

    :param whole: the cache by its whole index. :param view: the same by the index view.
    :param mode: ``create`` a new one, ``replace`` it, or ``append`` to what it has.
    :returns: how many packages it has, and how many of *hashes* the cache does not have.
    :raises UsageError: it is there, and to be created.
    :raises BinaryCacheError: an index cannot be read or written.
    """
    if not isinstance(view.storage, DirectoryStorage):
        raise UsageError(
            f"the cache {view.storage.url} has no index views",
            hint="caches in directories have them",
            ref="index-view",
        )
    if mode == "create" and view.has_index():
        raise UsageError(
            f"the cache {view.storage.url} has an index view {view.view}",
            hint="--append adds to it, --force replaces it",
            ref="index-view",
        )
    packages = {x.spec.dag_hash(): x for x in whole.packages() if x.spec.dag_hash() in hashes}
    lacking = len(set(hashes) - set(packages))
    if mode == "append" and view.has_index():
        packages = {**{x.spec.dag_hash(): x for x in view.packages()}, **packages}
    view.replace_index(packages.values())
    return len(packages), lacking


def check_index(cache: BinaryCache, depth: Depth) -> tuple[int, list[IndexProblem]]:
    """Examine all packages in the index of *cache*.

    :param depth: of ``exists`` (archives are there), ``manifests`` (signatures are right) and
        ``blobs`` (contents have their digests).
    :returns: the number of packages, and what is wrong.
    :raises BinaryCacheError: the index cannot be read.
    """
    packages = cache.packages()

    def examine(package: CachedPackage) -> IndexProblem | None:
        try:
            _examine(cache, package, depth)
        except SpackError as error:
            return IndexProblem(package.spec.short, error)
        return None

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        problems = [x for x in pool.map(examine, packages) if x is not None]
    return len(packages), problems


def _examine(cache: BinaryCache, package: CachedPackage, depth: Depth) -> None:
    spec = package.spec
    origin = f"{spec.short} in the cache {cache.name}"
    trust = cache.trust if "manifests" in depth else NoSignatures()
    for blob in trust.verified(package.manifest, spec.dag_hash(), origin).blobs:
        if "blobs" in depth:
            _check_blob(cache, blob, origin)
        elif not cache.storage.exists(blob.path):
            raise refused(origin, f"it lacks {blob.path}")


def _check_blob(cache: BinaryCache, blob: Blob, origin: str) -> None:
    with tempfile.TemporaryDirectory(prefix="spack-check-") as folder:
        path = cache.storage.obtain(blob.path, Path(folder) / "x", blob.size, lambda done: None)
        digest = hashlib.sha256()
        with open(path, "rb") as file:
            while True:
                chunk = file.read(1 << 20)
                if not chunk:
                    break
                digest.update(chunk)
    if digest.hexdigest() != blob.digest:
        raise refused(origin, f"{blob.path} does not have its digest")


def _check_digest(content: bytes, blob: Blob, origin: str) -> None:
    if hashlib.sha256(content).hexdigest() != blob.digest:
        raise refused(origin, f"{blob.path} does not have its digest")


def missing_nodes(
    caches: Iterable[BinaryCache], nodes: Iterable[ConcreteSpec]
) -> list[ConcreteSpec]:
    """Return those of *nodes* that no cache has; externals are none of them.

    :raises BinaryCacheError: a cache cannot be read.
    """
    wanted = {x.dag_hash(): x for x in nodes if x.external is None}
    for cache in caches:
        for spec_hash in cache.find(wanted.values()):
            wanted.pop(spec_hash, None)
    return list(wanted.values())


@frozen
class SyncReport:
    """The packages that were copied, those that were there, and what could not be copied."""

    copied: tuple[ConcreteSpec, ...] = ()
    present: int = 0
    problems: tuple[IndexProblem, ...] = field(default_factory=tuple)


def sync(
    source: BinaryCache, target: BinaryCache, only: Collection[str] | None = None
) -> SyncReport:
    """Copy what *source* has and *target* lacks; manifests are copied with their signatures.

    :param only: hashes; None copies all packages.
    :raises BinaryCacheError: one of the caches cannot be used.
    """
    packages = [x for x in source.packages() if only is None or x.spec.dag_hash() in only]
    known = target.find([package.spec for package in packages])
    new = [package for package in packages if package.spec.dag_hash() not in known]

    def copy(package: CachedPackage) -> CachedPackage | IndexProblem:
        try:
            _copy(source, target, package)
            return package
        except SpackError as error:
            return IndexProblem(package.spec.short, error)

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        outcomes = list(pool.map(copy, new))
    copied = [x for x in outcomes if isinstance(x, CachedPackage)]
    target.add_to_index(copied)
    return SyncReport(
        tuple(x.spec for x in copied),
        len(packages) - len(new),
        tuple(x for x in outcomes if isinstance(x, IndexProblem)),
    )


def _copy(source: BinaryCache, target: BinaryCache, package: CachedPackage) -> None:
    spec = package.spec
    origin = f"{spec.short} in the cache {source.name}"
    manifest = source.trust.verified(package.manifest, spec.dag_hash(), origin)
    for blob in manifest.blobs:
        if target.storage.exists(blob.path):
            continue
        with tempfile.TemporaryDirectory(prefix="spack-sync-") as folder:
            copy = Path(folder) / "blob"
            path = source.storage.obtain(blob.path, copy, blob.size, lambda done: None)
            content = path.read_bytes() if blob.media_type != ARCHIVE else b""
            if blob.media_type != ARCHIVE:
                _check_digest(content, blob, origin)
                target.storage.write(blob.path, content)
                continue
            _copy_checked(path, copy.with_name("checked"), blob, origin)
            target.storage.write(blob.path, copy.with_name("checked"))
    path_name = cache_paths.spec_manifest_path(spec)
    target.storage.write(path_name, package.manifest.encode())


def _copy_checked(path: Path, target: Path, blob: Blob, origin: str) -> None:
    digest = hashlib.sha256()
    with open(path, "rb") as file, open(target, "wb") as out:
        while True:
            chunk = file.read(1 << 20)
            if not chunk:
                break
            digest.update(chunk)
            out.write(chunk)
    if digest.hexdigest() != blob.digest:
        raise refused(origin, f"{blob.path} does not have its digest")


@frozen
class PruneReport:
    """What was, or would be, removed: packages by short name, and files with their sizes."""

    packages: tuple[str, ...] = ()
    files: tuple[str, ...] = ()


def prune(
    cache: BinaryCache,
    keep: Collection[str] | None,
    *,
    dry_run: bool,
    on_remove: Callable[[str], None] = lambda name: None,
) -> PruneReport:
    """Remove the packages that are not to be kept, and blobs that nothing names.

    A push at the same time may lose its blobs: nothing else may write meanwhile.

    :param keep: hashes; None keeps all packages.
    :raises BinaryCacheError: the cache cannot be listed or written.
    """
    packages = cache.packages()
    removed = [x for x in packages if keep is not None and x.spec.dag_hash() not in keep]
    left = [x for x in packages if x not in removed]
    used = {blob.path for package in left for blob in _blobs(package)}
    used |= cache.index_blobs()
    if removed and not dry_run:
        for package in removed:
            cache.storage.remove(cache_paths.spec_manifest_path(package.spec))
        cache.replace_index(left)
        used = {blob.path for package in left for blob in _blobs(package)} | cache.index_blobs()
    used |= _named_elsewhere(cache)
    files = [name for name in cache.storage.names("blobs") if name not in used]
    for name in files if not dry_run else ():
        cache.storage.remove(name)
        on_remove(name)
    return PruneReport(tuple(x.spec.short for x in removed), tuple(files))


def _blobs(package: CachedPackage) -> tuple[Blob, ...]:
    return NoSignatures().verified(package.manifest, "", package.spec.short).blobs


def _named_elsewhere(cache: BinaryCache) -> set[str]:
    """Return the blobs of other manifests: of keys, and of packages that are in no index."""
    found = set()
    for name in cache.storage.names("v3/manifests"):
        if not name.endswith(".manifest.json") or name == cache_paths.INDEX:
            continue
        try:
            text = cache.storage.read(name).decode("utf-8", "replace")
            found |= {blob.path for blob in NoSignatures().verified(text, "", name).blobs}
        except BinaryCacheError:
            continue
    return found
