"""One build of a plan while it is carried out: its state, its lock, its stage, its task.

:meth:`NodeRun.fetch` and :meth:`NodeRun.build` run in threads of their own and return the event
that ended them; all else belongs to the thread that carries out the plan.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from spack.errors import SpackError, StoreError
from spack.install.bookkeeping import mark_explicit
from spack.install.build_node import build_one
from spack.install.events import Fetching, Queued, WaitingForNode
from spack.install.interfaces import InstallerDependencies, NodeStage
from spack.install.node_state import (
    BuildSucceeded,
    NodeEvent,
    NodeState,
    SourcesStaged,
    StepFailed,
    next_state,
)
from spack.install.plan import Step
from spack.store import InstallRecord, Lock
from spack.util.lock import Holder
from spack.util.report import Task

__all__ = ["NodeRun"]


@dataclass
class NodeRun:
    """One build of a plan.

    :param jobs: processes that it was given.
    :param background: other builds get the processors first.
    :param started: when its build started.
    :param log: of its build, once there is one.
    :param holder: the process that had the lock when it was last tried, or None.
    :param waiting: since when it waits for the lock; 0 if it does not.
    """

    step: Step
    services: InstallerDependencies
    state: NodeState = NodeState.WAITING
    stage: NodeStage | None = None
    jobs: int = 0
    background: bool = False
    started: float = 0.0
    log: Path | None = None
    holder: Holder | None = None
    waiting: float = 0.0
    _lock: Lock | None = None
    _guard: threading.Lock = field(default_factory=threading.Lock)
    _task: Task | None = None

    def advance(self, event: NodeEvent) -> None:
        """Enter the state that *event* leads to.

        :raises IllegalTransitionError: it cannot happen in this state.
        """
        self.state = next_state(self.state, event)

    @property
    def is_reported(self) -> bool:
        """Whether the listener knows of the build."""
        return self._task is not None

    @property
    def task(self) -> Task:
        """What the listener hears of the build; made when it is first needed."""
        if self._task is None:
            self._task = self.services.reporter.task(self.step.hash, self.step.spec.short)
        return self._task

    def try_lock(self) -> bool:
        """Return whether the node's lock could be taken; another process may have it.

        :raises StoreError: another process has had it for too long.
        """
        locks = self.services.store.locks
        self._lock = locks.try_exclusive(self.step.hash)
        if self._lock is not None:
            self.holder = None
            return True
        holder = locks.holder(self.step.hash)
        if holder != self.holder:
            self.holder = holder
            waiting = WaitingForNode(self.step.spec.short, holder)
            self.task.phase(waiting)
            self.services.reporter.report(waiting)
        self._give_up_waiting(holder)
        return False

    def _give_up_waiting(self, holder: Holder) -> None:
        """Raise an error for a node that another process has locked for too long.

        :raises StoreError: another process has had the node for too long.
        """
        patience = self.services.store.package_patience
        self.waiting = self.waiting or time.monotonic()
        if patience is not None and time.monotonic() - self.waiting >= patience:
            raise StoreError(
                f"{self.step.spec.short} has been locked by {holder} for {patience:g} s",
                facts={"hash": self.step.hash, "holder": str(holder)},
                hint="wait until it has finished, or end that process: its lock goes with it; "
                "config:package_lock_timeout says how long to wait",
                ref="lock-timeout",
            )

    def free(self) -> None:
        """Release the lock, if it is held."""
        with self._guard:
            lock, self._lock = self._lock, None
        if lock is not None:
            lock.release()

    def find_installed(self) -> InstallRecord | None:
        """Return the record of another process that has installed the node meanwhile."""
        store = self.services.store
        record = store.settle(self.step.hash)
        if record is None or self.step.overwrite or not store.is_present(record):
            return None
        if self.step.explicit:
            mark_explicit(store, [self.step.hash])
        return record

    def fetch(self, cancelled: threading.Event) -> NodeEvent:
        """Fetch and unpack the sources."""
        try:
            self.task.phase(Fetching())
            self.stage = self.services.sources.stage(self.step, self.task, cancelled.is_set)
            self.task.phase(Queued())
        except BaseException as error:
            return StepFailed(error)
        return SourcesStaged()

    def build(
        self, prefixes: Mapping[str, Path], cancelled: threading.Event, *, keep_stage: bool
    ) -> NodeEvent:
        """Build, check and record the node, and release its lock.

        :param prefixes: by hash, of everything that is installed.
        :param keep_stage: keep the stage of a build that succeeds or is cancelled.
        """
        assert self.stage is not None
        try:
            record = build_one(
                self.step,
                self.stage,
                prefixes,
                self.jobs,
                services=self.services,
                task=self.task,
                logging=lambda log: setattr(self, "log", log),
                built=lambda: None if keep_stage else self.destroy_stage(),
                cancelled=cancelled,
                background=self.background,
            )
        except BaseException as error:
            if cancelled.is_set() and not keep_stage:
                self.destroy_stage()
            return StepFailed(error)
        self.free()
        return BuildSucceeded(record)

    def destroy_stage(self) -> None:
        """Remove the stage, if there is one; ``spack clean`` removes one that resists."""
        try:
            if self.stage is not None:
                self.stage.destroy()
        except (OSError, SpackError):
            pass
