"""Pushing installed packages to a cache, and looking at what caches have."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from spack.actions.notices import PackagePushed
from spack.binary.binary_cache import BinaryCache
from spack.binary.cache_manifest import Blob
from spack.binary.catalogue import CachedPackage
from spack.binary.pack_package import PackedPrefix, pack_prefix
from spack.binary.parallel_gzip import Digest
from spack.binary.provenance import provenance_text
from spack.binary.published_keys import read_keys
from spack.binary.signing_keys import KeyRing
from spack.errors import BinaryCacheError, SpackError
from spack.spec import DEPTYPES, RUN_TIME, ConcreteSpec, Spec
from spack.store import Store
from spack.util.frozen import frozen
from spack.util.report import Failed, Reporter

if TYPE_CHECKING:
    from spack.repo import RepoPath

__all__ = [
    "KnownKey",
    "PushReport",
    "ShownBinary",
    "installed_prefix",
    "known_keys",
    "listed",
    "matching",
    "pack_installed",
    "push",
    "pushed_nodes",
    "redistributable",
    "shown_binaries",
    "trust_keys",
]


@dataclass
class PushReport:
    """What became of the packages that were to be pushed."""

    pushed: list[ConcreteSpec] = field(default_factory=list)
    present: list[ConcreteSpec] = field(default_factory=list)
    failed: list[tuple[ConcreteSpec, SpackError]] = field(default_factory=list)
    size: int = 0

    def raise_failures(self) -> None:
        """Raise the failures, if there are any, as the causes of one error.

        :raises BinaryCacheError: something could not be pushed.
        """
        if self.failed:
            raise BinaryCacheError(
                f"could not be pushed: {', '.join(spec.short for spec, _ in self.failed)}",
                causes=[error for _, error in self.failed],
                hint="what was pushed is in the cache; run the same command again after the fix",
                ref="binary-push",
            )


def pushed_nodes(
    roots: Sequence[ConcreteSpec], *, package: bool, dependencies: bool, build: bool
) -> list[ConcreteSpec]:
    """Return the nodes that a push of *roots* means; externals are none of them.

    :param build: build dependencies too.
    """
    kinds = DEPTYPES if build else RUN_TIME
    nodes = {node.dag_hash(): node for root in roots for node in root.traverse(kinds)}
    own = {root.dag_hash() for root in roots}
    return [
        node
        for key, node in nodes.items()
        if node.external is None and (package if key in own else dependencies)
    ]


def redistributable(
    nodes: Iterable[ConcreteSpec], recipes: RepoPath
) -> tuple[list[ConcreteSpec], list[ConcreteSpec]]:
    """Return those of *nodes* whose binaries may be passed on, and those that may not.

    A recipe says so with ``redistribute(binary=False)``.
    """
    allowed: list[ConcreteSpec] = []
    kept: list[ConcreteSpec] = []
    for node in nodes:
        recipe = recipes.of_node(node)
        rows: Any = () if recipe is None else recipe.attributes.get("redistribute", ())
        refused = any(not binary and (not when or node.satisfies(when)) for _, binary, when in rows)
        (kept if refused else allowed).append(node)
    return allowed, kept


def push(
    nodes: Iterable[ConcreteSpec],
    store: Store,
    cache: BinaryCache,
    reporter: Reporter,
    *,
    force: bool = False,
    fail_fast: bool = False,
    jobs: int = 1,
) -> PushReport:
    """Push installed *nodes*; what the cache has stays as it is.

    :param force: replace what it has. :param fail_fast: begin no further package after a failure.
    :param jobs: threads that compress.
    :raises BinaryCacheError: the cache cannot be used at all.
    """
    report = PushReport()
    wanted = list(nodes)
    known = cache.find(wanted)
    if cache.is_earlier:
        raise BinaryCacheError(
            f"the cache {cache.storage.url} is of layout version 2, which is only read",
            hint="spack buildcache migrate MIRROR, or push to another cache",
            ref="binary-layout",
        )
    known = {} if force else known
    report.present = [node for node in wanted if node.dag_hash() in known]
    new = [node for node in wanted if node.dag_hash() not in known]
    stored: list[CachedPackage] = []
    with (
        ThreadPoolExecutor(jobs) as compressing,
        ThreadPoolExecutor(min(jobs, 4)) as packing,
        tempfile.TemporaryDirectory(prefix="spack-push-") as folder,
    ):
        pushing = _Pushing(store, cache, compressing, Path(folder))
        for node, outcome in zip(new, packing.map(pushing.attempt, new)):
            task = reporter.task(node.dag_hash(), node.short)
            if isinstance(outcome, SpackError):
                report.failed.append((node, outcome))
                task.fail(Failed(outcome))
                if fail_fast:
                    packing.shutdown(cancel_futures=True)
                    break
                continue
            package, size = outcome
            stored.append(package)
            report.pushed.append(node)
            report.size += size
            task.finish(PackagePushed(size))
    if stored:
        cache.trust.publish(cache.storage)
    cache.add_to_index(stored)
    return report


@dataclass(frozen=True)
class _Pushing:
    store: Store
    cache: BinaryCache
    pool: ThreadPoolExecutor
    folder: Path

    def attempt(self, node: ConcreteSpec) -> tuple[CachedPackage, int] | SpackError:
        try:
            return self.push(node)
        except SpackError as error:
            return error

    def push(self, node: ConcreteSpec) -> tuple[CachedPackage, int]:
        descriptor, name = tempfile.mkstemp(dir=self.folder)
        archive = Path(name)
        try:
            with os.fdopen(descriptor, "wb") as file:
                packed = pack_installed(node, self.store, file, self.pool)
            record = self.store.database.record(node.dag_hash())
            text = b"" if record is None else provenance_text(node, record, packed.digest)
            return self.cache.store(node, packed, archive, text), packed.size
        finally:
            archive.unlink(missing_ok=True)


def installed_prefix(node: ConcreteSpec, store: Store) -> Path:
    """Return where a package is installed.

    :raises BinaryCacheError: it is not.
    """
    record = store.database.record(node.dag_hash())
    if record is None or not store.is_present(record):
        raise BinaryCacheError(
            f"{node.short} is not installed, so it cannot be pushed",
            hint="install it first, or leave build dependencies out",
            ref="binary-not-installed",
        )
    return Path(record.prefix)


def pack_installed(
    node: ConcreteSpec,
    store: Store,
    file: IO[bytes],
    pool: ThreadPoolExecutor,
    plain: Digest | None = None,
) -> PackedPrefix:
    """Write the archive of an installed package; see :mod:`spack.binary.pack_package`.

    :raises BinaryCacheError: it is not installed, or cannot be read.
    """
    prefix = installed_prefix(node, store)
    record = store.database.record(node.dag_hash())
    prefixes = {
        x.dag_hash(): str(store.prefix(x)) for x in node.traverse(DEPTYPES) if x.external is None
    }
    upstream = record.upstream if record is not None else ""
    root = Path(upstream) if upstream else store.layout.padded_root
    return pack_prefix(prefix, root, prefixes, file, pool=pool, plain=plain)


def listed(caches: Iterable[BinaryCache]) -> list[ConcreteSpec]:
    """Return all packages in *caches*, by architecture, name, version and hash.

    :raises BinaryCacheError: a cache cannot be read.
    """
    found: dict[str, ConcreteSpec] = {}
    for cache in caches:
        cache.refresh()
        with cache.catalogue.database as database:
            found.update(database.specs())
    return sorted(
        found.values(),
        key=lambda x: (x.platform, x.os, x.target, x.name, x.version, x.dag_hash()),
    )


def matching(caches: Iterable[BinaryCache], spec: Spec) -> list[ConcreteSpec]:
    """Return the packages in *caches* that satisfy *spec*.

    :raises BinaryCacheError: a cache cannot be read.
    """
    found: dict[str, ConcreteSpec] = {}
    for cache in caches:
        cache.refresh()
        with cache.catalogue.database as database:
            records = database.query(spec)
            found.update(database.specs(record.hash for record in records))
    return list(found.values())


@frozen
class ShownBinary:
    """A package of a cache as it is shown.

    :param archive: None if the manifest is not trusted. :param problem: why.
    :param provenance: an in-toto statement; None if there is none.
    """

    cache: str
    spec: ConcreteSpec
    archive: Blob | None
    provenance: Mapping[str, Any] | None
    problem: str = ""


def shown_binaries(caches: Iterable[BinaryCache], spec: Spec) -> list[ShownBinary]:
    """Return what *caches* have of *spec*, each with its provenance.

    :raises BinaryCacheError: a cache cannot be read.
    """
    return [
        _shown(cache, node, text)
        for cache in caches
        for node in matching([cache], spec)
        for text in cache.find([node]).values()
    ]


def _shown(cache: BinaryCache, node: ConcreteSpec, text: str) -> ShownBinary:
    try:
        archive = cache.archive_of(node, text)
        return ShownBinary(cache.name, node, archive, cache.provenance_of(node, text))
    except BinaryCacheError as error:
        return ShownBinary(cache.name, node, None, None, str(error.facts.get("reason", error)))


@frozen
class KnownKey:
    """A key that signs binaries.

    :param state: ``trusted`` or ``unknown``. :param origin: ``here``, or the name of a cache.
    """

    state: str
    origin: str
    text: str


def known_keys(caches: Iterable[BinaryCache], ring: KeyRing) -> list[KnownKey]:
    """Return the keys that are trusted, and those that the caches offer.

    :raises BinaryCacheError: a cache cannot be read.
    """
    trusted, fingerprints = ring.trusted(), ring.gpg_keys()
    found = [KnownKey("trusted", "here", str(key)) for key in trusted]
    found += [KnownKey("trusted", "here", f"gpg {x}") for x in fingerprints]
    known = {key.data for key in trusted}
    for cache in caches:
        ssh, gpg = read_keys(cache.storage)
        found += [
            KnownKey("trusted" if key.data in known else "unknown", cache.name, str(key))
            for key in ssh
        ]
        found += [
            KnownKey("trusted" if x in fingerprints else "unknown", cache.name, f"gpg {x}")
            for x in gpg
        ]
    return found


def trust_keys(caches: Iterable[BinaryCache], ring: KeyRing) -> list[tuple[str, str]]:
    """Trust all keys that *caches* offer; return name of the cache and key of what is new.

    :raises BinaryCacheError: a cache cannot be read, or a key cannot be imported.
    """
    done: list[tuple[str, str]] = []
    for cache in caches:
        ssh, gpg = read_keys(cache.storage)
        done += [(cache.name, str(key)) for key in ring.trust(ssh)]
        known = set(ring.gpg_keys())
        for fingerprint, key in gpg.items():
            if fingerprint not in known:
                ring.gpg_import(key)
                done.append((cache.name, f"gpg {fingerprint}"))
    return done
