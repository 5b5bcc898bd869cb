"""One run of a graph on a batch system: submit, follow, submit again what a lost node took.

The batch system decides when what runs; this process only reads what the jobs print, asks now and
then which jobs there are, and notes them in a file. Where it dies, the jobs go on, and the next
run goes on with them. No lock coordinates the machines: each node of the graph is in one job.
"""

from __future__ import annotations

import shlex
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Callable, Literal, Protocol

from spack.engines.batch_queue import BatchQueue
from spack.engines.batch_systems import BatchJob, JobState
from spack.engines.build_graph import BuildGraph, GraphNode
from spack.engines.bundles import Bundle, bundles_of
from spack.engines.job_output import BuildBegun, BuildEnded, JobOutput
from spack.engines.run_state import SubmittedJob, read_jobs, write_jobs
from spack.errors import InstallError

__all__ = ["ClusterListener", "ClusterRun", "JobSettings"]

#: How often a build is submitted again whose job ended without an outcome.
_AGAIN = 2

#: Seconds between looks at what the jobs print, and between two listings of the jobs: the second
#: grows while nothing happens, since sites charge for it.
_LOOK = 0.3
_FIRST_LISTING = 1.0
_LONGEST_LISTING = 15.0

#: Seconds after the end of a job in which its output may still arrive, over the network.
_SETTLE = 2.0

#: Jobs that are assumed to run at once where that is unknown.
_LANES = 16

#: Where a build of the run is.
NodePhase = Literal["open", "submitted", "done", "failed", "skipped"]


class ClusterListener(Protocol):
    """Hears of each build."""

    def submitted(self, node: GraphNode, job: str) -> None: ...

    def begun(self, node: GraphNode) -> None: ...

    def done(self, node: GraphNode, outcome: BuildEnded) -> None: ...

    def failed(self, node: GraphNode, error: InstallError) -> None: ...

    def skipped(self, node: GraphNode) -> None: ...

    def lost(self, node: GraphNode, job: str) -> None:
        """Hear that its job ended without an outcome; it is submitted again."""

    def silent(self) -> None:
        """Hear that the batch system does not answer; it is asked again."""


@dataclass(frozen=True)
class JobSettings:
    """How jobs are made.

    :param folder: of scripts and outputs; the nodes see it at the same path.
    :param command: words for the shell that build the nodes whose ``/HASH`` follow them.
    :param directory: where the jobs run.
    :param options: further ones for the command that submits.
    """

    folder: Path
    command: str
    directory: str
    options: tuple[str, ...] = ()

    @property
    def state_file(self) -> Path:
        """Where the jobs that are not at their end are noted."""
        return self.folder / "run.json"

    def script(self, bundle_hashes: Sequence[str], cores: int) -> str:
        hashes = " ".join(f"/{digest}" for digest in bundle_hashes)
        return (
            f"#!/bin/sh\ncd {shlex.quote(self.directory)} || exit 1\n"
            f"exec {self.command} -j {cores} {hashes}\n"
        )


@dataclass
class _Job:
    submitted: SubmittedJob
    output: JobOutput
    ended: float = 0.0


@dataclass
class ClusterRun:
    """A run of a graph.

    :param sleep: waits; tests have their own.
    """

    graph: BuildGraph
    queue: BatchQueue
    settings: JobSettings
    listener: ClusterListener
    sleep: Callable[[float], None] = time.sleep
    phases: dict[str, NodePhase] = field(default_factory=dict)
    attempts: dict[str, int] = field(default_factory=dict)
    jobs: dict[str, _Job] = field(default_factory=dict)
    machines: list[tuple[int, int]] = field(default_factory=list)
    _number: int = 0
    _listing: float = 0.0
    _pause: float = _FIRST_LISTING

    @property
    def state_file(self) -> Path:
        return self.settings.state_file

    def run(self) -> None:
        """Carry out the graph; failures are reported to the listener.

        :raises InstallError: the batch system refuses jobs, or has no commands here.
        :raises KeyboardInterrupt: the jobs stay as they are; see :meth:`cancel`.
        """
        self.settings.folder.mkdir(parents=True, exist_ok=True)
        self.phases = {node.hash: "open" for node in self.graph.nodes}
        self.machines = self.queue.machines()
        self._adopt()
        while True:
            self._skip()
            self._submit()
            if not any(phase == "submitted" for phase in self.phases.values()):
                break
            self.sleep(_LOOK)
            self._look()
        self._write()

    def cancel(self) -> int:
        """End all jobs; return how many there were."""
        names = list(self.jobs)
        self.queue.cancel(names)
        self.jobs.clear()
        self._write()
        return len(names)

    # -- what an earlier process has submitted -----------------------------------------------

    def _adopt(self) -> None:
        """Go on with jobs that an earlier process has left, as far as they still exist."""
        left = read_jobs(self.state_file, self.queue.name)
        states: dict[str, JobState] | None = self.queue.states() if left else {}
        while states is None:
            # Jobs that may still run must not be submitted again.
            self.listener.silent()
            self.sleep(_FIRST_LISTING)
            states = self.queue.states()
        for job in left:
            if states.get(job.id) not in ("waiting", "running"):
                continue
            self.jobs[job.id] = _Job(job, JobOutput(Path(job.output)))
            for node in self._nodes_of(self.jobs[job.id]):
                self.phases[node.hash] = "submitted"
                self.listener.submitted(node, job.id)
        kept = {job.output.path.stem for job in self.jobs.values()}
        for path in self.settings.folder.glob("[0-9]*.*"):
            if path.stem in kept:
                self._number = max(self._number, int(path.stem) + 1)
            else:
                path.unlink(missing_ok=True)

    # -- submitting --------------------------------------------------------------------------

    def _skip(self) -> None:
        """Give up what needs a build that failed."""
        for node in self.graph.nodes:
            broken = any(self.phases[x] in ("failed", "skipped") for x in node.needs)
            if broken and self.phases[node.hash] == "open":
                self.phases[node.hash] = "skipped"
                self.listener.skipped(node)

    def _submit(self) -> None:
        """Submit all builds that are in no job, after the jobs that they need."""
        open_ = frozenset(x for x, phase in self.phases.items() if phase == "open")
        if not open_:
            return
        part = self.graph.only(open_)
        names: list[str] = []
        for bundle in bundles_of(part, sum(x for x, _ in self.machines) or _LANES):
            after = [names[position] for position in bundle.needs] + self._running_for(bundle)
            names.append(self._submit_one(bundle, tuple(dict.fromkeys(after))))
        self._write()

    def _running_for(self, bundle: Bundle) -> list[str]:
        """Return the jobs, submitted before, that *bundle* waits for."""
        needed = {x for node in bundle.nodes for x in self.graph.by_hash[node.hash].needs}
        own = {node.hash for node in bundle.nodes}
        return [
            name
            for name, job in self.jobs.items()
            if any(
                digest in needed - own and self.phases.get(digest) == "submitted"
                for digest in job.submitted.hashes
            )
        ]

    def _submit_one(self, bundle: Bundle, after: tuple[str, ...]) -> str:
        number, self._number = self._number, self._number + 1
        script = self.settings.folder / f"{number}.sh"
        output = self.settings.folder / f"{number}.out"
        output.unlink(missing_ok=True)
        hashes = tuple(node.hash for node in bundle.nodes)
        cores = min(bundle.cores, max((x for x, _ in self.machines), default=bundle.cores))
        memory = min(bundle.memory, max((x for _, x in self.machines), default=0))
        script.write_text(self.settings.script(hashes, cores), encoding="utf-8")
        job = BatchJob(
            bundle.name,
            str(script),
            str(output),
            cores=cores,
            memory=memory,
            rank=number,
            after=after,
            options=self.settings.options,
        )
        name = self.queue.submit(job)
        self.jobs[name] = _Job(SubmittedJob(name, hashes, str(output)), JobOutput(output))
        for node in bundle.nodes:
            self.phases[node.hash] = "submitted"
            self.listener.submitted(self.graph.by_hash[node.hash], name)
        return name

    def _write(self) -> None:
        write_jobs(self.state_file, self.queue.name, (x.submitted for x in self.jobs.values()))

    # -- following ---------------------------------------------------------------------------

    def _look(self) -> None:
        before = len(self.jobs)
        for job in list(self.jobs.values()):
            self._read(job)
        now = time.monotonic()
        if len(self.jobs) < before:
            self._pause = _FIRST_LISTING
            self._listing = min(self._listing, now + _FIRST_LISTING)
            self._write()
        if now >= self._listing:
            self._look_at_queue(now)
            self._listing = now + self._pause
            self._pause = min(self._pause * 1.5, _LONGEST_LISTING)

    def _read(self, job: _Job) -> None:
        """Report what a job has printed; forget the job once all its builds have an outcome."""
        for event in job.output.news():
            for node in self._nodes_of(job):
                if isinstance(event, BuildBegun):
                    if node.hash.startswith(event.prefix):
                        self.listener.begun(node)
                elif node.hash == event.hash:
                    self._end(node, event)
        if not any(True for _ in self._nodes_of(job)):
            self.jobs.pop(job.submitted.id, None)

    def _nodes_of(self, job: _Job) -> Iterable[GraphNode]:
        """Return the builds of a job that have no outcome yet."""
        return [
            self.graph.by_hash[digest]
            for digest in job.submitted.hashes
            if digest in self.graph.by_hash and self.phases[digest] in ("submitted", "open")
        ]

    def _end(self, node: GraphNode, event: BuildEnded) -> None:
        broken = any(self.phases[needed] in ("failed", "skipped") for needed in node.needs)
        if event.status == "missing" and broken:
            self.phases[node.hash] = "skipped"
            self.listener.skipped(node)
        elif event.status in ("failed", "missing"):
            self.phases[node.hash] = "failed"
            self.listener.failed(node, _error(node, event))
        else:
            self.phases[node.hash] = "done"
            self.listener.done(node, event)

    def _look_at_queue(self, now: float) -> None:
        """Find the jobs that have ended without an outcome of all their builds."""
        states = self.queue.states()
        if states is None:
            self.listener.silent()
            return
        for name, job in list(self.jobs.items()):
            state = states.get(name, "lost")
            if state in ("waiting", "running"):
                job.ended = 0.0
                continue
            job.ended = job.ended or now
            if now - job.ended >= _SETTLE or (state in ("lost", "blocked") and not _began(job)):
                self._read(job)
                self._end_without_outcome(job, state)

    def _end_without_outcome(self, job: _Job, state: JobState) -> None:
        """Open the builds of a job again, or let the first of them fail."""
        name = job.submitted.id
        self.jobs.pop(name, None)
        if state == "blocked":
            self.queue.cancel([name])
        for node in self._nodes_of(job):
            self.phases[node.hash] = "open"
            if any(self.phases[needed] != "done" for needed in node.needs):
                continue  # it could not begin
            if _began(job) and state == "failed":
                self._fail(node, f"its job {name} failed", job)
                return
            self.attempts[node.hash] = self.attempts.get(node.hash, 0) + 1
            if self.attempts[node.hash] > _AGAIN:
                self._fail(node, f"its jobs ended {_AGAIN + 1} times without an outcome", job)
            else:
                self.listener.lost(node, name)
        self._write()

    def _fail(self, node: GraphNode, reason: str, job: _Job) -> None:
        self.phases[node.hash] = "failed"
        error = InstallError(
            f"{node.short} was not built: {reason}",
            job.output.last_lines() or None,
            facts={"job": job.submitted.id, "output": str(job.output.path)},
            hint=f"{job.output.path} has what the job printed",
            ref="job-failed",
        )
        self.listener.failed(node, error)


def _began(job: _Job) -> bool:
    return job.output.is_begun


def _error(node: GraphNode, event: BuildEnded) -> InstallError:
    """Return the error that a job has printed."""
    data = event.data
    return InstallError(
        str(data.get("error") or f"{node.short} {event.status}"),
        data.get("details") or None,
        facts={"missing": tuple(data.get("missing", ())), "logs": tuple(data.get("logs", ()))},
        hint=data.get("hint"),
        ref="build" if event.status == "failed" else "dependency-missing",
    )
