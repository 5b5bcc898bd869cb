"""How each figure is measured: one function for each group, ids as in :mod:`figures`."""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from pathlib import Path
from typing import Callable

from tool import Failed, Run, Sample, Tool

__all__ = ["MEASURES", "Bench"]

STYLE = """\
spack:
  specs:
  - py-black
  - py-isort
  - py-flake8
  - py-mypy
  view: {view}
  concretizer:
    unify: true
"""

#: Not pure Python, or not built as the other ones are.
_SPECIAL = ("py-librt", "py-mypy", "py-pip", "py-pytokens")


class Bench:
    """The state that measures share: the style environment, once concretized, once installed.

    :param tool: what is measured.
    :param runs: of short commands; longer ones run a part of it.
    """

    def __init__(self, tool: Tool, runs: int) -> None:
        self.tool = tool
        self.runs = runs
        self.few = max(1, runs // 3)
        self._lock: list[Path] = []
        self._installed: list[Path] = []
        self._failure: list[Failed] = []

    def lock(self) -> Path:
        """Return a lock file of the style environment, concretized without anything installed."""
        if not self._lock:
            folder = self.tool.environment("style", STYLE.format(view="false"))
            empty = self.tool.fresh("empty")
            self.tool.run("-e", str(folder), "concretize", tree=empty)
            self._lock.append(folder / "spack.lock")
        return self._lock[0]

    def installed(self) -> Path:
        """Return the style environment, installed into the common tree, with a view."""
        if self._failure:
            raise self._failure[0]
        if not self._installed:
            try:
                self._installed.append(self._install())
            except Failed as error:
                self._failure.append(error)
                raise
        return self._installed[0]

    def _install(self) -> Path:
        kept = self.tool.scratch / "installed"
        if not (kept / "spack.lock").exists():
            made = self.tool.environment("style", STYLE.format(view="view"), self.lock())
            self.tool.run("-e", str(made), "install")
            made.rename(kept)
        self.tool.run("-e", str(kept), "install")
        return kept

    def install(self, builds: int, sources: Path | None) -> tuple[Run, Path]:
        """Return the style environment into a new tree; the run, and the tree."""
        folder = self.tool.environment("style", STYLE.format(view="view"), self.lock())
        tree = self.tool.fresh("store")
        arguments = ("-e", str(folder), "install", "-j2", f"-p{builds}")
        return self.tool.run(*arguments, tree=tree, sources=sources), tree


def simple(*arguments: str) -> Callable[[Bench], Sample]:
    """Return a command without an environment."""

    def measure(bench: Bench) -> Sample:
        return bench.tool.sample(bench.runs, *arguments)

    return measure


def with_store(*arguments: str) -> Callable[[Bench], Sample]:
    """Return a command that looks at what is installed."""

    def measure(bench: Bench) -> Sample:
        bench.installed()
        return bench.tool.sample(bench.runs, *arguments)

    return measure


def in_environment(*arguments: str) -> Callable[[Bench], Sample]:
    """Return a command in the installed style environment."""

    def measure(bench: Bench) -> Sample:
        return bench.tool.sample(bench.runs, "-e", str(bench.installed()), *arguments)

    return measure


def solved(name: str, warm: bool) -> Callable[[Bench], Sample]:
    """``spack spec`` with nothing installed, with or without caches."""

    def measure(bench: Bench) -> Sample:
        tool, empty = bench.tool, bench.tool.fresh("empty")
        if warm:
            tool.run("spec", name, tree=empty)
            count = max(bench.few, 3)
            return Sample.of([tool.run("spec", name, tree=empty) for _ in range(count)])
        return Sample.of(
            [
                tool.run("spec", name, tree=empty, caches=tool.fresh("caches"))
                for _ in range(bench.few)
            ]
        )

    return measure


def activate(bench: Bench) -> Sample:
    """Return the shell text of activating the installed environment."""
    return bench.tool.sample(bench.runs, "env", "activate", "--sh", str(bench.installed()))


def concretize(bench: Bench) -> Sample:
    """Return the style environment, with nothing installed and no lock."""
    tool, empty = bench.tool, bench.tool.fresh("empty")
    bench.lock()
    runs = []
    for _ in range(bench.few):
        folder = tool.environment("style", STYLE.format(view="false"))
        runs.append(tool.run("-e", str(folder), "concretize", tree=empty))
    return Sample.of(runs)


def view(link_type: str) -> Callable[[Bench], Sample]:
    """Make the view, in a new environment each time."""

    def measure(bench: Bench) -> Sample:
        lock = bench.installed() / "spack.lock"
        text = STYLE.format(view=f"{{default: {{root: view, link_type: {link_type}}}}}")
        runs = []
        for _ in range(bench.few):
            folder = bench.tool.environment("view", text, lock)
            runs.append(bench.tool.run("-e", str(folder), "env", "view", "regenerate"))
        return Sample.of(runs)

    return measure


def install(builds: int) -> Callable[[Bench], Iterator[tuple[str, Sample]]]:
    """Return the style environment from sources that are at hand, into a new tree."""

    def measure(bench: Bench) -> Iterator[tuple[str, Sample]]:
        bench.installed()  # has the sources
        sources = bench.tool.only_sources()
        run, tree = bench.install(builds, sources)
        yield f"install-p{builds}", Sample.of([run])
        if builds == 2 and sources is not None:
            yield "install-wheels", Sample.of([bench.install(builds, sources)[0]])
        if builds == 1:
            seconds = bench.tool.package_seconds(run.output, tree)
            pure = [
                value
                for name, value in seconds.items()
                if name.startswith("py-") and name not in _SPECIAL
            ]
            if pure:
                yield "pure", Sample.of_seconds([statistics.median(pure)])

    return measure


def one(name: str, measure: Callable[[Bench], Sample]) -> Callable[..., Iterator]:
    """Return a measure that gives one figure."""

    def measured(bench: Bench) -> Iterator[tuple[str, Sample]]:
        yield name, measure(bench)

    return measured


#: Figures that a measure gives -> the measure. Those that need no installed packages come first.
MEASURES: dict[tuple[str, ...], Callable[[Bench], Iterator[tuple[str, Sample]]]] = {
    ("version",): one("version", simple("--version")),
    ("env-list",): one("env-list", simple("env", "list")),
    ("flake8-warm",): one("flake8-warm", solved("py-flake8", warm=True)),
    ("flake8-cold",): one("flake8-cold", solved("py-flake8", warm=False)),
    ("black-warm",): one("black-warm", solved("py-black", warm=True)),
    ("black-cold",): one("black-cold", solved("py-black", warm=False)),
    ("concretize",): one("concretize", concretize),
    ("install-p1", "pure"): install(1),
    ("install-p2", "install-wheels"): install(2),
    ("find",): one("find", with_store("find")),
    ("load",): one("load", with_store("load", "--sh", "py-black")),
    ("activate",): one("activate", activate),
    ("concretize-again",): one("concretize-again", in_environment("concretize")),
    ("install-nothing",): one("install-nothing", in_environment("install")),
    ("view-symlink",): one("view-symlink", view("symlink")),
    ("view-hardlink",): one("view-hardlink", view("hardlink")),
    ("view-copy",): one("view-copy", view("copy")),
    ("view-unchanged",): one("view-unchanged", in_environment("env", "view", "regenerate")),
}
