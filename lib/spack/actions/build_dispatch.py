"""Dispatching builds to worker processes: their jobs, their environment, their results."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Callable

from spack import __version__
from spack.actions.binary_installs import CachedInstalls, CachingSources, UnpackingBuilder
from spack.actions.build_isolation import isolation_of
from spack.actions.developing import DEVELOPED, is_editable
from spack.actions.metadata_report import report_findings, with_module_hint
from spack.actions.staging import StagedSources
from spack.build import sandbox, worker_process
from spack.build.build_venv import interpreter_of
from spack.build.clean_environment import clean_environment
from spack.build.forkserver import ForkServer
from spack.build.job import (
    COPY,
    IN_PLACE,
    BuildJob,
    BuildResult,
    Development,
    PatchFile,
    RepositoryRow,
)
from spack.build.options import BuildOptions
from spack.build.wheel_cache import recipe_wheels
from spack.fetch.stage import Stage
from spack.install.check import PythonPaths
from spack.install.events import InPhase, OutputLine
from spack.install.interfaces import (
    BuildOutput,
    BuildRequest,
    InstallerDependencies,
    NodeBuilder,
    Sources,
)
from spack.install.plan import BUILD, Plan
from spack.repo import RepoPath
from spack.spec import DEPTYPES, ConcreteSpec, dump
from spack.spec.wheel import wheel_of
from spack.util.hashing import hash_file
from spack.util.report import Reporter, Task

__all__ = ["build_job", "build_variables", "installer_dependencies", "repository_rows"]


@contextlib.contextmanager
def installer_dependencies(
    build_options: BuildOptions,
    plan: Plan,
    reporter: Reporter,
    caches: CachedInstalls | None = None,
) -> Iterator[InstallerDependencies]:
    """Yield the dependencies of the installer that carry out *plan*."""
    server = _fork_server(build_options, plan)
    sources: Sources = StagedSources(build_options, plan.steps)
    builder: NodeBuilder = _WorkerBuilder(build_options, reporter, server)
    if build_options.pool is not None and any(wheel_of(step.spec) for step in plan.builds):
        from spack.actions.pooled_wheels import LinkingBuilder, PooledSources  # start-up
        from spack.actions.wheel_pool import WheelPool

        pool = WheelPool(build_options.pool)
        sources = PooledSources(sources, build_options, pool)
        builder = LinkingBuilder(builder, build_options, pool, reporter)
    if caches is not None:
        sources = CachingSources(sources, caches, build_options.stage_path)
        builder = UnpackingBuilder(builder, build_options.store, caches.set_run_path)
    try:
        yield InstallerDependencies(
            store=build_options.store,
            sources=sources,
            builder=builder,
            reporter=reporter,
            recipe=lambda spec: Path(build_options.recipe(spec).path).parent,
            python=python_paths,
            modes=build_options.modes,
        )
    finally:
        if server is not None:
            server.close()


def _fork_server(build_options: BuildOptions, plan: Plan) -> ForkServer | None:
    """Return the server of workers where it is possible and something is to be built."""
    spec = next((step.spec for step in plan.builds if step.kind == BUILD), None)
    if spec is None or not ForkServer.is_possible():
        return None
    variables = build_variables(build_options, spec, build_options.stage_path(spec))
    with contextlib.suppress(OSError):
        return ForkServer(
            build_options.interpreter,
            variables,
            worker_process.libraries(build_options.library_path),
            inherited=build_options.inherited,
        )
    return None


def python_paths(spec: ConcreteSpec, prefixes: Mapping[str, Path]) -> PythonPaths | None:
    """Return where a Python extension's modules belong, as its ``python-venv`` has recorded it.

    :raises InstallError: there is no virtual environment in that prefix.
    """
    for edge in spec.edges:
        if edge.spec.name == "python-venv":
            base = interpreter_of(str(prefixes[edge.spec.dag_hash()]))
            return PythonPaths(base.purelib, base.platlib)
    return None


def build_job(
    build_options: BuildOptions, request: BuildRequest, stage: Stage, policy: sandbox.WritePolicy
) -> BuildJob:
    """Return the build of one node as data for the worker.

    :param policy: see :attr:`BuildOptions.effective_write_policy`.
    """
    # What a wheel is kept by names archive and patches, and no resources.
    # A build's requirements are reported by a build only.
    reusable = build_options.is_clean and not build_options.strict_metadata
    wheels = build_options.wheels if reusable and not stage.resources else None
    return BuildJob(
        spec=dump([request.spec]),
        hash=request.spec.dag_hash(),
        prefixes={key: str(path) for key, path in request.prefixes.items()},
        stage_path=str(stage.path),
        source_path=str(stage.source_path),
        archive_file=None if stage.archive_file is None else str(stage.archive_file),
        log_path=str(request.log),
        result_path=str(stage.path / "spack-build-result.json"),
        repositories=repository_rows(build_options.recipes),
        patches=tuple(
            PatchFile(str(patch.path), patch.level, patch.working_dir, patch.reverse)
            for patch in stage.patches
        ),
        jobs=request.jobs,
        run_tests=request.tests,
        library_path=build_options.library_path,
        environment_path=str(request.environment),
        keep_venv=build_options.keep_venv,
        background=request.background,
        wheels=recipe_wheels(wheels, request.spec) if wheels else None,
        writable=_writable(build_options, request, stage) if policy == sandbox.PREVENT else None,
        develop=_development(request.spec),
        until=build_options.until.get(request.spec.name, ""),
        keep_source=build_options.keep_source,
        opened=tuple(_opened(build_options)),
        isolation=isolation_of(
            build_options, request.spec, map(str, request.prefixes.values()), _fetched(stage)
        ),
    )


def _fetched(stage: Stage) -> Iterator[str]:
    """Yield the fetched files that a build reads where they are."""
    yield from (str(patch.path) for patch in stage.patches)
    if stage.archive_file is not None:
        yield str(stage.archive_file)


def _opened(build_options: BuildOptions) -> Iterator[str]:
    """Yield log lines about what builds get besides their clean environment; names only."""
    way = "--dirty" if build_options.dirty else "config:build_env:pass"
    if build_options.from_host:
        yield f"passed from your environment ({way}): {', '.join(build_options.from_host)}"
    if build_options.variables:
        names = ", ".join(build_options.variables)
        yield f"set by the configuration (config:build_env:set): {names}"


def _writable(build_options: BuildOptions, request: BuildRequest, stage: Stage) -> tuple[str, ...]:
    roots = [root for _, root in build_options.recipes.with_roots()]
    return sandbox.writable_locations(
        (str(stage.path), str(stage.source_path)),
        str(request.prefix),
        (str(build_options.store.layout.root), *build_options.library_path, *roots),
        build_options.writable,
    )


def _own_and_external(request: BuildRequest) -> tuple[list[str], list[str]]:
    """Return directories that a build might write to by mistake: the store's, the system's."""
    own: list[str] = []
    other_paths: list[str] = []
    for node in request.spec.traverse(DEPTYPES, root=False):
        prefix = request.prefixes.get(node.dag_hash())
        if node.external is None:
            own += [str(prefix)] if prefix is not None else []
            continue
        layout = node.extra_attributes.get("layout")
        if layout:
            base = layout["base_prefix"]
            other_paths += [os.path.join(base, layout[key]) for key in ("purelib", "platlib")]
            # of Debian and Fedora for users, and of Debian for its own packages
            other_paths.append(os.path.join(base, "local", "lib", layout["stdlib"]))
            other_paths.append(os.path.join(base, "local", "lib64", layout["stdlib"]))
            other_paths.append(os.path.join(base, "lib", "python3", "dist-packages"))
    return own, list(dict.fromkeys(other_paths))


def _development(spec: ConcreteSpec) -> Development:
    if not spec.is_develop:
        return ""
    return IN_PLACE if is_editable(spec) else COPY


def repository_rows(recipes: RepoPath) -> tuple[RepositoryRow, ...]:
    """Return the repositories as the worker's job lists them."""
    return tuple(RepositoryRow(*row) for row in recipes.with_roots())


def build_variables(
    build_options: BuildOptions, spec: ConcreteSpec, stage_path: Path
) -> dict[str, str]:
    """Return all environment variables that the worker for *spec* starts with."""
    directories: list[str] = []
    for node in spec.traverse():
        if node.external is not None and node.external.path:
            directories.append(os.path.join(node.external.path, "bin"))
    variables = clean_environment(
        build_options.host_environment,
        str(stage_path),
        tool_directories=directories,
        passed=build_options.let_through,
    )
    variables.update(build_options.compiling)
    if build_options.jobserver is not None:
        variables["MAKEFLAGS"] = build_options.jobserver.makeflags
    if spec.is_develop:
        variables.update(_versions(spec))
    variables.update(build_options.variables)
    return variables


def _versions(spec: ConcreteSpec) -> dict[str, str]:
    """Return variables that give a version to backends which ask git for it.

    What is built is the version that the spec says; in a developer's directory there is no
    ``PKG-INFO`` that would declare it.
    """
    version = str(spec.version)
    if not version[:1].isdigit():
        return {}
    return dict.fromkeys(("SETUPTOOLS_SCM_PRETEND_VERSION", "PDM_BUILD_SCM_VERSION"), version)


def _built(result: BuildResult, stage: Stage) -> dict[str, object]:
    """Return what the provenance of a binary says of the build; see ``binary.provenance``."""
    files = [] if stage.archive_file is None else [stage.archive_file]
    rows = {"source": files, "patch": [patch.path for patch in stage.patches]}
    host = os.uname()
    digests = {
        kind: [{"name": path.name, "sha256": hash_file(path)} for path in paths if path.is_file()]
        for kind, paths in rows.items()
    }
    return {
        **{kind: found for kind, found in digests.items() if found},
        "protected": list(result.protected),
        "unprotected": list(result.unprotected),
        "host": host.nodename,
        "tool": __version__,
        "finished": int(time.time()),
    }


class _Lines:
    """Reports the whole lines of what a build prints."""

    def __init__(self, package: str, reporter: Reporter) -> None:
        self._package = package
        self._reporter = reporter
        self._rest = b""

    def __call__(self, output: bytes) -> None:
        *lines, self._rest = (self._rest + output).split(b"\n")
        for line in lines:
            text = line.decode("utf-8", "replace")
            self._reporter.report(OutputLine(self._package, text))


class _WorkerBuilder:
    """Runs builds in worker processes; see :class:`spack.install.interfaces.NodeBuilder`."""

    def __init__(
        self, build_options: BuildOptions, reporter: Reporter, server: ForkServer | None
    ) -> None:
        self._build_options = build_options
        self._reporter = reporter
        self._server = server
        self._unprotected: set[str] = set()

    def build(
        self,
        request: BuildRequest,
        task: Task,
        cancelled: threading.Event,
        started: Callable[[int], None],
    ) -> BuildOutput:
        """Run the worker to its end and give what it says."""
        from spack.actions import metadata  # start-up: not for an install with nothing to do

        options, stage = self._build_options, request.stage
        assert isinstance(stage, Stage)  # made by StagedSources

        source = stage.source_path
        report_findings(
            options,
            request,
            self._reporter,
            lambda s, r, f: metadata.source_findings(s, r, f, source),
        )

        output = _Lines(request.spec.short, self._reporter) if options.verbose else None
        policy = options.effective_write_policy
        own, other_paths = _own_and_external(request) if policy == sandbox.UNDO else ([], [])
        before = sandbox.look([*own, *other_paths])
        job = build_job(options, request, stage, policy)
        begin = time.monotonic()
        result = worker_process.run(
            job,
            build_variables(options, request.spec, stage.path),
            interpreter=options.interpreter,
            server=self._server,
            on_start=started,
            on_event=lambda event: task.phase(InPhase(event.name)),
            on_output=output,
            cancelled=cancelled,
            inherited=options.inherited,
        )
        if before:
            sandbox.settle(own, other_paths, before, request.spec.short)
        self._warn_of_missing_protection(result.unprotected)
        for message in result.messages:
            self._reporter.warning(f"{request.spec.short}: {message}")
        if result.failure is not None:
            raise with_module_hint(result.failure, request.spec, options).as_error(
                request.spec.short, str(request.log)
            )
        needed, undeclared = result.requirements, result.undeclared
        report_findings(
            options,
            request,
            self._reporter,
            lambda s, r, f: metadata.hook_findings(s, r, f, needed, undeclared),
        )
        report_findings(
            options,
            request,
            self._reporter,
            lambda s, r, f: metadata.installed_findings(s, r, f, request.prefix),
        )
        facts = self._facts(request.spec, result, stage)
        facts["usage"] = {
            "seconds": round(time.monotonic() - begin, 3),
            "processor": result.processor,
            "memory": result.memory,
        }
        return BuildOutput(list(result.run_environment), facts)

    def _facts(self, spec: ConcreteSpec, result: BuildResult, stage: Stage) -> dict[str, object]:
        """Return what the record of the install keeps of the build."""
        facts: dict[str, object] = {
            "phases": {phase.name: round(phase.seconds, 3) for phase in result.phases}
        }
        if self._build_options.dirty:
            facts["dirty"] = True
        elif self._build_options.from_host:
            facts["passed"] = list(self._build_options.from_host)
        wheel = wheel_of(spec)
        if wheel is not None:
            facts["wheel"] = wheel.filename
        if stage.developed:
            facts[DEVELOPED] = stage.developed
        facts["built"] = _built(result, stage)
        return facts

    def _warn_of_missing_protection(self, missing: tuple[str, ...]) -> None:
        """Warn of each protection that this machine does not offer, once."""
        for name in missing:
            if name not in self._unprotected:
                self._unprotected.add(name)
                self._reporter.warning(f"builds are not protected by {name}; see CONTRIBUTING.md")
