"""The adapters between the installer, the fetcher and the builder: imported when one builds."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Callable

from spack.actions.developing import DEVELOPED, is_editable, source_directory, state_of
from spack.build import sandbox, worker_process
from spack.build.build_venv import interpreter_of
from spack.build.clean_environment import clean_environment, passed_names
from spack.build.forkserver import ForkServer
from spack.build.job import COPY, IN_PLACE, BuildFailure, BuildJob, PatchFile, RepositoryRow
from spack.errors import InstallError, RecipeError
from spack.fetch.develop_sources import check_directory, copy_sources
from spack.fetch.fetcher import Fetcher
from spack.fetch.plain import Progress
from spack.fetch.stage import Stage
from spack.install.check import PythonPaths
from spack.install.interfaces import BuildOutput, BuildRequest, InstallerDependencies
from spack.install.plan import BUILD, Plan, Step
from spack.recipe.records import PatchRecord, Recipe, ResourceRecord
from spack.recipe.requirements import RequirementFinding
from spack.repo import RepoPath
from spack.spec import DEPTYPES, ConcreteSpec, dump
from spack.store import Modes, Store
from spack.store.layout import path_part
from spack.util.report import Reporter, Task

__all__ = [
    "StagedSources",
    "BuildOptions",
    "build_job",
    "build_variables",
    "repository_rows",
    "services",
    "stage_sources",
]


@dataclass(frozen=True)
class BuildOptions:
    """What builds need beside the plan.

    :param host_environment: the user's; only an allow-list of it reaches a build.
    :param stage_root: stages are made below it.
    :param library_path: where a worker finds the engine and its libraries.
    :param interpreter: runs the workers.
    :param passed: names of variables that the configuration lets through.
    :param variables: variables that the configuration sets.
    :param sandbox: how writes outside of stage and prefix are handled.
    :param writable: further paths that builds may write to.
    :param compiling: variables that say how to compile, see
        :func:`spack.build.clean_environment.compiler_variables`.
    :param stage_name: format of the names of stages.
    :param dirty: let the whole environment of the user through.
    :param wheels: where the wheels of clean builds are kept.
    :param strict_metadata: a recipe that differs from the metadata of its sources is an error.
    :param modes: the permissions of what a node installs.
    """

    recipes: RepoPath
    fetcher: Fetcher
    store: Store
    host_environment: Mapping[str, str]
    stage_root: Path
    library_path: tuple[str, ...]
    interpreter: str
    passed: tuple[str, ...] = ()
    variables: Mapping[str, str] = field(default_factory=dict)
    sandbox: str = sandbox.PREVENT
    writable: tuple[str, ...] = ()
    compiling: Mapping[str, str] = field(default_factory=dict)
    stage_name: str = "spack-stage-{name}-{version}-{hash}"
    dirty: bool = False
    keep_venv: bool = False
    wheels: Path | None = None
    strict_metadata: bool = False
    modes: Callable[[ConcreteSpec], Modes] = lambda spec: Modes()

    @property
    def is_clean(self) -> bool:
        """Whether builds depend on their specs and on nothing that the user has set."""
        return not (self.dirty or self.passed or self.variables or self.compiling)

    def recipe(self, spec: ConcreteSpec) -> Recipe:
        """Return the facts of a node's package.

        :raises RecipeError: no repository has it.
        """
        recipe = self.recipes.get(spec.fullname) or self.recipes.get(spec.name)
        if recipe is None:
            raise RecipeError(
                f"no repository has a recipe for {spec.fullname}",
                hint="add the repository that it came from: `spack repo add`",
            )
        return recipe

    @property
    def from_host(self) -> tuple[str, ...]:
        """Names of the user's variables that builds get."""
        return passed_names(self.host_environment, self.let_through)

    @property
    def let_through(self) -> tuple[str, ...]:
        """The same as patterns."""
        return ("*",) if self.dirty else self.passed

    @property
    def guard(self) -> str:
        """How writes outside of stage and prefix are handled on this system.

        Builds in the user's own environment may write to paths that it names, such as HOME.
        """
        if self.sandbox != sandbox.PREVENT:
            return self.sandbox
        from spack.util import landlock  # start-up: ctypes

        return sandbox.PREVENT if not self.dirty and landlock.is_available() else sandbox.UNDO

    @property
    def excluded_directories(self) -> tuple[Path, ...]:
        """Directories of the engine among a developer's sources, which are not sources."""
        return (self.stage_root, self.store.root)

    def stage_path(self, spec: ConcreteSpec) -> Path:
        """Return where the sources of a node are unpacked and built."""
        name = spec.format(self.stage_name, {"version": path_part(str(spec.version))})
        return self.stage_root / path_part(name)


@contextlib.contextmanager
def services(
    build_options: BuildOptions, plan: Plan, reporter: Reporter
) -> Iterator[InstallerDependencies]:
    """Yield the dependencies of the installer that carry out *plan*."""
    server = _fork_server(build_options, plan)
    try:
        yield InstallerDependencies(
            store=build_options.store,
            sources=StagedSources(build_options, plan.steps),
            builder=_WorkerBuilder(build_options, reporter, server),
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
    if not plan.builds or not ForkServer.is_possible():
        return None
    spec = plan.builds[0].spec
    variables = build_variables(build_options, spec, build_options.stage_path(spec))
    with contextlib.suppress(OSError):
        return ForkServer(
            build_options.interpreter,
            variables,
            worker_process.libraries(build_options.library_path),
        )
    return None


class StagedSources:
    """Fetches, verifies and unpacks what the steps of a plan need.

    :param steps: also those that need no build: a dependent may add a patch to a dependency.
    """

    def __init__(self, build_options: BuildOptions, steps: Iterable[Step]) -> None:
        self._build_options = build_options
        self._dependents: dict[str, list[ConcreteSpec]] = {}
        for step in steps:
            for edge in step.spec.edges:
                self._dependents.setdefault(edge.spec.dag_hash(), []).append(step.spec)

    def stage(self, step: Step, task: Task, cancelled: Callable[[], bool]) -> Stage:
        """See :class:`spack.install.interfaces.Sources`."""
        spec = step.spec
        recipe = self._build_options.recipe(spec)
        task.phase("fetch")

        def progress(done: int, total: int | None) -> None:
            if cancelled():
                raise worker_process.Cancelled("the fetch was cancelled")
            task.progress(done, total or 0)

        path = self._build_options.stage_path(spec)
        if path.exists():
            Stage(path, path).destroy()
        if spec.is_develop:
            return self._develop(recipe, spec, path, progress)
        return self._build_options.fetcher.stage(
            recipe,
            str(spec.version),
            path,
            resources=resources_of(recipe, spec),
            patches=self.patches(recipe, spec),
            progress=progress,
        )

    def _develop(self, recipe: Recipe, spec: ConcreteSpec, path: Path, progress: Progress) -> Stage:
        """Return a stage with a copy of the developer's directory, or with itself if editable."""
        build_options = self._build_options
        source = source_directory(spec)
        check_directory(source, spec.name)
        patches = () if is_editable(spec) else self.patches(recipe, spec)
        stage = build_options.fetcher.stage_patches(path, patches, progress)
        made = state_of(spec, build_options.excluded_directories)
        if is_editable(spec):
            return replace(stage, source_path=source, developed=made)
        copy_sources(source, stage.source_path, build_options.excluded_directories)
        return replace(stage, developed=made)

    def fetch(self, spec: ConcreteSpec, task: Task) -> None:
        """Fetch everything that :meth:`stage` needs into the cache."""
        recipe = self._build_options.recipe(spec)
        if spec.is_develop:
            return
        task.phase("fetch")
        self._build_options.fetcher.fetch_all(
            recipe,
            str(spec.version),
            resources=resources_of(recipe, spec),
            patches=self.patches(recipe, spec),
            progress=lambda done, total: task.progress(done, total or 0),
        )

    def patches(self, recipe: Recipe, spec: ConcreteSpec) -> list[tuple[Recipe, PatchRecord]]:
        """Return the recipe's own patches that apply, then those that dependents add."""
        found = [(recipe, patch) for patch in recipe.patches if _holds(spec, patch.when)]
        for dependent in self._dependents.get(spec.dag_hash(), ()):
            owner = self._build_options.recipe(dependent)
            for row in owner.dependencies:
                if row.patches and _holds(dependent, row.when) and spec.satisfies(row.spec):
                    found += [(owner, patch) for patch in row.patches if _holds(spec, patch.when)]
        unique = {patch.sha256 or patch.source: (owner, patch) for owner, patch in found}
        return list(unique.values())


def stage_sources(build_options: BuildOptions, spec: ConcreteSpec, task: Task) -> Stage:
    """Unpack the sources of a node and leave them there.

    :raises StoreError: another process installs the node now, from the same stage.
    """
    sources = StagedSources(build_options, [Step(BUILD, node, ()) for node in spec.traverse()])
    with build_options.store.locks.exclusive(spec.dag_hash(), timeout=0):
        return sources.stage(Step(BUILD, spec, ()), task, lambda: False)


def resources_of(recipe: Recipe, spec: ConcreteSpec) -> list[ResourceRecord]:
    """Return the resources whose condition holds."""
    return [resource for resource in recipe.resources if _holds(spec, resource.when)]


def _holds(spec: ConcreteSpec, when: str) -> bool:
    return not when or spec.satisfies(when)


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
    build_options: BuildOptions, order: BuildRequest, stage: Stage, guard: str
) -> BuildJob:
    """Return the build of one node as data for the worker.

    :param guard: see :attr:`BuildOptions.guard`.
    """
    # What a wheel is kept by names archive and patches, and no resources.
    # A build's requirements are reported by a build only.
    reusable = build_options.is_clean and not build_options.strict_metadata
    keeps_wheels = reusable and build_options.wheels and not stage.resources
    return BuildJob(
        spec=dump([order.spec]),
        hash=order.spec.dag_hash(),
        prefixes={key: str(path) for key, path in order.prefixes.items()},
        stage_path=str(stage.path),
        source_path=str(stage.source_path),
        archive_file=None if stage.archive_file is None else str(stage.archive_file),
        log_path=str(order.log),
        result_path=str(stage.path / "spack-build-result.json"),
        repositories=repository_rows(build_options.recipes),
        patches=tuple(
            PatchFile(str(patch.path), patch.level, patch.working_dir, patch.reverse)
            for patch in stage.patches
        ),
        jobs=order.jobs,
        run_tests=order.tests,
        library_path=build_options.library_path,
        environment_path=str(order.environment),
        keep_venv=build_options.keep_venv,
        background=order.background,
        wheels=str(build_options.wheels) if keeps_wheels else None,
        writable=_writable(build_options, order, stage) if guard == sandbox.PREVENT else None,
        develop=_development(order.spec),
        opened=tuple(_opened(build_options)),
    )


def _opened(build_options: BuildOptions) -> Iterator[str]:
    """Yield log lines about what builds get besides their clean environment; names only."""
    way = "--dirty" if build_options.dirty else "config:build_env:pass"
    if build_options.from_host:
        yield f"passed from your environment ({way}): {', '.join(build_options.from_host)}"
    if build_options.variables:
        names = ", ".join(build_options.variables)
        yield f"set by the configuration (config:build_env:set): {names}"


def _writable(build_options: BuildOptions, order: BuildRequest, stage: Stage) -> tuple[str, ...]:
    roots = [str(repository.root) for repository in build_options.recipes.repositories]
    return sandbox.writable_locations(
        (str(stage.path), str(stage.source_path)),
        str(order.prefix),
        (str(build_options.store.layout.root), *build_options.library_path, *roots),
        build_options.writable,
    )


def _own_and_external(order: BuildRequest) -> tuple[list[str], list[str]]:
    """Return directories that a build might write to by mistake: the store's, the system's."""
    own: list[str] = []
    other_paths: list[str] = []
    for node in order.spec.traverse(DEPTYPES, root=False):
        prefix = order.prefixes.get(node.dag_hash())
        if node.external is None:
            own += [str(prefix)] if prefix is not None else []
            continue
        layout = node.extra_attributes.get("layout")
        if layout:
            base = layout["base_prefix"]
            other_paths += [os.path.join(base, layout[key]) for key in ("purelib", "platlib")]
            # Debian's directories, for users and for its own packages
            other_paths.append(os.path.join(base, "local", "lib", layout["stdlib"]))
            other_paths.append(os.path.join(base, "lib", "python3", "dist-packages"))
    return own, list(dict.fromkeys(other_paths))


def _development(spec: ConcreteSpec) -> str:
    if not spec.is_develop:
        return ""
    return IN_PLACE if is_editable(spec) else COPY


def repository_rows(recipes: RepoPath) -> tuple[RepositoryRow, ...]:
    """Return the repositories as the worker's job lists them."""
    return tuple(RepositoryRow(repo.namespace, str(repo.root)) for repo in recipes.repositories)


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


class _WorkerBuilder:
    """Runs builds in worker processes; see :class:`spack.install.interfaces.NodeBuilder`."""

    def __init__(
        self, build_options: BuildOptions, reporter: Reporter, server: ForkServer | None
    ) -> None:
        self._build_options = build_options
        self._reporter = reporter
        self._server = server

    def build(
        self,
        order: BuildRequest,
        task: Task,
        cancelled: threading.Event,
        started: Callable[[int], None],
    ) -> BuildOutput:
        """Run the worker to its end and give what it says."""
        from spack.actions import metadata  # start-up: an install with nothing to do needs it not

        stage = order.stage
        assert isinstance(stage, Stage)  # made by StagedSources

        source = stage.source_path
        self._report_findings(order, lambda s, r, f: metadata.source_findings(s, r, f, source))

        def on_event(event: Mapping[str, object]) -> None:
            if event.get("event") == "phase":
                task.phase(str(event.get("name")))

        guard = self._build_options.guard
        own, other_paths = _own_and_external(order) if guard == sandbox.UNDO else ([], [])
        before = sandbox.look([*own, *other_paths])
        result = worker_process.run(
            build_job(self._build_options, order, stage, guard),
            build_variables(self._build_options, order.spec, stage.path),
            interpreter=self._build_options.interpreter,
            server=self._server,
            on_start=started,
            on_event=on_event,
            cancelled=cancelled,
        )
        if before:
            sandbox.settle(own, other_paths, before, order.spec.short)
        for message in result.messages:
            self._reporter.warning(f"{order.spec.short}: {message}")
        if result.failure is not None:
            raise self._with_hint(result.failure, order.spec).as_error(
                order.spec.short, str(order.log)
            )
        needed, undeclared = result.requirements, result.undeclared
        self._report_findings(
            order, lambda s, r, f: metadata.hook_findings(s, r, f, needed, undeclared)
        )
        self._report_findings(
            order, lambda s, r, f: metadata.installed_findings(s, r, f, order.prefix)
        )
        facts: dict[str, object] = {
            "phases": {phase.name: round(phase.seconds, 3) for phase in result.phases}
        }
        if self._build_options.dirty:
            facts["dirty"] = True
        elif self._build_options.from_host:
            facts["passed"] = list(self._build_options.from_host)
        if stage.developed:
            facts[DEVELOPED] = stage.developed
        return BuildOutput(list(result.run_environment), facts)

    def _with_hint(self, failure: BuildFailure, spec: ConcreteSpec) -> BuildFailure:
        """Return the failure with the package that has the missing module, if it names one."""
        from spack.actions import metadata  # start-up: see build()

        text = "\n".join((*failure.excerpt, failure.long_message or "", failure.message))
        recipe, recipe_of = self._build_options.recipe(spec), self._build_options.recipes.get
        suggested = metadata.module_hint(text, recipe, recipe_of, spec)
        return replace(failure, hint=suggested) if suggested is not None else failure

    def _report_findings(
        self,
        order: BuildRequest,
        look: Callable[
            [ConcreteSpec, Recipe, Callable[[str], Recipe | None]], list[RequirementFinding]
        ],
    ) -> None:
        """Write what the recipe and the package's needs differ in into the log, and report it.

        Superfluous dependencies do the user no harm, nor do narrow bounds: these are for
        ``spack audit``.

        :raises InstallError: there is something, and the metadata is to be taken strictly.
        """
        spec = order.spec
        recipes = self._build_options.recipes
        found = look(spec, self._build_options.recipe(spec), recipes.get)
        found = [row for row in found if row.kind != "narrow"]
        if not found:
            return
        lines = [f"metadata: {row.kind}: {row}" for row in found]
        with open(order.log, "a", encoding="utf-8") as log:
            log.writelines(f"==> Warning: {line}\n" for line in lines)
        if self._build_options.strict_metadata:
            raise InstallError(
                f"the recipe of {spec.name} and its metadata differ",
                "\n".join(lines),
                facts={"findings": [tuple(row) for row in found]},
                hint="correct the recipe, or install without --strict-metadata",
                ref="metadata",
            )
        for row in found:
            if row.kind == "missing":
                self._reporter.warning(f"{spec.short}: {row}")
