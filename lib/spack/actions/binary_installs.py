"""Binaries of caches instead of builds: found, fetched, unpacked as an installer expects it."""

from __future__ import annotations

import shutil
import subprocess
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Callable, Literal, Optional

from spack.binary.cache_manifest import Blob
from spack.errors import BinaryCacheError, InstallError, SpackError, UsageError
from spack.install.events import Fetching, InPhase
from spack.install.interfaces import BuildOutput, BuildRequest, NodeBuilder, NodeStage, Sources
from spack.install.plan import BINARY, Plan, Step
from spack.spec import DEPTYPES, ConcreteSpec
from spack.util.filesystem import remove_tree
from spack.util.frozen import frozen, replace
from spack.util.report import Reporter, Task

if TYPE_CHECKING:
    from spack.binary.binary_cache import BinaryCache
    from spack.binary.relocation import SetRunPath
    from spack.store import Store

__all__ = ["CachePolicy", "CacheUse", "CachedInstalls", "patchelf_on", "read_policy"]

#: What is done about binaries: taken where there are some, not looked for, or nothing but taken.
CacheUse = Literal["auto", "never", "only"]


@frozen
class CachePolicy:
    """How caches are used, for the packages that were asked for and for what they need."""

    package: CacheUse = "auto"
    dependencies: CacheUse = "auto"

    def of(self, spec_hash: str, roots: frozenset[str]) -> CacheUse:
        """Return what holds for one node."""
        return self.package if spec_hash in roots else self.dependencies

    @property
    def uses_caches(self) -> bool:
        return (self.package, self.dependencies) != ("never", "never")

    @property
    def needs_caches(self) -> bool:
        """Whether something is to come from caches only."""
        return "only" in (self.package, self.dependencies)


_USES: Mapping[str, CacheUse] = {"auto": "auto", "never": "never", "only": "only"}


def read_policy(text: str) -> CachePolicy:
    """Read ``auto``, ``package:never,dependencies:only`` and their like.

    :raises UsageError: it is none.
    """
    found: dict[str, CacheUse] = {}
    for part in text.split(","):
        kind, _, policy = part.rpartition(":")
        if policy not in _USES or kind not in ("", "package", "dependencies"):
            raise UsageError(
                f"spack install: cannot read the policy {text}",
                hint="write auto, never or only, or package:never,dependencies:only",
            )
        for key in (kind,) if kind else ("package", "dependencies"):
            found[key] = _USES[policy]
    return CachePolicy(**found)


class CachedInstalls:
    """The caches, as one command uses them.

    :param caches: in the order in which they are asked.
    :param set_run_path: sets run paths that have no room; None where no program does that.
    :ivar beyond_index: see :meth:`spack.binary.binary_cache.BinaryCache.find`.
    """

    beyond_index = False

    def __init__(
        self,
        caches: Sequence[BinaryCache],
        policy: CachePolicy,
        reporter: Reporter,
        set_run_path: SetRunPath | None = None,
    ) -> None:
        self.policy = policy
        self.set_run_path = set_run_path
        self._caches = tuple(caches)
        self._reporter = reporter
        self._found: dict[str, list[tuple[BinaryCache, str]]] = {}
        self._asked: set[str] = set()
        self._refusals: dict[str, list[BinaryCacheError]] = {}

    def available(self, specs: Iterable[ConcreteSpec], roots: frozenset[str]) -> frozenset[str]:
        """Return the hashes of those of *specs* that are to be taken from a cache.

        A cache that cannot be read is left out, with a warning.
        """
        wanted = [x for x in specs if self.policy.of(x.dag_hash(), roots) != "never"]
        new = [x for x in wanted if x.dag_hash() not in self._asked]
        self._asked.update(x.dag_hash() for x in new)
        for cache in self._caches if new else ():
            try:
                found = cache.find(new, beyond_index=self.beyond_index)
            except SpackError as error:
                self._reporter.warning(f"the cache {cache.name} is not used: {error.message}")
                continue
            for spec_hash, text in found.items():
                self._found.setdefault(spec_hash, []).append((cache, text))
        return frozenset(x.dag_hash() for x in wanted if self._found.get(x.dag_hash()))

    def forget(self) -> None:
        """Ask the caches again for what they did not have: other machines have pushed to them."""
        self._asked.clear()
        self._found.clear()
        self.beyond_index = True
        for cache in self._caches:
            cache.forget()

    def check(self, plan: Plan, roots: frozenset[str]) -> None:
        """Check that *plan* builds nothing that may come from caches only.

        :raises InstallError: it does; the caches' refusals are the causes.
        """
        missing = [
            step
            for step in plan.builds
            if step.kind != BINARY and self.policy.of(step.hash, roots) == "only"
        ]
        if not missing:
            return
        names = ", ".join(step.spec.short for step in missing)
        raise InstallError(
            f"not installed, and not to be built: {names}",
            facts={"missing": [step.hash for step in missing]},
            hint="`spack buildcache list` shows what the caches have, `spack mirror list` which "
            "there are; without --cache-only and --use-buildcache=only it is built",
            causes=[error for step in missing for error in self._refusals.get(step.hash, ())],
            ref="cache-only",
        )

    def fetch(
        self, spec: ConcreteSpec, target: Path, progress: Callable[[int], None]
    ) -> FetchedArchive:
        """Return the archive of *spec* from the first cache that has it.

        :raises BinaryCacheError: it is not trusted, or cannot be fetched.
        """
        cache, text = self._found[spec.dag_hash()][0]
        blob = cache.archive_of(spec, text)
        path = cache.obtain(spec, blob, target, progress)
        if not blob.sized:
            blob = replace(blob, size=path.stat().st_size, sized=True)
        return FetchedArchive(cache.name, blob, path)

    def refuse(self, spec: ConcreteSpec, error: BinaryCacheError) -> None:
        """Do not take *spec* from the cache that it was just taken from."""
        self._refusals.setdefault(spec.dag_hash(), []).append(error)
        self._found[spec.dag_hash()].pop(0)
        rest = "the next source is tried" if self.policy.package != "only" else ""
        self._reporter.warning("; ".join(x for x in (error.message, rest) if x))


@frozen
class FetchedArchive:
    """An archive on this machine, with what its manifest says of it."""

    cache: str
    blob: Blob
    path: Path


@dataclass
class BinaryStage:
    """A directory for one archive; an archive of a cache in a directory stays where it is."""

    path: Path
    fetched: FetchedArchive

    def destroy(self) -> None:
        remove_tree(self.path)


@dataclass(frozen=True)
class CachingSources:
    """Fetches archives for steps of the kind ``binary``, and sources for all other steps."""

    sources: Sources
    caches: CachedInstalls
    stage_path: Callable[[ConcreteSpec], Path]

    def stage(self, step: Step, task: Task, cancelled: Callable[[], bool]) -> NodeStage:
        """See :class:`spack.install.interfaces.Sources`."""
        if step.kind != BINARY:
            return self.sources.stage(step, task, cancelled)
        task.phase(Fetching())
        path = self.stage_path(step.spec)
        remove_tree(path)

        def progress(done: int) -> None:
            if cancelled():
                raise InstallError("the fetch was cancelled", ref="install-cancelled")
            task.progress(done, 0)

        try:
            return BinaryStage(path, self.caches.fetch(step.spec, path / "binary.tar.gz", progress))
        except BaseException:
            remove_tree(path)
            raise


@dataclass(frozen=True)
class UnpackingBuilder:
    """Unpacks the archives of :class:`CachingSources`; all else is built."""

    builder: NodeBuilder
    store: Store
    set_run_path: Optional[SetRunPath] = field(default=None)  # noqa: UP045 - as in its type

    def build(
        self,
        request: BuildRequest,
        task: Task,
        cancelled: threading.Event,
        started: Callable[[int], None],
    ) -> BuildOutput:
        """See :class:`spack.install.interfaces.NodeBuilder`."""
        if not isinstance(request.stage, BinaryStage):
            return self.builder.build(request, task, cancelled, started)
        from spack.binary.unpack_package import UnpackRequest, unpack_package

        task.phase(InPhase("unpack"))
        fetched = request.stage.fetched
        unpacked = unpack_package(
            UnpackRequest(
                spec=request.spec,
                archive=fetched.path,
                blob=fetched.blob,
                prefix=request.prefix,
                root=self.store.layout.padded_root,
                prefixes=self._prefixes(request),
                set_run_path=self.set_run_path,
            )
        )
        facts = {**unpacked.facts, "cache": fetched.cache}
        return BuildOutput(run_environment=unpacked.run_environment, facts=facts)

    def _prefixes(self, request: BuildRequest) -> dict[str, str]:
        """Return where the nodes of the DAG are, and where those not installed would be."""
        found = {}
        for node in request.spec.traverse(DEPTYPES):
            known = request.prefixes.get(node.dag_hash())
            found[node.dag_hash()] = str(known or self.store.layout.prefix(node))
        return found


def patchelf_on(search_path: str) -> SetRunPath | None:
    """Return what sets run paths with the program ``patchelf``; None where there is none."""
    program = shutil.which("patchelf", path=search_path)
    if program is None:
        return None
    found = program

    def set_run_path(path: Path, run_path: str, is_runpath: bool) -> None:
        kind = [] if is_runpath else ["--force-rpath"]
        done = subprocess.run(
            [found, *kind, "--set-rpath", run_path, str(path)], capture_output=True, text=True
        )
        if done.returncode:
            raise BinaryCacheError(
                f"patchelf cannot set the run path of {path}: {done.stderr.strip()}",
                hint="use an install tree with a shorter path, or build the package",
                ref="binary-immovable",
            )

    return set_run_path
