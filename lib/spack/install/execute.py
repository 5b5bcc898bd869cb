"""Carrying out a plan: fetches run ahead, builds run side by side, failures stay local.

One thread (the caller's) decides; it alone starts fetches and builds, which run in threads of
their own and report their end through a queue. The states that a build goes through are the table
of :mod:`spack.install.node_state`.

The node's lock is taken before fetching
and kept to the end. If another process has it, the build is put off and others are done
meanwhile; once the lock is free the database shows whether the other installed it, which is
then reused. Locks are taken dependencies first, and what is locked lowest can always be built, so
processes with overlapping plans cannot block each other.

What the longest chain of builds waits for comes first, in fetching and in building; chains are
weighed by what compiles in them (:class:`spack.install.plan.Step`).

Jobs are one budget for all builds: each gets its share of what is free when it starts, at
least one. Builds that compile share it among themselves only, since the rest hardly ever use
more than one, and run in the background of those: what waits for a compiler waits longest.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Callable

from spack.errors import StoreError
from spack.install.bookkeeping import record_present
from spack.install.events import (
    FoundInstalled,
    Installed,
    InstallInterrupted,
    RemovingUnfinished,
    Skipped,
    Stopped,
    TaskInterrupted,
)
from spack.install.install_report import InstallFailure, InstallReport
from spack.install.interfaces import InstallerDependencies
from spack.install.node_run import NodeRun
from spack.install.node_state import (
    OPEN,
    BuildStarted,
    BuildSucceeded,
    BuiltElsewhere,
    FetchStarted,
    GivenUp,
    NodeEvent,
    NodeState,
    StepFailed,
)
from spack.install.plan import Plan, Step
from spack.spec import DEPTYPES, traverse_all
from spack.util.report import Failed

__all__ = ["Schedule", "execute"]

#: Seconds between looks at locks that other processes hold.
_LOCK_INTERVAL = 0.1

#: Seconds that a cancelled fetch gets to notice.
_FETCH_PATIENCE = 2.0


@dataclass(frozen=True)
class Schedule:
    """How a plan is carried out.

    :param concurrent: builds at once.
    :param jobs: the budget of processes that all builds share.
    :param fetches: fetches at once.
    :param ahead: how many steps may be fetched and not yet built. What could be built at once
        is fetched all the same when too little of that is there.
    :param fail_fast: after the first failure stop everything, also what runs.
    :param keep_stage: keep stages of successful builds too; those of failed ones stay anyway.
    """

    concurrent: int = 1
    jobs: int = 1
    fetches: int = 4
    ahead: int = 12
    fail_fast: bool = False
    keep_stage: bool = False


def execute(
    plan: Plan,
    services: InstallerDependencies,
    schedule: Schedule = Schedule(),
) -> InstallReport:
    """Do all of *plan* that can be done.

    What is installed already is marked as explicit where the plan says so, and externals are
    recorded. Failures are in the report, not raised.

    :raises StoreError: if the install tree cannot be used at all.
    :raises KeyboardInterrupt: on Ctrl-C, after all builds have been stopped and what was half
        installed is removed; what was finished stays.
    """
    record_present(plan, services.store)
    return _Execution(plan, services, schedule).run()


@dataclass
class _Execution:
    """One run of a plan. Only what :meth:`_spawn` is given runs in other threads."""

    plan: Plan
    services: InstallerDependencies
    schedule: Schedule
    events: queue.Queue[tuple[NodeRun, NodeEvent]] = field(default_factory=queue.Queue)
    cancelled: threading.Event = field(default_factory=threading.Event)
    runs: dict[str, NodeRun] = field(default_factory=dict)
    #: By hash, builds that must be through before a build begins, and the other way round.
    blocking: dict[str, set[str]] = field(default_factory=dict)
    blocked: dict[str, list[str]] = field(default_factory=dict)
    prefixes: dict[str, Path] = field(default_factory=dict)
    fetches: list[threading.Thread] = field(default_factory=list)
    builds: list[threading.Thread] = field(default_factory=list)
    installed: list[Step] = field(default_factory=list)
    reused: list[Step] = field(default_factory=list)
    failures: list[InstallFailure] = field(default_factory=list)
    skipped: list[Step] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)
    next_look: float = 0.0

    def run(self) -> InstallReport:
        # A dependency is always higher than what needs it, so this order is one for locks, too.
        builds = sorted(self.plan.builds, key=lambda step: -step.height)
        self.runs = {step.hash: NodeRun(step, self.services) for step in builds}
        for step in builds:
            self.blocking[step.hash] = set(step.requires) & self.runs.keys()
            for required in self.blocking[step.hash]:
                self.blocked.setdefault(required, []).append(step.hash)
        if self.runs:
            # Ends what dead processes left, and finds out early if nothing can be written.
            self.services.store.writer()
            nodes = traverse_all([step.spec for step in builds], DEPTYPES)
            records = self.services.store.database.records_of(x.dag_hash() for x in nodes)
            self.prefixes = {record.hash: Path(record.prefix) for record in records}
            try:
                self._loop()
                self._join()
                while not self.events.empty():
                    self._handle(*self.events.get_nowait())
            except BaseException:
                self._abort()
                raise
            finally:
                for run in self.runs.values():
                    run.free()
        return InstallReport(
            tuple(self.installed),
            tuple(self.reused),
            tuple(self.failures),
            tuple(self.skipped),
            dict(self.seconds),
        )

    def _loop(self) -> None:
        while True:
            self._start_fetches()
            self._start_builds()
            if not any(self._in(*OPEN)):
                return
            waits = any(run.holder for run in self._in(NodeState.WAITING))
            try:
                self._handle(*self.events.get(timeout=_LOCK_INTERVAL if waits else None))
            except queue.Empty:
                continue

    def _in(self, *states: NodeState) -> Iterator[NodeRun]:
        """Yield the builds that are in one of *states*, longest chain first."""
        return (run for run in self.runs.values() if run.state in states)

    # -- decisions ---------------------------------------------------------------------------

    def _start_fetches(self) -> None:
        """Lock and fetch what should be built next, as far as the limits allow."""
        coming = list(self._in(NodeState.FETCHING, NodeState.STAGED))
        fetching = sum(run.state is NodeState.FETCHING for run in coming)
        staged = len(coming) - fetching
        ready = sum(self._is_ready(run) for run in coming)
        now = time.monotonic()
        look = now >= self.next_look
        if look:
            self.next_look = now + _LOCK_INTERVAL
        for run in self.runs.values():
            if fetching >= self.schedule.fetches:
                return
            if run.state is not NodeState.WAITING or (run.holder and not look):
                continue
            is_ready = self._is_ready(run)
            enough = fetching + staged >= self.schedule.ahead
            if enough and not (is_ready and ready < self.schedule.concurrent):
                continue
            if self._may_fetch(run):
                run.advance(FetchStarted())
                fetching += 1
                ready += is_ready
                self._spawn(self.fetches, "fetch", run, lambda x: x.fetch(self.cancelled))

    def _may_fetch(self, run: NodeRun) -> bool:
        """Return whether the node is locked now and still to be built."""
        try:
            if not run.try_lock():
                return False
        except StoreError as error:
            if error.ref != "lock-timeout":
                raise
            self._fail(run, StepFailed(error))
            return False
        record = run.find_installed()
        if record is None:
            return True
        run.free()
        run.advance(BuiltElsewhere(record))
        self._unblock(run.step.hash, Path(record.prefix))
        self.reused.append(run.step)
        run.task.finish(FoundInstalled())
        return False

    def _start_builds(self) -> None:
        """Start what is staged and whose dependencies are through, longest chain first."""
        running = list(self._in(NodeState.BUILDING))
        ready = [run for run in self._in(NodeState.STAGED) if self._is_ready(run)]
        slots = max(0, self.schedule.concurrent - len(running))
        starting = ready[:slots]
        for heavy in (True, False):
            equals = [run for run in starting if run.step.heavy == heavy]
            rivals = [run for run in running if run.step.heavy or not heavy]
            free = self.schedule.jobs - sum(run.jobs for run in rivals)
            for index, run in enumerate(equals):
                run.jobs = max(1, free // (len(equals) - index))
                free -= run.jobs
                run.background = not heavy and any(other.step.heavy for other in running)
                run.started = time.monotonic()
                run.advance(BuildStarted())
                self._spawn(self.builds, "build", run, self._build)
            running += equals

    def _is_ready(self, run: NodeRun) -> bool:
        return not self.blocking[run.step.hash]

    def _unblock(self, spec_hash: str, prefix: Path) -> None:
        """Note that a node is installed."""
        self.prefixes[spec_hash] = prefix
        for waiting in self.blocked.pop(spec_hash, ()):
            self.blocking[waiting].discard(spec_hash)

    # -- events ------------------------------------------------------------------------------

    def _handle(self, run: NodeRun, event: NodeEvent) -> None:
        """Do what the end of a fetch or of a build asks for."""
        if run.state is NodeState.SKIPPED:
            # It was given up while it was fetched.
            run.advance(event)
            run.destroy_stage()
            run.free()
        elif isinstance(event, StepFailed):
            self._fail(run, event)
        else:
            run.advance(event)
            if isinstance(event, BuildSucceeded):
                prefix = Path(event.record.prefix)
                self._unblock(run.step.hash, prefix)
                self.installed.append(run.step)
                self.seconds[run.step.hash] = time.monotonic() - run.started
                run.task.finish(Installed(prefix))

    def _fail(self, run: NodeRun, event: StepFailed) -> None:
        error = event.error
        if not isinstance(error, Exception):
            raise error
        run.free()
        if self.cancelled.is_set():
            # Stopped because of another failure (fail_fast), which is the one to report.
            run.advance(GivenUp())
            self.skipped.append(run.step)
            run.task.finish(Stopped())
            return
        run.advance(event)
        run.task.fail(Failed(error))
        log = run.log if run.log is not None and run.log.exists() else None
        self.failures.append(InstallFailure(run.step, error, log))
        for spec_hash in self.plan.dependents(run.step.hash):
            self._skip(self.runs[spec_hash])
        if self.schedule.fail_fast:
            self.cancelled.set()
            for other in self.runs.values():
                self._skip(other)

    def _skip(self, run: NodeRun) -> None:
        """Give up a step that has not begun to build."""
        if run.state in OPEN and run.state is not NodeState.BUILDING:
            fetching = run.state is NodeState.FETCHING
            run.advance(GivenUp())
            self.skipped.append(run.step)
            if run.is_reported:
                run.task.finish(Skipped())
            if not fetching:
                run.free()

    # -- threads -----------------------------------------------------------------------------

    def _spawn(
        self,
        threads: list[threading.Thread],
        kind: str,
        run: NodeRun,
        work: Callable[[NodeRun], NodeEvent],
    ) -> None:
        """Do *work* in a thread and put the event that it returns into the queue."""
        assert run.task is not None  # made here, in the thread that owns the listener
        thread = threading.Thread(
            target=lambda: self.events.put((run, work(run))),
            name=f"{kind} {run.step.spec.name}",
            daemon=True,
        )
        threads.append(thread)
        thread.start()

    def _build(self, run: NodeRun) -> NodeEvent:
        return run.build(dict(self.prefixes), self.cancelled, keep_stage=self.schedule.keep_stage)

    # -- the end -----------------------------------------------------------------------------

    def _join(self) -> None:
        for thread in self.fetches:
            thread.join(_FETCH_PATIENCE if self.cancelled.is_set() else None)
        for thread in self.builds:
            thread.join()

    def _abort(self) -> None:
        """Stop everything and wait until what was half installed is removed.

        A further Ctrl-C does not hurry: what it would leave, the next command would have to
        clean up.
        """
        self.cancelled.set()
        while True:
            try:
                self._join()
                self._settle_states()
                return
            except KeyboardInterrupt:
                self.services.reporter.report(RemovingUnfinished())

    def _settle_states(self) -> None:
        """Report the events that were not handled, and what was interrupted."""
        while not self.events.empty():
            run, event = self.events.get_nowait()
            if isinstance(event, BuildSucceeded):
                self._handle(run, event)
        for run in self._in(*OPEN):
            if run.is_reported:
                run.task.fail(TaskInterrupted())
        self.services.reporter.report(InstallInterrupted(len(self.installed)))
