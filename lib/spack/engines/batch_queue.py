"""The queue of a batch system, through its commands."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Sequence

from spack.engines.batch_systems import BATCH_SYSTEMS, BatchJob, JobState, job_states, nodes_in
from spack.errors import InstallError

__all__ = ["BatchQueue"]

#: Seconds that a command of the batch system may take.
_PATIENCE = 60

#: Jobs that one command cancels; a command line has a limit.
_AT_ONCE = 500


class BatchQueue:
    """Submits, lists and cancels jobs.

    :param name: a key of :data:`BATCH_SYSTEMS`.
    :raises InstallError: its programs are not on this machine.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self._system = BATCH_SYSTEMS[name]

    def submit(self, job: BatchJob) -> str:
        """Submit *job* and return what the batch system calls it.

        :raises InstallError: it is refused.
        """
        words = self._system.submit(job)
        done = self._run(words)
        found = re.search(self._system.job_id, done.stdout)
        if done.returncode or found is None:
            raise InstallError(
                f"{words[0]} refuses the job {job.name}: "
                f"{done.stderr.strip() or done.stdout.strip() or f'status {done.returncode}'}",
                facts={"command": list(words)},
                hint="--submit-option adds options such as a partition or an account",
                ref="job-refused",
            )
        return found[1]

    def states(self) -> dict[str, JobState] | None:
        """Return the states of the user's jobs; None if the batch system does not answer."""
        try:
            done = self._run(self._system.listing)
        except (InstallError, subprocess.TimeoutExpired):
            return None
        return None if done.returncode else job_states(self._system, done.stdout)

    def machines(self) -> list[tuple[int, int]]:
        """Return the cores and the bytes of memory of each node; none where that is unknown."""
        if not self._system.machines:
            return []
        done = self._run(self._system.machines)
        return [] if done.returncode else nodes_in(done.stdout)

    def cancel(self, jobs: Sequence[str]) -> None:
        """End *jobs*; those that have ended are passed over."""
        for start in range(0, len(jobs), _AT_ONCE):
            self._run([*self._system.cancel, *jobs[start : start + _AT_ONCE]])

    def _run(self, words: Sequence[str]) -> subprocess.CompletedProcess[str]:
        try:
            return subprocess.run(
                words,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=_PATIENCE,
            )
        except OSError as error:
            raise InstallError(
                f"cannot submit jobs: {words[0]}: {error.strerror}",
                hint=f"`--on {self.name}` needs the commands of that batch system on PATH",
                ref="no-batch-system",
            ) from error
