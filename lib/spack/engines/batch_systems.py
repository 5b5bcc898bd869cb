"""Batch systems: how each submits, lists and cancels jobs; a row each in :data:`BATCH_SYSTEMS`.

Slurm is what is run by tests. PBS and LSF follow their documented syntax: qsub(1B) of OpenPBS
("-W depend=afterok:"), bsub(1) of LSF ("-w done(ID)").
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Callable, Literal, NamedTuple

__all__ = ["BATCH_SYSTEMS", "BatchJob", "BatchSystem", "JobState", "job_states", "nodes_in"]

#: What a batch system says of a job that it knows.
JobState = Literal["waiting", "running", "done", "failed", "lost", "blocked"]

_MIB = 1 << 20


class BatchJob(NamedTuple):
    """A job to submit.

    :ivar script: the file that it runs. :ivar output: the file of what it prints.
    :ivar after: what the batch system calls the jobs that must have succeeded before.
    :ivar memory: bytes; 0 asks for none. :ivar rank: 0 is the most urgent.
    :ivar options: further ones of the user's.
    """

    name: str
    script: str
    output: str
    cores: int = 1
    memory: int = 0
    rank: int = 0
    after: tuple[str, ...] = ()
    options: tuple[str, ...] = ()


class BatchSystem(NamedTuple):
    """One batch system.

    :ivar submit: gives the words that submit a job; they print its name, see :attr:`job_id`.
    :ivar job_id: a pattern whose group is that name in what the command prints.
    :ivar listing: words that print ``NAME STATE`` for each job of the user.
    :ivar states: the words that it has for states; what is missing is running.
    :ivar cancel: words before the names of jobs that end.
    :ivar machines: words that print the cores and the MiB of each node; none where a system has
        no such command.
    """

    submit: Callable[[BatchJob], Sequence[str]]
    job_id: str
    listing: tuple[str, ...]
    states: Mapping[str, JobState]
    cancel: tuple[str, ...]
    machines: tuple[str, ...] = ()


def _sbatch(job: BatchJob) -> Sequence[str]:
    words = ["sbatch", "--parsable", "--no-requeue", f"--job-name=spack:{job.name}"]
    words += [f"--output={job.output}", f"--cpus-per-task={job.cores}", f"--nice={job.rank}"]
    words += [f"--mem={-(-job.memory // _MIB)}M"] if job.memory else []
    if job.after:
        words += [f"--dependency=afterok:{':'.join(job.after)}", "--kill-on-invalid-dep=yes"]
    return [*words, *job.options, job.script]


def _qsub(job: BatchJob) -> Sequence[str]:
    memory = f":mem={-(-job.memory // _MIB)}mb" if job.memory else ""
    words = ["qsub", "-N", f"spack-{job.name}"[:15], "-j", "oe", "-o", job.output, "-r", "n"]
    words += ["-V", "-l", f"select=1:ncpus={job.cores}{memory}", "-p", str(-min(job.rank, 1024))]
    words += ["-W", f"depend=afterok:{':'.join(job.after)}"] if job.after else []
    return [*words, *job.options, job.script]


def _bsub(job: BatchJob) -> Sequence[str]:
    words = ["bsub", "-J", f"spack:{job.name}", "-o", job.output, "-rn", "-n", str(job.cores)]
    words += ["-R", "span[hosts=1]"]
    words += ["-M", f"{-(-job.memory // _MIB)}MB"] if job.memory else []
    if job.after:
        words += ["-w", " && ".join(f"done({name})" for name in job.after), "-ti"]
    return [*words, *job.options, job.script]


#: The batch systems by the name of ``--on`` and ``--format``.
BATCH_SYSTEMS: Mapping[str, BatchSystem] = {
    "slurm": BatchSystem(
        submit=_sbatch,
        job_id=r"\A(\d+)",
        listing=("squeue", "--noheader", "--me", "--states=all", "--format=%i %T %r"),
        states={
            "PENDING": "waiting",
            "PENDING DependencyNeverSatisfied": "blocked",
            "CONFIGURING": "waiting",
            "COMPLETED": "done",
            "FAILED": "failed",
            "OUT_OF_MEMORY": "failed",
            "TIMEOUT": "failed",
            "DEADLINE": "failed",
            "CANCELLED": "lost",
            "NODE_FAIL": "lost",
            "BOOT_FAIL": "lost",
            "PREEMPTED": "lost",
            "REVOKED": "lost",
        },
        cancel=("scancel",),
        machines=("sinfo", "--noheader", "--Node", "--responding", "--format=%c %m"),
    ),
    "pbs": BatchSystem(
        submit=_qsub,
        job_id=r"\A(\S+)",
        listing=("qselect", "-x"),
        states={},
        cancel=("qdel",),
    ),
    "lsf": BatchSystem(
        submit=_bsub,
        job_id=r"Job <(\d+)>",
        listing=("bjobs", "-a", "-noheader", "-o", "jobid stat"),
        states={"PEND": "waiting", "DONE": "done", "EXIT": "failed", "ZOMBI": "lost"},
        cancel=("bkill",),
    ),
}


def job_states(system: BatchSystem, text: str) -> dict[str, JobState]:
    """Return the state of each job in what the listing printed."""
    found: dict[str, JobState] = {}
    for line in text.splitlines():
        name, _, words = line.strip().partition(" ")
        if words:
            plain = words.split()[0]
            found[name] = system.states.get(words.strip(), system.states.get(plain, "running"))
    return found


def nodes_in(text: str) -> list[tuple[int, int]]:
    """Return the cores and the bytes of memory of each node; 0 bytes where they do not count."""
    found = []
    for line in text.splitlines():
        words = [word.rstrip("+") for word in line.split()]
        if len(words) == 2 and all(word.isdigit() for word in words):
            # Slurm has 1 MiB where nothing is configured.
            mebibytes = int(words[1])
            found.append((int(words[0]), mebibytes * _MIB if mebibytes > 1 else 0))
    return found
