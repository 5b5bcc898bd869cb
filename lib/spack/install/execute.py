"""Carrying out a plan: fetches run ahead, builds run side by side, failures stay local.

One thread (the caller's) decides; it alone starts fetches and builds, which run in threads of
their own and report its end through a queue. A build goes through

    waiting -> locked, fetching -> staged -> building -> installed | failed

and is *skipped* when something that it needs failed. The node's lock is taken before fetching
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
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Callable, NamedTuple

from spack.errors import InstallError, SpackError, StoreError
from spack.install.bookkeeping import mark_explicit, record_present
from spack.install.build_node import build_one
from spack.install.interfaces import InstallerDependencies, NodeStage
from spack.install.plan import Plan, Step
from spack.store import InstallRecord, Lock
from spack.util.report import Task

__all__ = ["InstallFailure", "InstallReport", "Schedule", "execute"]

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


class InstallFailure(NamedTuple):
    """A step that failed; *log* is the build's, if it got so far."""

    step: Step
    error: BaseException
    log: Path | None

    def lacks_log(self) -> bool:
        """Return whether there is a log that the error itself says nothing of."""
        shown = getattr(self.error, "long_message", None) or ""
        return self.log is not None and str(self.log) not in shown


@dataclass(frozen=True)
class InstallReport:
    """What became of a plan.

    :param installed: what this process built, in order of completion.
    :param reused: builds of the plan that another process did meanwhile.
    :param skipped: what was not tried, because something that it needs failed.
    :param seconds: wall time by hash of what was installed, from the start of its build.
    """

    installed: tuple[Step, ...]
    reused: tuple[Step, ...]
    failures: tuple[InstallFailure, ...]
    skipped: tuple[Step, ...]
    seconds: Mapping[str, float]

    def raise_failures(self) -> None:
        """Raise the failures, if there are any, as the causes of one error.

        :raises InstallError: if anything failed; the causes are in it.
        """
        if not self.failures:
            return
        failed = [failure.step.spec.short for failure in self.failures]
        lines = []
        if self.skipped:
            names = ", ".join(step.spec.short for step in self.skipped)
            lines.append(f"not tried, because they need it: {names}")
        lines.extend(f"log: {failure.log}" for failure in self.failures if failure.lacks_log())
        error = self.failures[0].error
        hint = error.hint if len(failed) == 1 and isinstance(error, SpackError) else None
        raise InstallError(
            f"{', '.join(failed)} could not be installed",
            "\n".join(lines) or None,
            facts={
                "failed": tuple(failure.step.hash for failure in self.failures),
                "skipped": tuple(step.hash for step in self.skipped),
                "logs": tuple(str(failure.log) for failure in self.failures if failure.log),
            },
            hint=hint or "what was installed is kept: run the same command again after the fix",
            causes=[failure.error for failure in self.failures],
            ref="install-failed",
        )


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
class _Work:
    """The state of one build step."""

    step: Step
    state: str = "waiting"
    lock: Lock | None = None
    task: Task | None = None
    stage: NodeStage | None = None
    jobs: int = 0
    background: bool = False
    started: float = 0.0
    log: Path | None = None
    holder: str = ""
    waiting: float = 0.0


class _Event(NamedTuple):
    kind: str
    work: _Work
    value: object = None


_OPEN_STATES = frozenset({"waiting", "fetching", "staged", "building"})


@dataclass
class _Execution:
    """One run of a plan. All methods but ``_fetch`` and ``_build`` run in the caller's thread."""

    plan: Plan
    services: InstallerDependencies
    schedule: Schedule
    events: queue.Queue[_Event] = field(default_factory=queue.Queue)
    cancelled: threading.Event = field(default_factory=threading.Event)
    guard: threading.Lock = field(default_factory=threading.Lock)
    works: dict[str, _Work] = field(default_factory=dict)
    prefixes: dict[str, Path] = field(default_factory=dict)
    threads: list[tuple[str, threading.Thread]] = field(default_factory=list)
    installed: list[Step] = field(default_factory=list)
    reused: list[Step] = field(default_factory=list)
    failures: list[InstallFailure] = field(default_factory=list)
    skipped: list[Step] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)
    next_look: float = 0.0

    def run(self) -> InstallReport:
        # A dependency is always higher than what needs it, so this order is one for locks, too.
        builds = sorted(self.plan.builds, key=lambda step: -step.height)
        self.works = {step.hash: _Work(step) for step in builds}
        if self.works:
            # Ends what dead processes left, and finds out early if nothing can be written.
            records = self.services.store.writer().records()
            self.prefixes = {record.hash: Path(record.prefix) for record in records}
            try:
                self._loop()
                self._join()
                while not self.events.empty():
                    self._handle(self.events.get_nowait())
            except BaseException:
                self._abort()
                raise
            finally:
                for work in self.works.values():
                    self._free(work)
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
            open_works = [work for work in self.works.values() if work.state in _OPEN_STATES]
            if not open_works:
                return
            wait = _LOCK_INTERVAL if self._someone_elses() else None
            try:
                self._handle(self.events.get(timeout=wait))
            except queue.Empty:
                continue

    def _someone_elses(self) -> bool:
        return any(work.holder for work in self.works.values() if work.state == "waiting")

    # -- decisions ---------------------------------------------------------------------------

    def _start_fetches(self) -> None:
        """Lock and fetch what should be built next, as far as the limits allow."""
        states = [work.state for work in self.works.values()]
        fetching, staged = states.count("fetching"), states.count("staged")
        coming = [w for w in self.works.values() if w.state in ("fetching", "staged")]
        ready = sum(self._is_ready(work) for work in coming)
        now = time.monotonic()
        look = now >= self.next_look
        if look:
            self.next_look = now + _LOCK_INTERVAL
        for work in self.works.values():
            if fetching >= self.schedule.fetches:
                return
            if work.state != "waiting" or (work.holder and not look):
                continue
            is_ready = self._is_ready(work)
            enough = fetching + staged >= self.schedule.ahead
            if enough and not (is_ready and ready < self.schedule.concurrent):
                continue
            try:
                if not self._take_lock(work):
                    continue
            except StoreError as error:
                if error.ref != "lock-timeout":
                    raise
                self._fail(work, error)
                continue
            if self._reuse(work):
                continue
            work.state = "fetching"
            fetching += 1
            ready += is_ready
            self._spawn("fetch", self._fetch, work)

    def _take_lock(self, work: _Work) -> bool:
        locks = self.services.store.locks
        work.lock = locks.try_exclusive(work.step.hash)
        if work.lock is None:
            holder = str(locks.holder(work.step.hash))
            if holder != work.holder:
                work.holder = holder
                self._task(work).phase(f"waiting for {holder}")
                self.services.reporter.info(f"{work.step.spec.short}: waiting for {holder}")
            self._give_up_waiting(work, holder)
            return False
        work.holder = ""
        return True

    def _give_up_waiting(self, work: _Work, holder: str) -> None:
        """Raise an error for a node that another process has locked for too long.

        :raises StoreError: another process has had the node for too long.
        """
        patience = self.services.store.package_patience
        work.waiting = work.waiting or time.monotonic()
        if patience is not None and time.monotonic() - work.waiting >= patience:
            raise StoreError(
                f"{work.step.spec.short} has been locked by {holder} for {patience:g} s",
                facts={"hash": work.step.hash, "holder": holder},
                hint="wait until it has finished, or end that process: its lock goes with it; "
                "config:package_lock_timeout says how long to wait",
                ref="lock-timeout",
            )

    def _reuse(self, work: _Work) -> bool:
        """Return whether another process has installed the node since the plan was made."""
        record = self.services.store.settle(work.step.hash)
        if record is None or work.step.overwrite or not self.services.store.is_present(record):
            return False
        if work.step.explicit:
            mark_explicit(self.services.store, [work.step.hash])
        self._free(work)
        work.state = "reused"
        self.prefixes[work.step.hash] = Path(record.prefix)
        self.reused.append(work.step)
        self._task(work).finish("installed by another process")
        return True

    def _start_builds(self) -> None:
        """Start what is staged and whose dependencies are through, longest chain first."""
        running = [work for work in self.works.values() if work.state == "building"]
        ready = [w for w in self.works.values() if w.state == "staged" and self._is_ready(w)]
        slots = max(0, self.schedule.concurrent - len(running))
        starting = ready[:slots]
        for heavy in (True, False):
            equals = [work for work in starting if work.step.heavy == heavy]
            rivals = [work for work in running if work.step.heavy or not heavy]
            free = self.schedule.jobs - sum(work.jobs for work in rivals)
            for index, work in enumerate(equals):
                work.jobs = max(1, free // (len(equals) - index))
                free -= work.jobs
                work.background = not heavy and any(other.step.heavy for other in running)
                work.state = "building"
                work.started = time.monotonic()
                self._spawn("build", self._build, work)
            running += equals

    def _is_ready(self, work: _Work) -> bool:
        return all(
            required not in self.works or self.works[required].state in ("installed", "reused")
            for required in work.step.requires
        )

    # -- events ------------------------------------------------------------------------------

    def _handle(self, event: _Event) -> None:
        work = event.work
        if work.state == "skipped":
            # It was given up while it was fetched.
            if work.stage is not None:
                _destroy(work.stage)
            self._free(work)
        elif event.kind == "staged":
            work.state = "staged"
        elif event.kind == "installed":
            assert isinstance(event.value, InstallRecord)
            work.state = "installed"
            self.prefixes[work.step.hash] = Path(event.value.prefix)
            self.installed.append(work.step)
            seconds = time.monotonic() - work.started
            self.seconds[work.step.hash] = seconds
            self._task(work).finish(event.value.prefix)
        elif event.kind == "failed":
            assert isinstance(event.value, BaseException)
            self._fail(work, event.value)

    def _fail(self, work: _Work, error: BaseException) -> None:
        if not isinstance(error, Exception):
            raise error
        self._free(work)
        if self.cancelled.is_set():
            # Stopped because of another failure (fail_fast), which is the one to report.
            work.state = "skipped"
            self.skipped.append(work.step)
            self._task(work).finish("stopped")
            return
        work.state = "failed"
        # The task has its name; an error of the build begins with it.
        self._task(work).fail(str(error).replace(f"{work.step.spec.short} failed", "failed", 1))
        log = work.log if work.log is not None and work.log.exists() else None
        self.failures.append(InstallFailure(work.step, error, log))
        for spec_hash in self.plan.dependents(work.step.hash):
            self._skip(self.works[spec_hash])
        if self.schedule.fail_fast:
            self.cancelled.set()
            for other in self.works.values():
                self._skip(other)

    def _skip(self, work: _Work) -> None:
        """Give up a step that has not begun to build."""
        if work.state in ("waiting", "fetching", "staged"):
            fetching = work.state == "fetching"
            work.state = "skipped"
            self.skipped.append(work.step)
            if work.task is not None:
                work.task.finish("skipped")
            if not fetching:
                self._free(work)

    # -- threads -----------------------------------------------------------------------------

    def _spawn(self, kind: str, target: Callable[[_Work], None], work: _Work) -> None:
        self._task(work)
        thread = threading.Thread(
            target=target, args=(work,), name=f"{kind} {work.step.spec.name}", daemon=True
        )
        self.threads.append((kind, thread))
        thread.start()

    def _fetch(self, work: _Work) -> None:
        task = self._task(work)
        try:
            task.phase("fetch")
            work.stage = self.services.sources.stage(work.step, task, self.cancelled.is_set)
            task.phase("queued")
        except BaseException as error:
            self.events.put(_Event("failed", work, error))
        else:
            self.events.put(_Event("staged", work))

    def _build(self, work: _Work) -> None:
        assert work.stage is not None
        task = self._task(work)
        try:
            record = build_one(
                work.step,
                work.stage,
                dict(self.prefixes),
                work.jobs,
                services=self.services,
                task=task,
                logging=lambda log: setattr(work, "log", log),
                built=lambda: self._leave_stage(work),
                cancelled=self.cancelled,
                background=work.background,
            )
        except BaseException as error:
            if self.cancelled.is_set() and not self.schedule.keep_stage:
                _destroy(work.stage)
            self.events.put(_Event("failed", work, error))
            return
        self._free(work)
        self.events.put(_Event("installed", work, record))

    def _leave_stage(self, work: _Work) -> None:
        if work.stage is not None and not self.schedule.keep_stage:
            _destroy(work.stage)

    def _task(self, work: _Work) -> Task:
        if work.task is None:
            work.task = self.services.reporter.task(work.step.hash, work.step.spec.short)
        return work.task

    # -- the end -----------------------------------------------------------------------------

    def _join(self) -> None:
        for kind, thread in self.threads:
            thread.join(_FETCH_PATIENCE if self.cancelled.is_set() and kind == "fetch" else None)

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
                self.services.reporter.info("removing what was half installed, please wait")

    def _settle_states(self) -> None:
        """Report the events that were not handled, and what was interrupted."""
        while not self.events.empty():
            event = self.events.get_nowait()
            if event.kind == "installed":
                self._handle(event)
        for work in self.works.values():
            if work.state in _OPEN_STATES and work.task is not None:
                work.task.fail("interrupted")
        kept = len(self.installed)
        self.services.reporter.info(
            f"interrupted: {kept} finished package{'s are' if kept != 1 else ' is'} kept, "
            "unfinished ones were removed"
        )

    def _free(self, work: _Work) -> None:
        with self.guard:
            lock, work.lock = work.lock, None
        if lock is not None:
            lock.release()


def _destroy(stage: NodeStage) -> None:
    """Remove a stage; one that cannot be removed is ``spack clean``'s."""
    try:
        stage.destroy()
    except (OSError, SpackError):
        pass
