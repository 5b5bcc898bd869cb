"""What ran when in an install: a listener that notes it, and what follows from the notes.

:class:`TimelineRecorder` is put between an install and the listener that shows its progress. From
its notes :func:`make_timeline` says of each package when it was fetched and built, what it waited
for, and which packages made the install last as long as it did.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Callable

from spack.install.events import (
    Building,
    Checking,
    Fetching,
    FoundInstalled,
    InPhase,
    Installed,
    PlanMade,
    Queued,
    Skipped,
    WaitingForDependency,
    WaitingForNode,
)
from spack.install.plan import Step
from spack.util.frozen import frozen, replace
from spack.util.report import Event, Reporter, Task

__all__ = ["Period", "Timeline", "TimelineEntry", "TimelineRecorder", "make_timeline"]

#: Kinds of periods by the event that begins them; a phase of a build has its own name besides.
_KINDS: Mapping[type[Event], str] = {
    Fetching: "fetch",
    Queued: "wait",
    WaitingForNode: "wait",
    WaitingForDependency: "wait",
    Building: "build",
    InPhase: "build",
    Checking: "check",
}
_RESULTS: Mapping[type[Event], str] = {
    Installed: "installed",
    FoundInstalled: "installed by another process",
    Skipped: "skipped",
}


@frozen
class Period:
    """A part of a package's time, in seconds from the beginning of the install.

    :ivar kind: ``fetch``, ``wait``, ``build`` or ``check``.
    :ivar name: the phase of the build, or the kind.
    """

    kind: str
    name: str
    begin: float
    end: float


@frozen
class TimelineEntry:
    """One package.

    :ivar result: ``installed``, ``failed``, ``skipped``, or ``installed by another process``.
    :ivar requires: hashes of the packages of this install that it needed.
    :ivar waited_for: the one of them that was ready last, or None.
    """

    hash: str
    title: str
    result: str
    periods: tuple[Period, ...]
    requires: tuple[str, ...] = ()
    waited_for: str | None = None

    @property
    def begin(self) -> float:
        return self.periods[0].begin

    @property
    def end(self) -> float:
        return self.periods[-1].end

    @property
    def work_begin(self) -> float:
        """When its build, or the install of its binary, began; its end if it never did."""
        working = (x.begin for x in self.periods if x.kind in ("build", "check"))
        return next(working, self.end)

    @property
    def fetched(self) -> float:
        """When its sources were ready; 0 if none were fetched."""
        return max((x.end for x in self.periods if x.kind == "fetch"), default=0.0)

    def total(self, kind: str) -> float:
        """Return the seconds of all periods of a kind."""
        return sum(x.end - x.begin for x in self.periods if x.kind == kind)


@frozen
class Timeline:
    """A whole install.

    :ivar entries: in the order in which their work began.
    :ivar critical: hashes of the chain that the end of the install waited for, first to last.
    """

    entries: tuple[TimelineEntry, ...]
    critical: tuple[str, ...]
    seconds: float

    @property
    def by_hash(self) -> Mapping[str, TimelineEntry]:
        return {entry.hash: entry for entry in self.entries}


class _Notes:
    """What is noted of one package."""

    def __init__(self, title: str) -> None:
        self.title = title
        self.events: list[tuple[float, Event]] = []
        self.result: tuple[float, str] | None = None


class TimelineRecorder:
    """Passes everything on to *reporter*, and notes when it was reported."""

    def __init__(self, reporter: Reporter, clock: Callable[[], float] = time.monotonic) -> None:
        self._reporter = reporter
        self._clock = clock
        self._lock = threading.Lock()
        self._notes: dict[str, _Notes] = {}
        self._steps: dict[str, Step] = {}
        self._begin: float | None = None

    def report(self, event: Event) -> None:
        if isinstance(event, PlanMade):
            with self._lock:
                self._begin = self._clock() if self._begin is None else self._begin
                self._steps.update((step.hash, step) for step in event.plan.builds)
        self._reporter.report(event)

    def warning(self, text: str) -> None:
        self._reporter.warning(text)

    def task(self, key: str, title: str) -> Task:
        with self._lock:
            notes = self._notes.setdefault(key, _Notes(title))
        return _NotedTask(self._reporter.task(key, title), notes, self._clock)

    def timeline(self) -> Timeline:
        """Return what was noted so far."""
        with self._lock:
            now, begin = self._clock(), self._begin
            rows = {
                key: _entry(key, notes, self._steps[key], now, begin or 0.0)
                for key, notes in self._notes.items()
                if key in self._steps and (notes.events or notes.result)
            }
        return make_timeline(rows.values())


class _NotedTask:
    def __init__(self, task: Task, notes: _Notes, clock: Callable[[], float]) -> None:
        self._task = task
        self._notes = notes
        self._clock = clock

    def phase(self, phase: Event) -> None:
        self._notes.events.append((self._clock(), phase))
        self._task.phase(phase)

    def progress(self, done: int, total: int) -> None:
        self._task.progress(done, total)

    def finish(self, result: Event) -> None:
        self._end(_RESULTS.get(type(result), "stopped"))
        self._task.finish(result)

    def fail(self, reason: Event) -> None:
        self._end("failed")
        self._task.fail(reason)

    def _end(self, result: str) -> None:
        self._notes.result = self._notes.result or (self._clock(), result)


def _entry(key: str, notes: _Notes, step: Step, now: float, begin: float) -> TimelineEntry:
    end, result = notes.result or (now, "stopped")
    moments = [*((moment, event) for moment, event in notes.events if moment <= end)]
    periods = []
    for (moment, event), following in zip(moments, [*(x for x, _ in moments[1:]), end]):
        kind = _KINDS.get(type(event), "build")
        name = event.name if isinstance(event, InPhase) else kind
        periods.append(Period(kind, name, moment - begin, following - begin))
    if not periods:
        periods = [Period("wait", "wait", end - begin, end - begin)]
    return TimelineEntry(key, notes.title, result, tuple(periods), step.requires)


def make_timeline(entries: Iterable[TimelineEntry]) -> Timeline:
    """Return the timeline of *entries*, with what each waited for and the critical chain."""
    rows = {entry.hash: entry for entry in entries}
    ends = {key: entry.end for key, entry in rows.items()}
    finished = []
    for entry in rows.values():
        needed = [x for x in entry.requires if x in rows]
        last = max(needed, key=ends.__getitem__, default=None)
        finished.append(replace(entry, requires=tuple(needed), waited_for=last))
    finished.sort(key=lambda x: (x.work_begin, x.end, x.title))
    return Timeline(tuple(finished), _critical(finished), max(ends.values(), default=0.0))


def _critical(entries: Sequence[TimelineEntry]) -> tuple[str, ...]:
    """Return the chain of dependencies that ends with what finished last.

    It begins with what waited for nothing, or for its own sources.
    """
    rows = {entry.hash: entry for entry in entries}
    chain = []
    entry = max(entries, key=lambda x: x.end, default=None)
    while entry is not None:
        chain.append(entry.hash)
        before = rows[entry.waited_for] if entry.waited_for is not None else None
        entry = before if before is not None and before.end >= entry.fetched else None
    return tuple(reversed(chain))
