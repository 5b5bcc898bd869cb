"""Answers of the solver that are still true: the same question is answered once.

A question is everything that an answer depends on: the roots, the configuration, what was detected
on the machine, the state of the recipes and of the store, and the code of the solver. Its digest
names a file in ``config:misc_cache``; what is wrong with such a file makes it be written again.
Solutions that depend on something else are not kept: environments, which have a lock file, and what
caches of binaries, upstreams or the package index offer.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from spack.errors import SpackError
from spack.solver.problem import HeldBackRoot, Root, Solution
from spack.spec import dump, load
from spack.util.filesystem import atomic_write

if TYPE_CHECKING:
    from spack.actions.concretizing import ConcretizeOptions
    from spack.config.packages import PackageSettings
    from spack.config.settings import Settings
    from spack.host.platform import Host

__all__ = ["SolutionCache", "question"]

#: How many answers are kept.
MOST = 200

_ENGINE = ("actions", "config", "recipe", "session", "solver", "solver/logic", "spec")


class SolutionCache:
    """The kept answers in one directory, which is made when it is needed."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def read(self, asked: str) -> Solution | None:
        """Return the answer to a question, None if there is none. Cost: 20 us a node."""
        try:
            data = json.loads(self._file(asked).read_bytes())
            nodes = load(data)
            roots = tuple(nodes[digest] for digest in data["roots"])
            held_back = tuple(HeldBackRoot(*row) for row in data["held_back"])
        except (OSError, ValueError, KeyError, TypeError, SpackError):
            return None
        return Solution(roots, held_back=held_back)

    def write(self, asked: str, solution: Solution) -> None:
        """Keep an answer; a directory that cannot be written keeps none."""
        data = {**dump(solution.roots), "held_back": solution.held_back}
        try:
            self.directory.mkdir(parents=True, exist_ok=True)
            atomic_write(self._file(asked), json.dumps(data, separators=(",", ":")))
            self._drop_oldest()
        except OSError:
            return

    def _file(self, asked: str) -> Path:
        return self.directory / f"{hashlib.sha256(asked.encode()).hexdigest()}.json"

    def _drop_oldest(self) -> None:
        entries = list(os.scandir(self.directory))
        if len(entries) > MOST:
            entries.sort(key=lambda entry: entry.stat().st_mtime_ns)
            for entry in entries[: len(entries) - MOST // 2]:
                os.unlink(entry.path)


def question(
    roots: Sequence[Root],
    options: ConcretizeOptions,
    settings: Settings,
    packages: Mapping[str, PackageSettings],
    host: Host,
    database: Path,
    recipes: str,
) -> str:
    """Return the text of a question.

    :param database: the file of the store's database.
    :param recipes: what :meth:`spack.repo.path.RepoPath.identity` says.
    """
    tests = options.tests if isinstance(options.tests, bool) else sorted(options.tests)
    parts: list[object] = [
        [(str(root.spec), root.origin) for root in roots],
        (options.reuse, options.deprecated, tests, options.wheels),
        (settings.concretizer, settings.config.deprecated, sorted(packages.items())),
        (host.platform, host.os, host.targets, host.granularity),
        [_state(f"{database}{suffix}") for suffix in ("", "-wal")],
        recipes,
        _engine(),
    ]
    return "\n".join(map(repr, parts))


def _state(path: str) -> tuple[object, ...]:
    try:
        status = os.stat(path)
    except OSError:
        return (path,)
    return (path, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)


def _engine() -> list[tuple[object, ...]]:
    """Return the state of the code of this tool that decides on answers."""
    package = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    directories = [os.path.join(package, name) for name in _ENGINE]
    return [
        _state(entry.path)
        for directory in directories
        for entry in sorted(os.scandir(directory), key=lambda entry: entry.name)
        if entry.name.endswith((".py", ".lp"))
    ]
