"""Machines made of scripts and links in a temporary directory."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from spack.host.search import Search
from spack.util.helper_process import Completed, run


class Counting:
    """A runner that counts the processes it starts."""

    def __init__(self) -> None:
        self.calls: list[Sequence[str]] = []

    def __call__(self, argv: Sequence[str]) -> Completed:
        self.calls.append(tuple(argv))
        return run(argv, timeout=30, env={"PATH": "/usr/bin:/bin"}, cwd="/")


class Machine:
    """Directories with programs."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.runner = Counting()

    def script(self, name: str, output: str = "", status: int = 0, body: str = "") -> Path:
        """Return a program that prints ``output`` whatever it is asked."""
        location = self.root / name
        location.parent.mkdir(parents=True, exist_ok=True)
        location.write_text(f"#!/bin/sh\n{body}\ncat <<'EOF'\n{output}\nEOF\nexit {status}\n")
        location.chmod(0o755)
        return location

    def link(self, name: str, target: Any) -> Path:
        location = self.root / name
        location.parent.mkdir(parents=True, exist_ok=True)
        location.symlink_to(target)
        return location

    def path(self, *names: str) -> list[str]:
        return [str(self.root / name) for name in names]

    def search(self, *names: str, cache: str | None = None) -> Search:
        return Search(self.path(*names), self.runner, cache)


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def base_interpreter() -> str:
    """Return the interpreter behind the one that runs the tests."""
    base = getattr(sys, "_base_executable", None) or sys.executable
    return os.path.realpath(base)


def interpreters() -> list[str]:
    """Real interpreters at hand, by version directory and by name; the running one first."""
    found = {base_interpreter(): None}
    for name in ("python3", *(f"python3.{minor}" for minor in range(6, 16))):
        location = shutil.which(name, path="/usr/local/bin:/usr/bin:/bin")
        if location is not None:
            found[os.path.realpath(location)] = None
    versions = os.path.join(os.environ.get("PYENV_ROOT", ""), "versions")
    if os.environ.get("PYENV_ROOT") and os.path.isdir(versions):
        for version in sorted(os.listdir(versions)):
            location = os.path.join(versions, version, "bin", "python3")
            if os.path.exists(location):
                found[os.path.realpath(location)] = None
    return list(found)
