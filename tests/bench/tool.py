"""A package manager that is measured: this one, or real Spack.

Both read ``~/.spack``, so each gets a home of its own in the scratch directory, and nothing else
of the user's environment. What is timed is always a whole process, started from here. Every
timed run that makes files makes them in a directory that did not exist before: file systems that
have just seen many deletions are slow for minutes.
"""

from __future__ import annotations

import itertools
import json
import os
import re
import shutil
import statistics
import subprocess
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

__all__ = ["Failed", "Peer", "Run", "Sample", "Tool"]

#: A package that was installed, and its seconds, in the output of either.
_OURS = re.compile(r"^==> (?P<name>[\w-]+)@\S+: /.* \((?P<seconds>[\d.]+)s\)$", re.MULTILINE)


class Failed(Exception):  # noqa: N818 - control flow, not an error
    """A measured command ended with an error: which one, and below it what it said."""


class Run(NamedTuple):
    """One process: wall seconds, seconds of processors of it and its children, MiB at most."""

    wall: float
    cpu: float
    memory: float
    output: str


class Sample(NamedTuple):
    """Several runs of one thing."""

    wall: float
    best: float
    cpu: float
    memory: float
    runs: int

    @classmethod
    def of(cls, runs: Sequence[Run]) -> Sample:
        """Medians, and the fastest."""
        return cls(
            statistics.median(run.wall for run in runs),
            min(run.wall for run in runs),
            statistics.median(run.cpu for run in runs),
            max(run.memory for run in runs),
            len(runs),
        )

    @classmethod
    def of_seconds(cls, seconds: Iterable[float]) -> Sample:
        """From wall times that the tool says itself."""
        return cls.of([Run(value, 0.0, 0.0, "") for value in seconds])


class Tool:
    """One installation of ``spack`` with a home of its own.

    :param root: the checkout.
    :param scratch: everything is written below it.
    :param config: sections of ``~/.spack``, YAML text by name.
    :param variables: further environment variables.
    :param sources: where its downloads are, if wheels that it built are kept beside them.
    """

    def __init__(
        self,
        root: Path,
        scratch: Path,
        config: dict[str, str] | None = None,
        variables: dict[str, str] | None = None,
        sources: Path | None = None,
    ) -> None:
        self.root = root
        self.scratch = scratch
        self.home = scratch / "home"
        self.tree = scratch / "store"
        self._numbers = itertools.count(1)
        self._variables = variables or {}
        self._sources = sources
        configuration = self.home / ".spack"
        configuration.mkdir(parents=True, exist_ok=True)
        for section, text in (config or {}).items():
            (configuration / f"{section}.yaml").write_text(text, encoding="utf-8")

    def fresh(self, name: str) -> Path:
        """Return a path below the scratch directory that does not exist."""
        while True:
            path = self.scratch / f"{name}-{next(self._numbers)}"
            if not path.exists():
                return path

    def only_sources(self) -> Path | None:
        """Return a new source cache with all downloads and nothing that was built from them."""
        if self._sources is None:
            return None

        def without_wheels(folder: str, names: list[str]) -> list[str]:
            return ["wheels"] if Path(folder) == self._sources else []

        location = self.fresh("sources")
        shutil.copytree(self._sources, location, symlinks=True, ignore=without_wheels)
        return location

    def run(
        self,
        *arguments: str,
        tree: Path | None = None,
        caches: Path | None = None,
        sources: Path | None = None,
    ) -> Run:
        """Run one command to its end.

        :param tree: the install tree, if not the common one.
        :param caches: where what can be computed again is, if not in the home directory.
        :param sources: the source cache, if not the usual one.
        :raises Failed: its status is not 0.
        """
        config = [f"config:install_tree:root:{tree or self.tree}"]
        config.append(f"config:build_stage:[{self.scratch / 'stage'}]")
        if sources is not None:
            config.append(f"config:source_cache:{sources}")
        options = [word for item in config for word in ("-c", item)]
        command = [str(self.root / "bin" / "spack")]
        command += list(arguments) if arguments == ("--version",) else [*options, *arguments]
        environment = {"HOME": str(self.home), "PATH": "/usr/bin:/bin", **self._variables}
        if caches is not None:
            environment["SPACK_USER_CACHE_PATH"] = str(caches)
        log = self.scratch / "output.txt"
        with log.open("wb") as stream:
            start = time.perf_counter()
            process = subprocess.Popen(
                command,
                env=environment,
                cwd=self.scratch,
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=subprocess.STDOUT,
            )
            _, status, usage = os.wait4(process.pid, 0)
            wall = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        output = log.read_text(encoding="utf-8", errors="replace")
        if process.returncode != 0:
            lines = output.splitlines()
            shown = [line for line in lines if "Error" in line][:5] or lines[-5:]
            what = f"spack {' '.join(arguments)}: status {process.returncode}"
            raise Failed("\n".join([what, *shown]))
        return Run(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, output)

    def sample(self, count: int, *arguments: str) -> Sample:
        """Return the same command several times, once more before to warm caches up."""
        self.run(*arguments)
        return Sample.of([self.run(*arguments) for _ in range(count)])

    def environment(self, name: str, text: str, lock: Path | None = None) -> Path:
        """Return a new environment directory with that manifest, and a copy of a lock file."""
        folder = self.fresh(name)
        folder.mkdir()
        (folder / "spack.yaml").write_text(text, encoding="utf-8")
        if lock is not None:
            shutil.copyfile(lock, folder / "spack.lock")
        return folder

    def package_seconds(self, output: str, tree: Path) -> dict[str, float]:
        """Seconds of each package that an install took, by name; empty if it does not say."""
        return {match["name"]: float(match["seconds"]) for match in _OURS.finditer(output)}


class Peer(Tool):
    """Real Spack."""

    def package_seconds(self, output: str, tree: Path) -> dict[str, float]:
        """Return the seconds that the tool wrote into the prefixes."""
        found: dict[str, float] = {}
        for path in tree.glob("**/.spack/install_times.json"):
            data = json.loads(path.read_text(encoding="utf-8"))
            name = path.parent.parent.name
            found[re.sub(r"-\d.*", "", name)] = float(data["total"]["seconds"])
        return found
