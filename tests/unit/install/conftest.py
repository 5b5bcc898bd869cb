"""Small real builds: each package is a shell script that runs in its stage.

Scripts see ``$PREFIX``, ``$JOBS``, ``$STAGE`` and the prefixes of dependencies as ``$DEP_<name>``.
"""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from pathlib import Path
from typing import Callable

import pytest

from spack.errors import FetchError, InstallError
from spack.install.events import InPhase
from spack.install.interfaces import BuildOutput, BuildRequest, InstallerDependencies
from spack.spec import ConcreteSpec, Edge, External, Version
from spack.store import Layout, Store
from spack.util.environment_modifications import EnvironmentModifications
from spack.util.filesystem import remove_tree
from spack.util.report import RecordingReporter

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

    def stage(self, step, task, cancelled):
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

    def build(self, order: BuildRequest, task, cancelled: threading.Event, started) -> BuildOutput:
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


@pytest.fixture
def spec() -> Callable[..., ConcreteSpec]:
    """``spec("name@1.2", dependency, (dependency, ("build",)), external="/usr")``.

    What is not said otherwise is a build and link dependency. A third item names the virtuals.
    """

    def make(text: str, *dependencies: object, external: str | None = None) -> ConcreteSpec:
        name, _, version = text.partition("@")
        edges = []
        for item in dependencies:
            row = item if isinstance(item, tuple) else (item, ("build", "link"))
            edges.append(Edge(*row))
        return ConcreteSpec(
            name,
            "test",
            Version(version or "1.0"),
            platform="linux",
            os="debian12",
            target="x86_64",
            edges=edges,
            external=External(external) if external else None,
            package_hash=None if external else "0" * 52,
        )

    return make


@pytest.fixture
def store(tmp_path: Path):
    store = Store(Layout(tmp_path / "store"), clock=lambda: 1000.0)
    yield store
    store.close()


@pytest.fixture
def reporter() -> RecordingReporter:
    return RecordingReporter()


@pytest.fixture
def services(store, tmp_path, reporter):
    """``services(name="script", ...)``: what an install with these builds works with."""

    def make(sources: Folders | None = None, *, at: Store | None = None, **scripts: str):
        folders = sources or Folders(tmp_path / "stages")
        return InstallerDependencies(at or store, folders, Shell(**scripts), reporter)

    return make


@pytest.fixture
def folders(tmp_path):
    """``folders(broken=("name",), delay=0.1)``: sources that do so."""
    return lambda **how: Folders(tmp_path / "stages", **how)


@pytest.fixture
def contents():
    """Everything below a root but the store's database and lock files, and build logs."""

    def walk(root: Path) -> list[str]:
        found = []
        for folder, names, files in os.walk(root):
            names[:] = [name for name in names if name not in (".spack-db",)]
            for name in (*names, *files):
                found.append(os.path.relpath(os.path.join(folder, name), root))
        return sorted(found)

    return walk
