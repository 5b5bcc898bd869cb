"""What became of a plan: the installed, the reused, the failures, the skipped."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from spack.errors import InstallError, SpackError
from spack.install.plan import Step

__all__ = ["InstallFailure", "InstallReport"]


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
