"""The child's side of a build: one process, one package.

Started by :mod:`spack.build.worker_process` in the clean environment. Everything that the recipe
does happens here: loading it, its hooks, patches, phases. Standard output and error are the log.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import time
import traceback
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from spack.api import tty
from spack.api.builder import create_builder
from spack.api.context import BuildContext, SpecView, current_build
from spack.api.executable import Executable, ProcessError
from spack.api.tests import PackageTester, TestFailure
from spack.api.when import NoSuchMethodError
from spack.build import job as contract
from spack.build import sandbox
from spack.build.build_venv import BuildVenv, external_sites, interpreter_of
from spack.build.clean_environment import STAGE_DIRECTORIES, kept_value
from spack.build.dependency_roles import Roles, roles
from spack.build.job import BuildFailure, BuildJob, BuildResult, PhaseTime
from spack.build.log_excerpt import excerpt, hint
from spack.build.post_install import correct_records, replace_interpreter
from spack.build.setup import (
    INTERPRETERS,
    ToolLocations,
    build_environment,
    inject_names,
    run_environment,
)
from spack.build.wheel_cache import keep, kept_wheel, wheel_directory
from spack.build.worker_entry import await_leave, reset_signals, step_back
from spack.errors import FetchError, InstallError, RecipeError, SpackError
from spack.fetch import patches
from spack.recipe.package_names import directory_name
from spack.repo.finder import install_finder
from spack.repo.load_class import load_class
from spack.repo.repository import Repository
from spack.spec import ConcreteSpec, load

__all__ = ["main"]

#: Where the console scripts of Python dependencies are, below the stage.
SCRIPTS = "build-bin"
#: The virtual environment of packages that do not extend Python, below the stage.
STAGE_VENV = "build-venv"
#: Prefix of nodes that take no part in a build, such as build dependencies of dependencies.
NOT_INSTALLED = "/nonexistent/not-installed"


#: Begins the line of the log that a phase begins with.
_PHASE = "phase: "


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


class Events:
    """Writes events for the parent, a JSON line each; silent without a descriptor."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        if descriptor >= 0:
            os.set_inheritable(descriptor, False)

    def send(self, event: str, **facts: Any) -> None:
        """Write one event; a parent that no longer listens does not disturb."""
        if self._descriptor >= 0:
            with contextlib.suppress(OSError):
                os.write(self._descriptor, json.dumps({"event": event, **facts}).encode() + b"\n")


class Recipes:
    """The package classes of the nodes of a graph."""

    def __init__(self, job: BuildJob, nodes: Mapping[str, ConcreteSpec]) -> None:
        self._repositories = [Repository.open(Path(row.root)) for row in job.repositories]
        self._nodes = nodes
        install_finder(self._repositories)

    def package_class(self, digest: str) -> Any:
        """Return the class of the node with hash *digest*.

        :raises RecipeError: no repository has it, or it cannot be loaded.
        """
        node = self._nodes[digest]
        own = [x for x in self._repositories if x.namespace == node.namespace]
        for repository in (*own, *self._repositories):
            if repository.exists(node.name):
                return load_class(repository, directory_name(node.name))
        raise RecipeError(
            f"there is no recipe for {node.name}",
            hint="a repository that had it when the spec was concretized may be missing",
        )

    def name(self, digest: str) -> str:
        """Return the name of the node with hash *digest*."""
        return self._nodes[digest].name

    def line_of(self, exc: BaseException) -> str | None:
        """Return ``file:line`` of the innermost frame of *exc* in a recipe."""
        roots = tuple(str(repository.packages) + os.sep for repository in self._repositories)
        found = None
        for frame in traceback.extract_tb(exc.__traceback__):
            if frame.filename.startswith(roots):
                found = f"{frame.filename}:{frame.lineno}"
        return found


class Build:
    """The steps of one build, in order; :attr:`phase` says where it is."""

    def __init__(self, job: BuildJob, events: Events) -> None:
        self.job = job
        self.events = events
        self.phase = ""
        self.times: list[PhaseTime] = []
        nodes = load(job.spec)
        self.recipes = Recipes(job, nodes)
        self.roles: Roles = roles(nodes[job.hash], job.run_tests)
        self.venv = self._venv()
        self.wheels: str | None = None
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
        nodes = [n for n in (*runtime, *self.roles.tools) if n.name != "python-venv"]
        for node in reversed(nodes):
            sites.update(dict.fromkeys(external_sites(node, base)))
            for directory in (base.purelib, base.platlib):
                path = os.path.join(self._prefix(node), directory)
                if node.external is None and os.path.isdir(path):
                    sites[path] = None
        system = chosen[0].variants.get("system_packages")
        inside = bool(own) and self.job.task == contract.BUILD  # else the prefix is not touched
        location = self.job.prefix if inside else os.path.join(self.job.stage_path, STAGE_VENV)
        return BuildVenv(location, base, system is not None and system.value is True, tuple(sites))

    def package(self) -> Any:
        """Return the package object, with its stage."""
        package = self.context.package(self.roles.root)
        job = self.job
        source = job.source_path or job.stage_path
        self.wheels = wheel_directory(job, self.roles, self.venv, type(package))
        wheel = kept_wheel(self.wheels)
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

    def confine(self) -> tuple[str, ...]:
        """Restrict the build, from now on, to its own directories, if it is to be restricted.

        What comes before is the engine, and hooks of recipes that set variables and names.
        """
        job = self.job
        if job.writable is None:
            return ()
        from spack.util import landlock  # start-up: ctypes

        # Programs open /dev/stdout again, which is the log.
        writable = [*job.writable, job.log_path]
        if self.wheels is not None:
            location = os.path.dirname(self.wheels)
            os.makedirs(location, exist_ok=True)
            writable.append(location)
        for location in job.writable:
            # what is not there cannot be let through: the cache of a compiler, for instance
            with contextlib.suppress(OSError):
                os.makedirs(location, exist_ok=True)
        landlock.restrict_writes(writable)
        return tuple(writable)

    def run_phases(self, package: Any) -> None:
        """Apply patches, then run the phases of the builder, each timed."""
        source = self.job.source_path
        if source is not None and os.path.isdir(source):
            if self.job.develop != contract.IN_PLACE:  # the user's own files are not changed
                self._timed("patch", lambda: self._patch(package))
            os.chdir(source)
        else:
            os.chdir(self.job.stage_path)
        for phase in create_builder(package):
            tested = phase.name == "install" and self.job.run_tests
            completed = self._copy_own_scripts if tested else _nothing
            self._timed(phase.name, lambda: phase.execute(completed))  # noqa: B023 - called at once

    def _copy_own_scripts(self) -> None:
        """Let tests after the install start the package's own scripts.

        Installed ones name the interpreter of ``python-venv``, which sees nothing but itself.
        """
        if self.venv is not None:
            venvs = [self._prefix(node) for node in self._venv_nodes()]
            self.venv.copy_scripts([self.job.prefix], venvs, self.scripts)

    def _timed(self, name: str, step: Any) -> None:
        self.phase = name
        self.events.send("phase", name=name)
        tty.msg(f"{_PHASE}{name}")
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
        if callable(method):
            _call_patch(method)

    def finish(self, package: Any) -> None:
        """Undo what only the build needs, and make the prefix true."""
        self.phase = "finish"
        self.events.send("phase", name="finish")
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
        keep(self.job, self.wheels)

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


def execute(job: BuildJob, events: Events) -> BuildResult:
    """Run the build; every error becomes part of the result."""
    build = None
    try:
        build = Build(job, events)
        package = build.prepare()
        if job.task == contract.ENVIRONMENT:
            return BuildResult(ok=True, environment=dict(os.environ))
        _keep_environment(job)
        for line in job.opened:
            tty.msg(line)
        writable = build.confine()
        build.run_phases(package)
        build.finish(package)
        changes = run_environment(build.context, build.roles)
        messages = _ignored_refusals(job, writable)
        return BuildResult(
            True,
            None,
            tuple(build.times),
            tuple(changes.to_json()),
            environment={},
            messages=messages,
            requirements=tuple(package.stage.requirements),
            undeclared=build.undeclared(package.stage.imports),
        )
    except BaseException as exc:
        return _failed(job, build, exc)


def _layout(package: Any) -> Mapping[str, Any]:
    """Return the layout of a Python whose recipe, such as upstream's, does not know it."""
    from spack.host.interpreter import probe  # start-up: only where upstream's recipes are in use
    from spack.util.helper_process import run

    return probe(package.command.path, run).to_json()


def _keep_environment(job: BuildJob) -> None:
    """Write the environment beside the log, for examining a failure."""
    variables = sorted(os.environ.items())
    lines = [f"{name}={kept_value(name, value)}\n" for name, value in variables]
    beside = Path(job.log_path).with_name("spack-build-env.txt")
    path = Path(job.environment_path) if job.environment_path else beside
    path.write_text("".join(lines), encoding="utf-8", errors="surrogateescape")


def _ignored_refusals(job: BuildJob, writable: tuple[str, ...]) -> tuple[str, ...]:
    """Return the paths that the build could not write and continued without."""
    if not writable:
        return ()
    with open(job.log_path, encoding="utf-8", errors="replace") as log:
        paths = sandbox.refused(log, writable)
    return (f"could not write outside of its prefix: {sandbox.describe(paths)}",) if paths else ()


def _failed(job: BuildJob, build: Build | None, exc: BaseException) -> BuildResult:
    recipe = build.recipes.line_of(exc) if build is not None else None
    text = "".join(traceback.format_exception(type(exc), exc, exc.__traceback__))
    lines: list[str] = []
    if not isinstance(exc, RecipeError):
        with contextlib.suppress(OSError):
            content = Path(job.log_path).read_text(encoding="utf-8", errors="replace")
            lines = content.rpartition(_PHASE)[2].splitlines()
    shown = tuple(excerpt(lines)) if build is not None and build.phase else ()
    if not isinstance(exc, SpackError):
        # The error is the recipe's own: its line says more than the log does.
        shown = (_recipe_source(recipe),) if recipe else shown
    elif not isinstance(exc, (ProcessError, TestFailure)) and exc.long_message:
        # So is this one, with its own explanation; that of tests is in the log.
        shown = ()
    message = _message(exc)
    way_out = getattr(exc, "hint", None) or hint((*shown, message))
    ref = getattr(exc, "ref", "recipe-error")
    paths = sandbox.refused((*lines, message), job.writable) if job.writable is not None else ()
    if paths:
        message = f"it may not write outside of its prefix: {sandbox.describe(paths)} ({message})"
        way_out, ref = sandbox.HINT, sandbox.REF
    tty.error(text.rstrip())
    failure = BuildFailure(
        kind=type(exc).__name__,
        message=message,
        long_message=getattr(exc, "long_message", None),
        hint=way_out,
        phase=build.phase if build is not None else "",
        recipe=recipe,
        excerpt=shown,
        traceback=text,
        ref=ref,
    )
    times: tuple[PhaseTime, ...] = tuple(build.times) if build is not None else ()
    return BuildResult(ok=False, failure=failure, phases=times)


def _message(exc: BaseException) -> str:
    """Return the line for the error: for a program its name and status."""
    if isinstance(exc, ProcessError) and "status" in exc.facts:
        program, *args = exc.facts["command"]
        name = os.path.basename(program)
        if args[:1] == ["-m"]:
            name = f"{name} -m {args[1]}"
        return f"{name} exited with status {exc.facts['status']}"
    return str(exc) if isinstance(exc, SpackError) else f"{type(exc).__name__}: {exc}"


def _nothing() -> None:
    pass


def _recipe_source(location: str) -> str:
    """Return the line of a recipe that ``file:line`` names."""
    path, _, line = location.rpartition(":")
    with contextlib.suppress(OSError, ValueError, IndexError):
        lines = Path(path).read_text(encoding="utf-8", errors="replace").splitlines()
        return lines[int(line) - 1].rstrip()
    return location


def main(job_path: str, events: int = -1, lifeline: int = -1) -> int:
    """Do the job in the file *job_path*; the status is 0 for a package that was installed."""
    reset_signals()
    if lifeline >= 0:
        await_leave(lifeline)
    # The engine is found through this; programs that the build starts must not see it.
    sys.argv[1:] = []
    os.umask(0o022)  # what is installed is the same for every user
    tty.verbose.set(True)
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]  # a text stream here
    job = contract.read(job_path, BuildJob)
    if job.background:
        step_back()
    result = execute(job, Events(events))
    contract.write(job.result_path, result)
    return 0 if result.ok else 1
