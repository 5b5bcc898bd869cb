"""What an install needs from other layers, as narrow protocols.

The composition root plugs in what builds (:mod:`spack.build`) and what fetches
(:mod:`spack.fetch`); tests plug in small real programs.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Callable, Protocol

from spack.install.check import PythonPaths
from spack.install.plan import Step
from spack.spec import ConcreteSpec
from spack.store import Manifest, Modes, Store
from spack.util.report import Reporter, Task

__all__ = [
    "NodeBuilder",
    "BuildRequest",
    "BuildOutput",
    "InstallerDependencies",
    "Sources",
    "NodeStage",
]


class NodeStage(Protocol):
    """A folder with verified, unpacked sources, and room to build in."""

    @property
    def path(self) -> Path: ...

    def destroy(self) -> None:
        """Remove it; called when it is no longer needed."""


class Sources(Protocol):
    """Fetches sources onto the disk."""

    def stage(self, step: Step, task: Task, cancelled: Callable[[], bool]) -> NodeStage:
        """Fetch, verify and unpack; also for packages without sources (an empty folder).

        Called in threads, several at once, but for one hash only by the holder of its lock.

        :param cancelled: asked now and then; if it says True, raise anything soon.
        :raises FetchError: with what went wrong.
        """


@dataclass(frozen=True)
class BuildRequest:
    """One build that is to be done.

    :param prefix: exists and is empty but for ``.spack``.
    :param prefixes: by hash, of all nodes of the DAG that are installed, and of this one.
    :param jobs: how many processes the build may run at once.
    :param log: where all output goes.
    :param environment: where the environment of the build is written.
    :param tests: whether the package's own tests run.
    :param background: running builds with more to do should get the processors first.
    """

    spec: ConcreteSpec
    prefix: Path
    prefixes: Mapping[str, Path]
    stage: NodeStage
    jobs: int
    log: Path
    environment: Path
    tests: bool = False
    background: bool = False


@dataclass(frozen=True)
class BuildOutput:
    """A build that succeeded.

    :param run_environment: as ``EnvironmentModifications.to_json`` gives it.
    :param facts: plain data for the install record.
    :param manifest: what is in the prefix, of a builder that runs nothing of the package and has
        set all permissions; None where a walk is to find out.
    """

    run_environment: Any = None
    facts: Mapping[str, Any] = field(default_factory=dict)
    manifest: Manifest | None = None


class NodeBuilder(Protocol):
    """Runs builds in processes of their own."""

    def build(
        self,
        order: BuildRequest,
        task: Task,
        cancelled: threading.Event,
        started: Callable[[int], None],
    ) -> BuildOutput:
        """Do the build and wait for its end. Called in threads, several at once.

        :param task: receives the build's phases.
        :param cancelled: when it is set, the build is to be killed with all its processes.
        :param started: to be called with the process id of the leader of the process group in
            which all of the build runs: if this process dies, the next one ends that group. The
            build should touch nothing before that call has returned, and end if it never does.
        :raises InstallError: if the build failed.
        :raises SpackError: if it was cancelled; all its processes have ended then.
        """


def _no_recipe(spec: ConcreteSpec) -> Path | None:
    return None


def _no_python(spec: ConcreteSpec, prefixes: Mapping[str, Path]) -> PythonPaths | None:
    return None


def _usual_modes(spec: ConcreteSpec) -> Modes:
    return Modes()


@dataclass(frozen=True)
class InstallerDependencies:
    """Everything that an install works with.

    :param recipe: the folder of a node's recipe, to be kept in the prefix.
    :param python: of a Python extension, where its modules belong; given its node and the
        prefixes by hash (its ``python-venv`` has recorded them). None for everything else.
    :param modes: the permissions of what a node installs.
    """

    store: Store
    sources: Sources
    builder: NodeBuilder
    reporter: Reporter
    recipe: Callable[[ConcreteSpec], Path | None] = _no_recipe
    python: Callable[[ConcreteSpec, Mapping[str, Path]], PythonPaths | None] = _no_python
    modes: Callable[[ConcreteSpec], Modes] = _usual_modes
