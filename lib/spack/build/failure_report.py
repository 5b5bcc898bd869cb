"""What a worker reports of an error: the line, what the log says of it, a hint."""

from __future__ import annotations

import contextlib
import os
import traceback
from collections.abc import Sequence
from pathlib import Path

from spack.api import tty
from spack.api.executable import ProcessError
from spack.api.tests import TestFailure
from spack.build import sandbox
from spack.build.job import BuildFailure, BuildJob
from spack.build.log_excerpt import excerpt, hint, log_lines, since_last_phase
from spack.errors import RecipeError, SpackError

__all__ = ["failure_of", "ignored_refusals"]


def ignored_refusals(job: BuildJob, writable: tuple[str, ...]) -> tuple[str, ...]:
    """Return the paths that the build could not write and continued without."""
    if not writable:
        return ()
    with open(job.log_path, encoding="utf-8", errors="replace") as log:
        paths = sandbox.refused(log, writable)
    return (f"could not write outside of its prefix: {sandbox.describe(paths)}",) if paths else ()


def failure_of(
    exc: BaseException, job: BuildJob, *, phase: str, recipe: str | None
) -> BuildFailure:
    """Return why the build failed, and write its traceback into the log.

    :param phase: the phase in which *exc* was raised; "" outside of phases.
    :param recipe: ``file:line`` of the recipe's line that was running, or None.
    """
    text = "".join(traceback.format_exception(type(exc), exc, exc.__traceback__))
    lines: Sequence[str] = ()
    if not isinstance(exc, RecipeError):
        with contextlib.suppress(OSError):
            lines = since_last_phase(log_lines(job.log_path))
    shown = tuple(excerpt(lines)) if phase else ()
    if not isinstance(exc, SpackError):
        # The error is the recipe's own: its line says more than the log does.
        shown = (_recipe_source(recipe),) if recipe else shown
    elif not isinstance(exc, (ProcessError, TestFailure)) and exc.long_message:
        # So is this one, with its own explanation; that of tests is in the log.
        shown = ()
    message = _message(exc)
    way_out = getattr(exc, "hint", None) or hint((*shown, message))
    ref = getattr(exc, "ref", "recipe-error")
    paths = sandbox.refused((*lines, message), job.writable) if job.writable is not None else ()
    if paths:
        message = f"it may not write outside of its prefix: {sandbox.describe(paths)} ({message})"
        way_out, ref = sandbox.HINT, sandbox.REF
    tty.error(text.rstrip())
    return BuildFailure(
        kind=type(exc).__name__,
        message=message,
        long_message=getattr(exc, "long_message", None),
        hint=way_out,
        phase=phase,
        recipe=recipe,
        excerpt=shown,
        traceback=text,
        ref=ref,
    )


def _message(exc: BaseException) -> str:
    """Return the line for the error: for a program its name and status."""
    if isinstance(exc, ProcessError) and "status" in exc.facts:
        program, *args = exc.facts["command"]
        name = os.path.basename(program)
        if args[:1] == ["-m"]:
            name = f"{name} -m {args[1]}"
        return f"{name} exited with status {exc.facts['status']}"
    return str(exc) if isinstance(exc, SpackError) else f"{type(exc).__name__}: {exc}"


def _recipe_source(location: str) -> str:
    """Return the line of a recipe that ``file:line`` names."""
    path, _, line = location.rpartition(":")
    with contextlib.suppress(OSError, ValueError, IndexError):
        lines = Path(path).read_text(encoding="utf-8", errors="replace").splitlines()
        return lines[int(line) - 1].rstrip()
    return location
