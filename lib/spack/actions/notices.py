"""What use cases report beside what an install does: one frozen class per event, without any text.

The command line has the text of each (:mod:`spack.cli.event_text`).
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from spack.util.frozen import frozen
from spack.util.report import Event

if TYPE_CHECKING:
    # Each is imported where it is made.
    from spack.install.plan import Plan
    from spack.solver.problem import HeldBackRoot
    from spack.view.apply import ViewResult

__all__ = [
    "Cloning",
    "CompilerUnusable",
    "Concretized",
    "DevelopedIsUnused",
    "DryRun",
    "InterpreterMissing",
    "PackagePushed",
    "ReadingRecipes",
    "RecipesChanged",
    "RootHeldBack",
    "SourcesChanged",
    "SourcesProvided",
    "ToolsMadeAgain",
    "ViewUpdated",
]


@frozen
class Cloning(Event):
    """A repository of recipes is cloned from *url*, which has no secrets in it, to *location*.

    :param name: of the configured repository, which is cloned once; "" if the user adds it now.
    """

    url: str
    location: Path
    name: str = ""


@frozen
class PackagePushed(Event):
    """A package was written to a cache: an archive of *size* bytes."""

    size: int


@frozen
class CompilerUnusable(Event):
    """The detected compiler *path* does not find the headers of the C library."""

    path: str


@frozen
class ReadingRecipes(Event):
    """The facts of *count* recipes are computed for the index."""

    count: int


@frozen
class InterpreterMissing(Event):
    """Interpreters that the environment was concretized with were removed from the machine."""

    paths: tuple[str, ...]


@frozen
class RecipesChanged(Event):
    """Recipes of *packages* have changed since the environment was concretized."""

    packages: tuple[str, ...]


@frozen
class Concretized(Event):
    """An environment was concretized: *roots* specs, *packages* nodes in all."""

    roots: int
    packages: int


@frozen
class RootHeldBack(Event):
    """A root is not the newest that was allowed, because no interpreter is built for it."""

    root: HeldBackRoot


@frozen
class SourcesChanged(Event):
    """The developer's directory of *package* has changed since it was installed."""

    package: str
    directory: Path


@frozen
class SourcesProvided(Event):
    """The sources to develop are in *directory*."""

    directory: Path


@frozen
class DevelopedIsUnused(Event):
    """Nothing in *environment* needs *package*, which is to be developed."""

    package: str
    environment: str


@frozen
class DryRun(Event):
    """*plan* would be carried out."""

    plan: Plan


@frozen
class ViewUpdated(Event):
    """A view was made, changed, or found as it should be."""

    result: ViewResult


@frozen
class ToolsMadeAgain(Event):
    """The environment of the style tools is made again.

    :param reason: what was wrong with it.
    :param everything: their install tree, too.
    """

    reason: str
    everything: bool
