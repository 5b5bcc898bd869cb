"""Small real builds: each package is a shell script that runs in its stage.

Scripts see ``$PREFIX``, ``$JOBS``, ``$STAGE`` and the prefixes of dependencies as ``$DEP_<name>``.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from kits.installs import Folders, MakeServices, Services, Shell
from kits.specs import MakeSpec, make_spec
from spack.store import Layout, Store
from spack.util.report import RecordingReporter


@pytest.fixture
def spec() -> MakeSpec:
    """``spec("name@1.2", dependency, (dependency, ("build",)), external="/usr")``.

    What is not said otherwise is a build and link dependency. A third item names the virtuals.
    """
    return partial(make_spec)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Any]:
    store = Store(Layout(tmp_path / "store"), clock=lambda: 1000.0)
    yield store
    store.close()


@pytest.fixture
def reporter() -> RecordingReporter:
    return RecordingReporter()


@pytest.fixture
def services(store: Store, tmp_path: Path, reporter: RecordingReporter) -> MakeServices:
    """``services(name="script", ...)``: what an install with these builds works with."""

    def make(
        sources: Folders | None = None, *, at: Store | None = None, **scripts: str
    ) -> Services:
        folders = sources or Folders(tmp_path / "stages")
        return Services(at or store, folders, Shell(**scripts), reporter)

    return make


@pytest.fixture
def folders(tmp_path: Path) -> Any:
    """``folders(broken=("name",), delay=0.1)``: sources that do so."""
    return lambda **how: Folders(tmp_path / "stages", **how)


@pytest.fixture
def contents() -> Any:
    """Everything below a root but the store's database and lock files, and build logs."""

    def walk(root: Path) -> list[str]:
        found = []
        for folder, names, files in os.walk(root):
            names[:] = [name for name in names if name not in (".spack-db",)]
            for name in (*names, *files):
                found.append(os.path.relpath(os.path.join(folder, name), root))
        return sorted(found)

    return walk
