"""Small real builds: each package is a shell script that runs in its stage.

Scripts see ``$PREFIX``, ``$JOBS``, ``$STAGE`` and the prefixes of dependencies as ``$DEP_<name>``.
"""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from spack.errors import FetchError, InstallError
from spack.install.events import InPhase
from spack.install.interfaces import BuildOutput, BuildRequest, InstallerDependencies
from spack.install.plan import Step
from spack.util.environment_modifications import EnvironmentModifications
from spack.util.filesystem import remove_tree
from spack.util.report import Task

__all__ = ["FolderStage", "Folders", "MakeServices", "Services", "Shell"]

#: What a package does unless a test says otherwise.
DEFAULT = 'mkdir -p "$PREFIX/bin"; echo hello > "$PREFIX/bin/$NAME"'


class FolderStage:
    def __init__(self, path: Path) -> None:
        self.path = path

    def destroy(self) -> None:
        remove_tree(self.path)


class Folders:
    """Sources that are empty folders, or fail."""

    def __init__(self, root: Path, broken: tuple[str, ...] = (), delay: float = 0) -> None:
        self.root = root
        self.broken = broken
        self.delay = delay
        self.fetched: list[str] = []

    def stage(self, step: Step, task: Task, cancelled: Callable[[], bool]) -> FolderStage:
        if self.delay:
            threading.Event().wait(self.delay)
        if step.spec.name in self.broken:
            raise FetchError(f"{step.spec.name}: no such archive", hint="look for another")
        path = self.root / step.hash
        path.mkdir(parents=True, exist_ok=True)
        self.fetched.append(step.spec.name)
        return FolderStage(path)


class Shell:
    """Builds that are shell scripts by name of package."""

    def __init__(self, **scripts: str) -> None:
        self.scripts = scripts
        self.orders: list[BuildRequest] = []

    def build(
        self,
        order: BuildRequest,
        task: Task,
        cancelled: threading.Event,
        started: Callable[[int], None],
    ) -> BuildOutput:
        self.orders.append(order)
        task.phase(InPhase("install"))
        environment = {
            "PATH": os.environ["PATH"],
            "NAME": order.spec.name,
            "PREFIX": str(order.prefix),
            "STAGE": str(order.stage.path),
            "JOBS": str(order.jobs),
        }
        for node in order.spec.traverse(root=False):
            if node.dag_hash() in order.prefixes:
                environment[f"DEP_{node.name}"] = str(order.prefixes[node.dag_hash()])
        order.environment.write_text("".join(f"{k}={v}\n" for k, v in environment.items()))
        with open(order.log, "ab") as log:
            process = subprocess.Popen(
                ["sh", "-ec", f"read go\n{self.scripts.get(order.spec.name, DEFAULT)}"],
                cwd=order.stage.path,
                env=environment,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            started(process.pid)
            assert process.stdin is not None
            process.stdin.write(b"\n")
            process.stdin.close()
            while process.poll() is None:
                if cancelled.wait(0.005):
                    raise InstallError("cancelled", ref="cancelled")
        finally:
            try:
                os.killpg(process.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            process.wait()
        if process.returncode:
            raise InstallError(order.log.read_text().strip().splitlines()[-1])
        changes = EnvironmentModifications()
        changes.prepend_path("PATH", f"{order.prefix}/bin")
        return BuildOutput(run_environment=changes.to_json())


class Services(InstallerDependencies):
    """The dependencies of an installer whose sources are folders and whose builds are scripts."""

    sources: Folders
    builder: Shell


class MakeServices(Protocol):
    """``services(name="script", ...)``: what an install with these builds works with."""

    def __call__(self, sources: Any = None, *, at: Any = None, **scripts: Any) -> Services: ...
