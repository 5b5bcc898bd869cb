"""The child's side of a build: one process, one package.

Started by :mod:`spack.build.worker_process` in the clean environment. Everything that the recipe
does happens here: loading it, its hooks, patches, phases. Standard output and error are the log.
"""

from __future__ import annotations

import os
import resource
import sys
from dataclasses import replace
from pathlib import Path

from spack.api import tty
from spack.build import job as contract
from spack.build.clean_environment import kept_value
from spack.build.confinement import confine
from spack.build.enclosure import Enclosure, enclose
from spack.build.failure_report import failure_of, ignored_refusals
from spack.build.job import BuildJob, BuildResult
from spack.build.node_build import NodeBuild
from spack.build.setup import run_environment
from spack.build.stand_alone_tests import run_tests
from spack.build.wheel_cache import reusable_wheel
from spack.build.worker_entry import await_permission, follow_installer, reset_signals, step_back
from spack.build.worker_events import WorkerEvents

__all__ = ["main"]


def execute(job: BuildJob, events: WorkerEvents, enclosure: Enclosure) -> BuildResult:
    """Run the build in *enclosure*; every error becomes part of the result."""
    build: NodeBuild | None = None
    try:
        build = NodeBuild(job, events)
        package = build.prepare()
        if job.task == contract.ENVIRONMENT:
            return BuildResult(ok=True, environment=dict(os.environ))
        if job.task == contract.TEST:
            return BuildResult(ok=True, tests=run_tests(build, package, enclosure))
        _keep_environment(job)
        for line in job.opened:
            tty.msg(line)
        held = confine(job, enclosure)
        for line in held.active:
            tty.msg(f"protected by: {line}")
        for line in held.missing:
            tty.msg(f"not protected by: {line}")
        build.run_phases(package)
        build.finish(package)
        changes = run_environment(build.context, build.roles)
        messages = ignored_refusals(job, held.writable)
        return BuildResult(
            True,
            None,
            tuple(build.times),
            tuple(changes.to_json()),
            environment={},
            messages=messages,
            requirements=tuple(package.stage.requirements),
            undeclared=build.undeclared(package.stage.imports),
            wheel=reusable_wheel(job, build.wheel_key),
            protected=held.active,
            unprotected=held.missing,
        )
    except BaseException as exc:
        recipe = build.recipes.line_of(exc) if build is not None else None
        phase = build.phase if build is not None else ""
        failure = failure_of(exc, job, phase=phase, recipe=recipe)
        times = tuple(build.times) if build is not None else ()
        return BuildResult(ok=False, failure=failure, phases=times)


def _keep_environment(job: BuildJob) -> None:
    """Write the environment beside the log, for examining a failure."""
    variables = sorted(os.environ.items())
    lines = [f"{name}={kept_value(name, value)}\n" for name, value in variables]
    beside = Path(job.log_path).with_name("spack-build-env.txt")
    path = Path(job.environment_path) if job.environment_path else beside
    path.write_text("".join(lines), encoding="utf-8", errors="surrogateescape")


def main(job_path: str, events: int = -1, lifeline: int = -1) -> int:
    """Do the job in the file *job_path*; the status is 0 for a package that was installed."""
    reset_signals()
    if lifeline >= 0:
        await_permission(lifeline)
    # The engine is found through this; programs that the build starts must not see it.
    sys.argv[1:] = []
    os.umask(0o022)  # what is installed is the same for every user
    tty.verbose.set(True)
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]  # a text stream here
    job = contract.read(job_path, BuildJob)
    if job.background:
        step_back()
    enclosure = _enclosed(job, lifeline)
    result = _with_usage(execute(job, WorkerEvents(events), enclosure))
    contract.write(job.result_path, result)
    return 0 if result.ok else 1


def _with_usage(result: BuildResult) -> BuildResult:
    """Return *result* with what this process and those that it has waited for have taken."""
    rows = [resource.getrusage(x) for x in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    unit = 1 if sys.platform == "darwin" else 1024
    return replace(
        result,
        processor=round(sum(row.ru_utime + row.ru_stime for row in rows), 3),
        memory=max(row.ru_maxrss for row in rows) * unit,
    )


def _enclosed(job: BuildJob, lifeline: int) -> Enclosure:
    """Return what holds the build, which ends with the installer."""
    if lifeline >= 0 and sys.platform.startswith("linux"):
        return enclose(job, lifeline)
    if lifeline >= 0:
        follow_installer(lifeline)
    return Enclosure()
