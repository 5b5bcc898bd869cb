"""Frozen options of builds: what they need beside the plan."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Callable

from spack.build import sandbox
from spack.build.clean_environment import passed_names
from spack.build.isolation import has_namespaces
from spack.errors import RecipeError
from spack.fetch.fetcher import Fetcher
from spack.recipe.records import Recipe
from spack.repo import RepoPath
from spack.spec import ConcreteSpec
from spack.store import Modes, Store
from spack.store.layout import path_part
from spack.util.jobserver import Jobserver

__all__ = ["BuildOptions"]


@dataclass(frozen=True)
class BuildOptions:
    """What builds need beside the plan.

    :param host_environment: the user's; only an allow-list of it reaches a build.
    :param stage_root: stages are made below it.
    :param library_path: where a worker finds the engine and its libraries.
    :param interpreter: runs the workers.
    :param passed: names of variables that the configuration lets through.
    :param variables: variables that the configuration sets.
    :param write_policy: how writes outside of stage and prefix are handled.
    :param writable: further paths that builds may write to.
    :param readable: paths in homes and temporary directories that builds see.
    :param network: whether builds reach other machines, or the names of the packages that do.
    :param compiling: variables that say how to compile, see
        :func:`spack.build.clean_environment.compiler_variables`.
    :param stage_name: format of the names of stages.
    :param dirty: let the whole environment of the user through.
    :param wheels: where the wheels of clean builds are kept.
    :param pool: where wheels of the index are unpacked to be linked; None unpacks each again.
    :param strict_metadata: a recipe that differs from the metadata of its sources is an error.
    :param until: names of packages, each with the phase after which its build stops.
    :param keep_source: copy the patched sources of what is built into the prefix.
    :param verbose: report what builds print.
    :param modes: the permissions of what a node installs.
    :param jobserver: gives builds their processes beyond the first.
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
    write_policy: sandbox.WritePolicy = sandbox.PREVENT
    writable: tuple[str, ...] = ()
    readable: tuple[str, ...] = ()
    network: bool | tuple[str, ...] = False
    compiling: Mapping[str, str] = field(default_factory=dict)
    stage_name: str = "spack-stage-{name}-{version}-{hash}"
    dirty: bool = False
    keep_venv: bool = False
    wheels: Path | None = None
    pool: Path | None = None
    strict_metadata: bool = False
    verbose: bool = False
    until: Mapping[str, str] = field(default_factory=dict)
    keep_source: bool = False
    modes: Callable[[ConcreteSpec], Modes] = lambda spec: Modes()
    jobserver: Jobserver | None = None

    @property
    def is_clean(self) -> bool:
        """Whether builds depend on their specs and on nothing that the user has set."""
        return not (self.dirty or self.passed or self.variables or self.compiling)

    def recipe(self, spec: ConcreteSpec) -> Recipe:
        """Return the facts of a node's package.

        :raises RecipeError: no repository has it.
        """
        recipe = self.recipes.of_node(spec)
        if recipe is None:
            raise RecipeError(
                f"no repository has a recipe for {spec.fullname}",
                hint="add the repository that it came from: `spack repo add`",
            )
        return recipe

    @property
    def inherited(self) -> tuple[int, ...]:
        """Descriptors that workers inherit."""
        return () if self.jobserver is None else self.jobserver.descriptors

    def opens_network(self, name: str) -> bool:
        """Return whether the build of the package *name* reaches other machines."""
        return self.network is True or (self.network is not False and name in self.network)

    @property
    def from_host(self) -> tuple[str, ...]:
        """Names of the user's variables that builds get."""
        return passed_names(self.host_environment, self.let_through)

    @property
    def let_through(self) -> tuple[str, ...]:
        """The same as patterns."""
        return ("*",) if self.dirty else self.passed

    @property
    def effective_write_policy(self) -> sandbox.WritePolicy:
        """How writes outside of stage and prefix are handled on this system.

        Builds in the user's own environment may write to paths that it names, such as HOME.
        """
        if self.write_policy != sandbox.PREVENT:
            return self.write_policy
        if self.dirty:
            return sandbox.UNDO
        try:
            from spack.util import landlock  # start-up: ctypes
        except ImportError:  # this interpreter has no ctypes
            return sandbox.UNDO
        prevents = landlock.is_available() or has_namespaces(self.interpreter, self.library_path)
        return sandbox.PREVENT if prevents else sandbox.UNDO

    @property
    def excluded_directories(self) -> tuple[Path, ...]:
        """Directories of the engine among a developer's sources, which are not sources."""
        return (self.stage_root, self.store.root)

    def stage_path(self, spec: ConcreteSpec) -> Path:
        """Return where the sources of a node are unpacked and built."""
        name = spec.format(self.stage_name, {"version": path_part(str(spec.version))})
        return self.stage_root / path_part(name)
