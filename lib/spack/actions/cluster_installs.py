"""Installs whose builds a batch system runs on the nodes of a cluster."""

from __future__ import annotations

import json
import shlex
import signal
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from spack.actions.environment_depfile import graph_of
from spack.actions.store_probe import ProbeResult, offered_probe
from spack.engines.batch_queue import BatchQueue
from spack.engines.batch_systems import BatchJob
from spack.engines.build_graph import GraphNode
from spack.engines.cluster_run import ClusterRun, JobSettings
from spack.engines.job_output import BuildEnded
from spack.engines.run_state import read_jobs
from spack.errors import InstallError, UsageError
from spack.install.events import (
    Building,
    FoundInstalled,
    InJob,
    Installed,
    InstallInterrupted,
    JobLost,
    JobsCancelled,
    JobsStay,
    QueueSilent,
    Skipped,
    StoreProbed,
    TaskInterrupted,
)
from spack.install.install_report import InstallFailure, InstallReport
from spack.install.plan import Plan, Step
from spack.store import Store
from spack.util.report import Failed, Reporter, Task

__all__ = ["ClusterOptions", "build_on_cluster"]

#: Seconds between two looks for the answer of a probe.
_LOOK = 0.2


@dataclass(frozen=True)
class ClusterOptions:
    """How builds are run on a cluster.

    :param system: a key of :data:`spack.engines.batch_systems.BATCH_SYSTEMS`.
    :param command: words of this tool with its global options, without the subcommand.
    :param environment: its directory, which the nodes see at the same path.
    :param folder: of what the jobs need and print, seen by the nodes too.
    :param node_store: the install tree of each node, in the words of a shell: ``$TMPDIR/store``;
        "" is the configured one.
    :param exchanges: whether a mirror takes what is built.
    :param options: further ones for the command that submits.
    """

    system: str
    command: tuple[str, ...]
    environment: Path
    folder: Path
    directory: Path
    node_store: str = ""
    exchanges: bool = False
    options: tuple[str, ...] = ()

    @property
    def spack(self) -> str:
        """The words for the shell before a subcommand."""
        words = " ".join(map(shlex.quote, self.command))
        store = f' -c "config:install_tree:root:{self.node_store}"' if self.node_store else ""
        return f"{words}{store} -e {shlex.quote(str(self.environment))}"

    @property
    def build(self) -> str:
        """The words for the shell that build the nodes that follow."""
        return f"{self.spack} build --present-ok"


def build_on_cluster(
    plan: Plan, store: Store, reporter: Reporter, options: ClusterOptions
) -> InstallReport:
    """Build what *plan* builds, and return when all of it is built, failed or given up.

    :raises InstallError: the batch system refuses jobs; no node can be used.
    :raises UsageError: the nodes share no install tree, and there is no cache to exchange through.
    :raises KeyboardInterrupt: on Ctrl-C, after the jobs were cancelled; on the end of the shell
        they stay.
    """
    queue = BatchQueue(options.system)
    options.folder.mkdir(parents=True, exist_ok=True)
    listener = _TaskListener(plan, reporter, options.system)
    settings = JobSettings(
        options.folder, options.build, str(options.directory), options=options.options
    )
    if not read_jobs(settings.state_file, options.system):
        _check_sharing(queue, store, reporter, options)
    run = ClusterRun(graph_of(plan, store), queue, settings, listener)
    try:
        run.run()
    except BaseException as error:
        listener.interrupted()
        _leave(run, reporter, error)
        if isinstance(error, KeyboardInterrupt):
            reporter.report(InstallInterrupted(len(listener.installed)))
        raise
    return listener.report()


def _leave(run: ClusterRun, reporter: Reporter, error: BaseException) -> None:
    """Cancel the jobs, unless only this process is to end: its shell was closed, it is killed."""
    number = getattr(error, "number", signal.SIGINT)
    if isinstance(error, KeyboardInterrupt) and number != signal.SIGINT:
        reporter.report(JobsStay(len(run.jobs)))
    elif run.jobs:
        reporter.report(JobsCancelled(run.cancel()))


# -- what the nodes share -----------------------------------------------------------------------


def _check_sharing(
    queue: BatchQueue, store: Store, reporter: Reporter, options: ClusterOptions
) -> None:
    """Find out whether the nodes share the store; if not, they need a cache.

    :raises UsageError: they share neither.
    """
    shared = False
    if not options.node_store:
        found = _probe(queue, store, options)
        if found.seen and not found.locked:
            raise UsageError(
                f"the nodes share {store.root}, but locks on it do not hold between machines",
                facts={"store": str(store.root)},
                hint="give each node a store of its own with --node-store '$TMPDIR/store', and a "
                "mirror with autopush to exchange through",
                ref="store-locks",
            )
        shared = found.seen
    if not shared and not options.exchanges:
        raise UsageError(
            "the nodes share no install tree, and no mirror has autopush: a build finds nothing "
            "that another node has built",
            hint="`spack mirror add --autopush NAME URL`, with a directory or a registry that all "
            "nodes reach; or set config:install_tree:root to a directory that they share",
            ref="nothing-shared",
        )
    reporter.report(StoreProbed(store.root, shared))


def _probe(queue: BatchQueue, store: Store, options: ClusterOptions) -> ProbeResult:
    """Let a job try a lock that is held here.

    :raises InstallError: the job fails.
    """
    script, output = options.folder / "probe.sh", options.folder / "probe.out"
    output.unlink(missing_ok=True)
    with offered_probe(store) as name:
        script.write_text(f"#!/bin/sh\nexec {options.spack} build --probe {name}\n", "utf-8")
        job = queue.submit(BatchJob("probe", str(script), str(output), options=options.options))
        try:
            return _answer(queue, job, output)
        except BaseException:
            queue.cancel([job])
            raise


def _answer(queue: BatchQueue, job: str, output: Path) -> ProbeResult:
    ended = 0
    pause = _LOOK
    while True:
        time.sleep(pause)
        pause = min(pause * 1.2, 5.0)
        text = output.read_text(encoding="utf-8", errors="replace") if output.exists() else ""
        for line in text.splitlines():
            if line.startswith('{"probe": '):
                return ProbeResult(**json.loads(line)["probe"])
        states = queue.states()
        ended += states is not None and states.get(job, "lost") not in ("waiting", "running")
        if ended > 3:
            raise InstallError(
                "cannot find out what the nodes share: the job that looks at the install tree "
                "ended without an answer",
                text.strip() or None,
                facts={"job": job, "output": str(output)},
                hint=f"this tool must be at the same path on all nodes; {output} has what the "
                "job printed",
                ref="probe-failed",
            )


# -- progress -----------------------------------------------------------------------------------


@dataclass
class _TaskListener:
    """Reports a run as an install on this machine is reported."""

    plan: Plan
    reporter: Reporter
    system: str
    tasks: dict[str, Task] = field(default_factory=dict)
    running: set[str] = field(default_factory=set)
    installed: list[Step] = field(default_factory=list)
    reused: list[Step] = field(default_factory=list)
    failures: list[InstallFailure] = field(default_factory=list)
    left_out: list[Step] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)
    is_silent: bool = False

    def _task(self, node: GraphNode) -> Task:
        if node.hash not in self.tasks:
            self.tasks[node.hash] = self.reporter.task(node.hash, node.short)
        return self.tasks[node.hash]

    def submitted(self, node: GraphNode, job: str) -> None:
        self.running.add(node.hash)
        self._task(node).phase(InJob(job))

    def begun(self, node: GraphNode) -> None:
        self._task(node).phase(Building())

    def done(self, node: GraphNode, outcome: BuildEnded) -> None:
        self.is_silent = False
        self.running.discard(node.hash)
        step = self.plan.by_hash[node.hash]
        self.seconds[node.hash] = float(outcome.data.get("seconds", 0))
        built = outcome.status != "present"
        (self.installed if built else self.reused).append(step)
        prefix = Path(str(outcome.data.get("prefix", "")))
        self._task(node).finish(Installed(prefix) if built else FoundInstalled())

    def failed(self, node: GraphNode, error: InstallError) -> None:
        self.running.discard(node.hash)
        logs: Sequence[str] = error.facts.get("logs", ())
        log = Path(logs[0]) if logs else None
        self.failures.append(InstallFailure(self.plan.by_hash[node.hash], error, log))
        self._task(node).fail(Failed(error))

    def skipped(self, node: GraphNode) -> None:
        self.left_out.append(self.plan.by_hash[node.hash])
        if node.hash in self.running:
            self.running.discard(node.hash)
            self._task(node).finish(Skipped())

    def lost(self, node: GraphNode, job: str) -> None:
        self.reporter.report(JobLost(node.short, job))

    def silent(self) -> None:
        if not self.is_silent:
            self.reporter.report(QueueSilent(self.system))
        self.is_silent = True

    def interrupted(self) -> None:
        for digest in self.running:
            self.tasks[digest].fail(TaskInterrupted())

    def report(self) -> InstallReport:
        return InstallReport(
            tuple(self.installed),
            tuple(self.reused),
            tuple(self.failures),
            tuple(self.left_out),
            dict(self.seconds),
        )
