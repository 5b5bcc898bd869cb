"""The texts of all events: a row each in :data:`LINES`, :data:`PHASES` or :data:`RESULTS`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Callable, TypeVar

from spack.actions import notices
from spack.install import events
from spack.install.plan import BINARY, BUILD, EXTERNAL, REUSE
from spack.spec.wheel import wheel_of
from spack.util.report import Event, Failed
from spack.util.text import count_of

if TYPE_CHECKING:
    from spack.install.plan import Plan, Step
    from spack.view.apply import ViewResult
    from spack.view.user_distributions import UserDistribution

__all__ = [
    "lines_of",
    "phase_text",
    "plan_lines",
    "result_text",
    "view_lines",
    "view_summary",
    "without_headers",
]

_E = TypeVar("_E", bound=Event)
_R = TypeVar("_R")
_Row = tuple[type[Event], Callable[[Any], _R]]

#: How the steps of a plan are marked, by kind.
_MARKS = {
    BUILD: "[-] build   ",
    BINARY: "[b] binary  ",
    REUSE: "[+] present ",
    EXTERNAL: "[e] external",
}
_WHEEL_MARK = "[w] wheel   "


def plan_lines(plan: Plan) -> list[str]:
    """Return a plan for the user, one step a line, as ``--dry-run`` shows it."""
    return [
        f"{_WHEEL_MARK if _is_wheel(step) else _MARKS[step.kind]} {step.spec.short}"
        f"{'  (again)' if step.overwrite else ''}"
        for step in plan.steps
    ]


def view_lines(result: ViewResult) -> list[str]:
    """Return what the user should know of a view beyond that it was made or changed."""
    lines = list(result.notes)
    whole: set[str] = set()
    unseen = [one for one, _ in result.distributions if result.misses(one)]
    if unseen and result.changed:
        lines.append(_unseen(result, unseen))
    for distribution, location in result.distributions:
        whole.update(distribution.files, distribution.removed)
        if location:
            lines.append(
                f"{distribution.label}, put over {distribution.package}, is kept in "
                f"{location}; what shall change a package of the view belongs into a layer: "
                "spack env layer DIR"
            )
        elif result.changed and distribution not in unseen:
            lines.append(f"kept {distribution.label}, which no package of the view owns")
    repaired = [path for path in result.repaired if path not in whole]
    if repaired:
        lines.append(f"repaired {_some(repaired)}")
    kept = [path for path in result.kept if path not in whole and not path.endswith("/")]
    if kept and result.changed:
        lines.append(f"kept {_some(kept)}, which no package of the view owns")
    for path, location in sorted(result.displaced.items()):
        if path not in whole:
            lines.append(f"{path} was not the view's own; it is kept in {location}")
    return lines


def without_headers(path: str) -> str:
    """Return the line for a compiler that is not used."""
    return (
        f"{path} is not used: it does not find stdio.h; install the headers of the C library "
        "(libc6-dev, glibc-devel, musl-dev)"
    )


def view_summary(result: ViewResult) -> str:
    """Return what happened to a view that was made or changed, in one line."""
    if result.removed is None:
        return f"the view {result.path} shows {count_of(result.entries, 'file')}"
    added = f"{count_of(result.entries, 'file')} added" if result.entries else ""
    removed = f"{result.removed} removed" if result.removed else ""
    what = ", ".join(x for x in (added, removed) if x) or "only its records changed"
    return f"the view {result.path}: {what}"


def _unseen(result: ViewResult, unseen: Sequence[UserDistribution]) -> str:
    folders = ", ".join(sorted({distribution.folder for distribution in unseen}))
    names = " ".join(f"{one.name}=={one.version}" for one in unseen)
    return (
        f"{', '.join(one.label for one in unseen)}: kept in {folders}, where the view's "
        f"Python no longer looks for modules; install again: "
        f"{result.path}/bin/python3 -m pip install {names}"
    )


def _some(paths: Sequence[str], shown: int = 3) -> str:
    """Return a few of *paths*, and how many there are."""
    if len(paths) == 1:
        return paths[0]
    text = ", ".join(paths[:shown])
    rest = len(paths) - shown
    return f"{len(paths)} files ({text}{', …' if rest > 0 else ''})"


def _cloning(event: notices.Cloning) -> str:
    if not event.name:
        return f"cloning {event.url} to {event.location}"
    return f"cloning the repository {event.name} from {event.url} (once) to {event.location}"


def _plan_made(event: events.PlanMade) -> str:
    plan = event.plan
    binaries, wheels = len(plan.binaries), sum(map(_is_wheel, plan.builds))
    cached = f"{binaries} from caches, " if binaries else ""
    cached += f"{wheels} from wheels of the index, " if wheels else ""
    return (
        f"{count_of(len(plan.builds) - binaries - wheels, 'package')} to build, {cached}"
        f"{len(plan.reused)} present, {len(plan.externals)} external"
    )


def _is_wheel(step: Step) -> bool:
    return step.kind == BUILD and wheel_of(step.spec) is not None


def _view_updated(event: notices.ViewUpdated) -> list[str]:
    summary = [view_summary(event.result)] if event.result.changed else []
    return summary + view_lines(event.result)


def _row(kind: type[_E], text: Callable[[_E], _R]) -> _Row[_R]:
    return kind, text


def _one(kind: type[_E], text: Callable[[_E], str]) -> _Row[list[str]]:
    return kind, lambda event: [text(event)]


#: Lines between those of tasks.
LINES: Mapping[type[Event], Callable[[Any], list[str]]] = dict(
    (
        _one(events.RecoveredLeftover, lambda e: str(e.recovered)),
        _one(
            events.WaitingForRemovals, lambda e: f"waiting for {e.holder}, which removes packages"
        ),
        _one(
            events.BuiltAgain,
            lambda e: f"{e.package} is built again, because {e.missing} is missing",
        ),
        _one(
            events.TreeMoved,
            lambda e: (
                f"the install tree is at {e.root} now; files in it may still name "
                f"{', '.join(e.earlier)}"
            ),
        ),
        _one(events.OutputLine, lambda e: f"{e.package.partition('/')[0]}: {e.text}"),
        _one(events.PlanMade, _plan_made),
        _one(events.WaitingForNode, lambda e: f"{e.package}: waiting for {e.holder}"),
        _one(
            events.WaitingForDependency,
            lambda e: f"{e.package}: waiting for {e.dependency}, in use by {e.holder}",
        ),
        _one(
            events.JobLost,
            lambda e: f"{e.package}: job {e.job} ended without an outcome; submitting it again",
        ),
        _one(events.QueueSilent, lambda e: f"{e.system} does not answer; asking it again"),
        _one(events.JobsCancelled, lambda e: f"cancelled {count_of(e.jobs, 'job')}"),
        _one(
            events.JobsStay,
            lambda e: f"{count_of(e.jobs, 'job')} go on; the same command goes on following them",
        ),
        _one(
            events.StoreProbed,
            lambda e: (
                f"the nodes share {e.root}"
                if e.shared
                else "each node has a store of its own; they exchange through the cache"
            ),
        ),
        _one(events.RemovingUnfinished, lambda e: "removing what was half installed, please wait"),
        _one(
            events.InstallInterrupted,
            lambda e: (
                f"interrupted: {e.kept} finished package{'s are' if e.kept != 1 else ' is'} kept, "
                "unfinished ones were removed"
            ),
        ),
        _one(notices.CompilerUnusable, lambda e: without_headers(e.path)),
        _one(notices.Cloning, _cloning),
        _one(
            notices.InterpreterMissing,
            lambda e: f"{', '.join(e.paths)} is missing; the environment is concretized again",
        ),
        _one(
            notices.ToolsMadeAgain,
            lambda e: (
                f"the style tools are {'built' if e.everything else 'concretized'} again: "
                f"{e.reason or 'one of them crashed'}"
            ),
        ),
        _one(notices.ReadingRecipes, lambda e: f"reading {e.count} recipes (once)"),
        _one(
            notices.RecipesChanged,
            lambda e: (
                "recipes have changed since the environment was concretized: "
                f"{', '.join(e.packages)}"
            ),
        ),
        _one(
            notices.Concretized,
            lambda e: (
                f"concretized {count_of(e.roots, 'spec')}, {count_of(e.packages, 'package')} in all"
            ),
        ),
        _one(
            notices.RootHeldBack,
            lambda e: (
                f"{e.root.name}@{e.root.version} instead of {e.root.newer}, "
                f"which needs {e.root.needs}"
            ),
        ),
        _one(notices.SourcesChanged, lambda e: f"{e.package}: {e.directory} has changed"),
        _one(
            notices.DevelopedIsUnused,
            lambda e: f"nothing in {e.environment} needs {e.package} so far: spack add {e.package}",
        ),
        _row(notices.DryRun, lambda e: plan_lines(e.plan)),
        _row(notices.ViewUpdated, _view_updated),
    )
)

#: Phases of a task, as they are shown beside its title.
PHASES: Mapping[type[Event], Callable[[Any], str]] = dict(
    (
        _row(events.Fetching, lambda e: "fetch"),
        _row(events.Queued, lambda e: "queued"),
        _row(events.WaitingForNode, lambda e: f"waiting for {e.holder}"),
        _row(events.WaitingForDependency, lambda e: f"waiting for {e.dependency}"),
        _row(events.Building, lambda e: "build"),
        _row(events.InJob, lambda e: f"job {e.job}"),
        _row(events.InPhase, lambda e: e.name),
        _row(events.Checking, lambda e: "check"),
        _row(events.Removing, lambda e: "remove"),
    )
)

#: Ends of a task, as they are shown after its title.
RESULTS: Mapping[type[Event], Callable[[Any], str]] = dict(
    (
        _row(events.Fetched, lambda e: "fetched"),
        _row(events.Staged, lambda e: "staged"),
        _row(events.Installed, lambda e: str(e.prefix)),
        _row(events.FoundInstalled, lambda e: "installed by another process"),
        _row(events.Removed, lambda e: "removed"),
        _row(events.Skipped, lambda e: "skipped"),
        _row(events.Stopped, lambda e: "stopped"),
        _row(events.TaskInterrupted, lambda e: "interrupted"),
        _row(notices.PackagePushed, lambda e: f"pushed, {e.size / 1e6:.2f} MB"),
        _row(notices.SourcesProvided, lambda e: str(e.directory)),
        _row(Failed, lambda e: str(e.error)),
    )
)


def lines_of(event: Event) -> list[str]:
    """Return the lines of an event that belongs to no task."""
    return LINES[type(event)](event)


def phase_text(phase: Event) -> str:
    """Return the words for a phase of a task."""
    return PHASES[type(phase)](phase)


def result_text(result: Event, title: str) -> str:
    """Return the words for the end of the task *title*, which is shown before them.

    An error of a build begins with its title, which is left out.
    """
    return RESULTS[type(result)](result).replace(f"{title} failed", "failed", 1)
