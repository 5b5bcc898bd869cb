"""The steps of one build: prepare what the recipe sees, run its phases, finish the prefix."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from spack.api import tty
from spack.api.builder import create_builder
from spack.api.context import BuildContext, SpecView, current_build
from spack.api.executable import Executable
from spack.api.tests import PackageTester
from spack.api.when import NoSuchMethodError
from spack.build import job as contract
from spack.build.build_venv import BuildVenv, interpreter_of
from spack.build.clean_environment import STAGE_DIRECTORIES
from spack.build.dependency_roles import Roles, roles
from spack.build.external_modules import external_modules, external_sites
from spack.build.job import BuildJob, PhaseTime
from spack.build.log_excerpt import PHASE_LINE
from spack.build.post_install import correct_records, replace_interpreter
from spack.build.setup import INTERPRETERS, ToolLocations, build_environment, inject_names
from spack.build.wheel_cache import kept_wheel, wheel_key
from spack.build.worker_events import PhaseStarted, WorkerEvents
from spack.build.worker_recipes import NodeRecipes
from spack.errors import FetchError, InstallError
from spack.fetch import patches
from spack.spec import ConcreteSpec, load
from spack.spec.wheel import wheel_of

__all__ = ["NodeBuild", "RecipeStage"]

#: Where the console scripts of Python dependencies are, below the stage.
SCRIPTS = "build-bin"
#: Links to modules of externals, below the stage.
EXTERNALS = "build-externals"
#: The virtual environment of packages that do not extend Python, below the stage.
STAGE_VENV = "build-venv"
#: Prefix of nodes that take no part in a build, such as build dependencies of dependencies.
NOT_INSTALLED = "/nonexistent/not-installed"


@dataclass
class RecipeStage:
    """What recipes see as ``self.stage``."""

    path: str
    source_path: str
    archive_file: str | None
    #: A wheel that an earlier build from the same inputs has made.
    wheel: str | None = None
    #: What the builder has learnt: requirements that a backend names when it is asked,
    requirements: list[str] = field(default_factory=list)
    #: and the files of modules that the project's own code has imported to build itself.
    imports: dict[str, str] = field(default_factory=dict)

    @property
    def expanded(self) -> bool:
        """Whether there are unpacked sources."""
        return os.path.isdir(self.source_path)


class NodeBuild:
    """The steps of one build, in order; :attr:`phase` says where it is."""

    def __init__(self, job: BuildJob, events: WorkerEvents) -> None:
        self.job = job
        self.events = events
        self.phase = ""
        self.times: list[PhaseTime] = []
        nodes = load(job.spec)
        self.recipes = NodeRecipes(job, nodes)
        self.roles: Roles = roles(nodes[job.hash], job.run_tests)
        #: Modules of externals that share a directory with what the build may not see.
        self.external_modules: dict[str, str] = {}
        self.venv = self._venv()
        self.wheel_key = ""
        self.context = BuildContext(
            self._package_class,
            lambda digest: job.prefixes.get(digest, NOT_INSTALLED),
            jobs=job.jobs,
            overrides={
                **{(node.name, "command"): self._script_command for node in self.roles.tools},
                ("python", "command"): self._python_command,
            },
        )
        current_build.set(self.context)

    @property
    def externals(self) -> str:
        """Directory of links to :attr:`external_modules`."""
        return os.path.join(self.job.stage_path, EXTERNALS)

    @property
    def scripts(self) -> str:
        """Directory of the console scripts of Python dependencies, for the build's Python."""
        return os.path.join(self.job.stage_path, SCRIPTS)

    def _package_class(self, digest: str) -> Any:
        """Return the class of a node.

        Python's has the module directories that ``python-venv`` recorded
        it, whatever the recipe asks the interpreter, and before that what the interpreter says of
        its venv's scheme (DESIGN, decision 5).
        """
        found = self.recipes.package_class(digest)
        if self.recipes.name(digest) != "python":
            return found
        names: dict[str, Any] = {}
        if self.venv is not None:
            names.update(platlib=self.venv.base.platlib, purelib=self.venv.base.purelib)
        if not hasattr(found, "layout"):
            names["layout"] = property(_layout)
        names["__module__"] = found.__module__
        return type(found)(found.__name__, (found,), names)

    def _python_command(self, view: SpecView) -> Executable | None:
        return Executable(self.venv.python) if self.venv is not None else None

    def _script_command(self, view: SpecView) -> Executable | None:
        """Return the copy of a dependency's console script; None leaves it to the dependency."""
        path = os.path.join(self.scripts, view.name)
        own = os.path.join(str(view.prefix), "bin", view.name)
        return Executable(path) if os.path.exists(path) and os.path.exists(own) else None

    def _prefix(self, node: ConcreteSpec) -> str:
        return self.job.prefixes[node.dag_hash()]

    def _venv_nodes(self) -> list[ConcreteSpec]:
        nodes = (*self.roles.order, *self.roles.runtime)
        return list({n.dag_hash(): n for n in nodes if n.name == "python-venv"}.values())

    def _venv(self) -> BuildVenv | None:
        """Return the virtual environment of the build; None where no Python tools take part."""
        root = self.roles.root
        own = [edge.spec for edge in root.edges if edge.spec.name == "python-venv"]
        chosen = own or self._venv_nodes()
        if not chosen or root.name == "python-venv":
            return None
        base = interpreter_of(self._prefix(chosen[0]))
        sites: dict[str, None] = {}
        runtime = self.roles.runtime if self.job.run_tests else ()
        tested = (root,) if self.job.task == contract.TEST else ()
        nodes = [n for n in (*tested, *runtime, *self.roles.tools) if n.name != "python-venv"]
        for node in reversed(nodes):
            sites.update(dict.fromkeys(external_sites(node, base)))
            self.external_modules.update(external_modules(node, base))
            for directory in (base.purelib, base.platlib):
                path = os.path.join(self._prefix(node), directory)
                if node.external is None and os.path.isdir(path):
                    sites[path] = None
        if self.external_modules:
            sites[self.externals] = None
        system = chosen[0].variants.get("system_packages")
        inside = bool(own) and self.job.task == contract.BUILD  # else the prefix is not touched
        location = self.job.prefix if inside else os.path.join(self.job.stage_path, STAGE_VENV)
        return BuildVenv(location, base, system is not None and system.value is True, tuple(sites))

    def package(self) -> Any:
        """Return the package object, with its stage."""
        package = self.context.package(self.roles.root)
        job = self.job
        source = job.source_path or job.stage_path
        self.wheel_key = wheel_key(job, self.roles, self.venv, type(package))
        wheel = kept_wheel(job, self.wheel_key)
        package.stage = RecipeStage(job.stage_path, source, job.archive_file, wheel)
        package.run_tests = job.run_tests
        package.tester = PackageTester()
        return package

    def prepare(self) -> Any:
        """Prepare what the first phase needs: directories, venv, names, environment."""
        if self.job.task == contract.BUILD:
            os.makedirs(self.job.prefix, exist_ok=True)
        for directory in STAGE_DIRECTORIES.values():
            os.makedirs(os.path.join(self.job.stage_path, directory), exist_ok=True)
        interpreter = None
        if self.venv is not None:
            interpreter = self.venv.python
            self.venv.create()
            for name, path in self.external_modules.items():
                os.makedirs(self.externals, exist_ok=True)
                os.symlink(path, os.path.join(self.externals, name))
            scripted = [node for node in self.roles.tools if node.name not in INTERPRETERS]
            prefixes = [self._prefix(node) for node in reversed(scripted)]
            venvs = [self._prefix(node) for node in self._venv_nodes()]
            self.venv.copy_scripts(prefixes, venvs, self.scripts)
        package = self.package()
        tools = ToolLocations(interpreter, self.scripts)
        inject_names(self.context, self.roles, self.job.jobs, tools)
        create_builder(package)
        root = self.venv.root if self.venv is not None else None
        env = build_environment(self.context, self.roles, root)
        env.apply_modifications(os.environ)
        self._put_first(package)
        return package

    def _put_first(self, package: Any) -> None:
        """Put compiler wrappers first on PATH, then the scripts of Python tools."""
        first = [p for p in os.environ.get("SPACK_COMPILER_WRAPPER_PATH", "").split(":") if p]
        if self.venv is not None:
            first += [self.scripts, os.path.join(self.venv.root, "bin")]
        os.environ["PATH"] = os.pathsep.join([*first, os.environ["PATH"]])

    def run_phases(self, package: Any) -> None:
        """Apply patches, then run the phases of the builder, each timed."""
        source = self.job.source_path
        if source is not None and os.path.isdir(source):
            if self.job.develop != contract.IN_PLACE:  # the user's own files are not changed
                self._timed("patch", lambda: self._patch(package))
            if self.job.keep_source:
                kept = os.path.join(self.job.prefix, "share", package.name, "src")
                shutil.copytree(source, kept, symlinks=True, dirs_exist_ok=True)
            os.chdir(source)
        else:
            os.chdir(self.job.stage_path)
        phases = list(create_builder(package))
        self._check_until([phase.name for phase in phases])
        for phase in phases:
            tested = phase.name == "install" and self.job.run_tests
            completed = self.copy_own_scripts if tested else _nothing
            self._timed(phase.name, lambda: phase.execute(completed))  # noqa: B023 - called at once
            if phase.name == self.job.until:
                raise InstallError(
                    f"stopped after phase '{phase.name}', as --until asks",
                    "nothing was installed",
                    hint=f"the stage is kept: {self.job.stage_path}",
                    ref=contract.STOPPED,
                )

    def _check_until(self, phases: list[str]) -> None:
        if self.job.until and self.job.until not in phases:
            raise InstallError(
                f"there is no phase '{self.job.until}' to stop after",
                hint=f"the phases are {', '.join(phases)}",
                ref="unknown-phase",
            )

    def copy_own_scripts(self) -> None:
        """Let tests after the install start the package's own scripts.

        Installed ones name the interpreter of ``python-venv``, which sees nothing but itself.
        """
        if self.venv is not None:
            venvs = [self._prefix(node) for node in self._venv_nodes()]
            self.venv.copy_scripts([self.job.prefix], venvs, self.scripts)

    def _timed(self, name: str, step: Any) -> None:
        self.phase = name
        self.events.send(PhaseStarted(name))
        tty.msg(f"{PHASE_LINE}{name}")
        start = time.monotonic()
        step()
        self.times.append(PhaseTime(name, round(time.monotonic() - start, 3)))

    def _patch(self, package: Any) -> None:
        source = str(self.job.source_path)
        os.chdir(source)
        for patch in self.job.patches:
            try:
                _apply(patch, source)
            except FetchError as error:
                if not self.job.develop:
                    raise
                # The developer may have applied it, or be at work on what it is about.
                tty.warn(f"left out, because the sources are developed: {error.message}")
        method = getattr(package, "patch", None)
        if callable(method) and wheel_of(self.roles.root) is None:
            _call_patch(method)

    def finish(self, package: Any) -> None:
        """Undo what only the build needs, and make the prefix true."""
        self.phase = "finish"
        self.events.send(PhaseStarted("finish"))
        os.chdir(self.job.stage_path)
        if self.venv is not None and not self.job.keep_venv:
            self.venv.remove()
            target = self._prefix(self._venv_nodes()[0])
            changed = replace_interpreter(self.job.prefix, self.venv.root, target)
            base = self.venv.base
            correct_records(self.job.prefix, (base.purelib, base.platlib), changed)
        if package.has_code and not any(x != ".spack" for x in os.listdir(self.job.prefix)):
            raise InstallError(
                f"{package.name} installed nothing into its prefix",
                hint="look into the log for where the files went",
            )

    def undeclared(self, imports: Mapping[str, str]) -> tuple[str, ...]:
        """Return ``module package`` for each import from a package that is not a dependency.

        It is there because something else that the recipe depends on needs it.
        """
        declared = {edge.spec.dag_hash() for edge in self.roles.root.edges}
        unlisted = [node for node in self.roles.order if node.dag_hash() not in declared]
        locations = [(os.path.join(self._prefix(node), ""), node.name) for node in unlisted]
        return tuple(
            f"{module} {name}"
            for module, file in sorted(imports.items())
            for location, name in locations
            if file.startswith(location) and location.count("/") > 2
        )


def _call_patch(method: Any) -> None:
    """Call ``patch()`` of the recipe; one whose conditions do not apply does nothing."""
    try:
        method()
    except NoSuchMethodError:
        pass


def _apply(patch: contract.PatchFile, source: str) -> None:
    tty.msg(f"patch: {os.path.basename(patch.path)}")
    patches.apply(
        Path(patch.path),
        Path(source),
        level=patch.level,
        working_dir=patch.working_dir,
        reverse=patch.reverse,
    )


def _layout(package: Any) -> Mapping[str, Any]:
    """Return the layout of a Python whose recipe, such as upstream's, does not know it."""
    from spack.host.interpreter import probe  # start-up: only where upstream's recipes are in use
    from spack.util.helper_process import run

    return probe(package.command.path, run).to_json()


def _nothing() -> None:
    pass
