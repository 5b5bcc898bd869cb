"""What an install and a removal report: one frozen class per event, without any text.

The command line has the text of each (:mod:`spack.cli.event_text`). The first group are phases of
a task, the second its results, the third what concerns the whole install.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from spack.util.frozen import frozen
from spack.util.report import Event

if TYPE_CHECKING:
    from spack.install.plan import Plan
    from spack.store.journal import Recovered
    from spack.util.lock import Holder

__all__ = [
    "Building",
    "BuiltAgain",
    "Checking",
    "Fetched",
    "Fetching",
    "FoundInstalled",
    "InPhase",
    "InJob",
    "JobLost",
    "JobsCancelled",
    "JobsStay",
    "QueueSilent",
    "StoreProbed",
    "InstallInterrupted",
    "Installed",
    "OutputLine",
    "PlanMade",
    "Queued",
    "RecoveredLeftover",
    "Removed",
    "Removing",
    "RemovingUnfinished",
    "Skipped",
    "Staged",
    "Stopped",
    "TaskInterrupted",
    "TreeMoved",
    "WaitingForDependency",
    "WaitingForNode",
    "WaitingForRemovals",
]


@frozen
class Fetching(Event):
    """The sources are fetched."""


@frozen
class Queued(Event):
    """The task waits for its turn; this need not be shown, nor does its time count."""


@frozen
class WaitingForNode(Event):
    """The node *package* is locked by another process, *holder*."""

    package: str
    holder: Holder


@frozen
class WaitingForDependency(Event):
    """The build of *package* needs *dependency*, which *holder* replaces or removes."""

    package: str
    dependency: str
    holder: Holder


@frozen
class Building(Event):
    """The build starts."""


@frozen
class InPhase(Event):
    """The build is in the phase *name* of its builder."""

    name: str


@frozen
class Checking(Event):
    """The installed files are checked."""


@frozen
class Removing(Event):
    """The package is removed."""


@frozen
class Fetched(Event):
    """The sources are in the cache."""


@frozen
class Staged(Event):
    """The sources are unpacked at *path*."""

    path: Path


@frozen
class Installed(Event):
    """The package is installed at *prefix*."""

    prefix: Path


@frozen
class FoundInstalled(Event):
    """Another process has installed the package meanwhile."""


@frozen
class Removed(Event):
    """The package is removed."""


@frozen
class Skipped(Event):
    """The package was not tried, because something that it needs failed."""


@frozen
class Stopped(Event):
    """The build was stopped because of the failure of another one (``--fail-fast``)."""


@frozen
class TaskInterrupted(Event):
    """The user ended the command while the task was running."""


@frozen
class RecoveredLeftover(Event):
    """What a process that died left in the install tree was cleaned up."""

    recovered: Recovered


@frozen
class WaitingForRemovals(Event):
    """No package can be installed while *holder* removes packages."""

    holder: Holder


@frozen
class BuiltAgain(Event):
    """*package* is in the database, but *missing*, its prefix, is not there."""

    package: str
    missing: Path


@frozen
class TreeMoved(Event):
    """The install tree is at *root*, and files in it may still name the *earlier* ones."""

    root: Path
    earlier: tuple[str, ...]


@frozen
class OutputLine(Event):
    """The build of *package* has printed *text*."""

    package: str
    text: str


@frozen
class PlanMade(Event):
    """*plan* is carried out now."""

    plan: Plan


@frozen
class RemovingUnfinished(Event):
    """The user interrupts again while unfinished installs are removed."""


@frozen
class InstallInterrupted(Event):
    """The user has ended the command; *kept* packages were finished and stay."""

    kept: int


@frozen
class InJob(Event):
    """The build waits in *job* of a batch system."""

    job: str


@frozen
class JobLost(Event):
    """*job*, which was to build *package*, ended without an outcome; another one is submitted."""

    package: str
    job: str


@frozen
class QueueSilent(Event):
    """The batch system *system* does not answer; it is asked again."""

    system: str


@frozen
class JobsCancelled(Event):
    """The user has ended the command; *jobs* jobs were cancelled."""

    jobs: int


@frozen
class JobsStay(Event):
    """The command ends because of its shell; *jobs* jobs go on."""

    jobs: int


@frozen
class StoreProbed(Event):
    """The nodes of the cluster share the install tree *root*, or each has one of its own."""

    root: Path
    shared: bool
