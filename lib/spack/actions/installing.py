"""Installing: what is missing is planned, and, if it is anything, built."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Callable

from spack.errors import InstallError, SpackError
from spack.install.bookkeeping import is_recorded, record_present
from spack.install.events import BuiltAgain, PlanMade, RecoveredLeftover, WaitingForRemovals
from spack.install.plan import Plan, PlanOptions, make_plan
from spack.spec import ConcreteSpec
from spack.store import Store
from spack.store.locks import BUILDS
from spack.util.frozen import frozen
from spack.util.lock import Holder
from spack.util.report import Reporter

if TYPE_CHECKING:
    # What fetches and builds is imported when something is missing: it costs 30 ms.
    from spack.build.options import BuildOptions
    from spack.install.execute import Schedule

__all__ = ["InstallOptions", "install", "stopped_builds", "with_requests"]


@frozen
class InstallOptions:
    """How an install goes about it.

    :param build_options: made when something is to be built.
    :param jobs: processes of all builds together; never more than there are cores.
    :param concurrent: builds at one time; 0 is as many as the cores allow.
    :param present_only: refuse to build anything.
    """

    store: Store
    build_options: Callable[[], BuildOptions]
    reporter: Reporter
    jobs: int
    concurrent: int = 0
    fail_fast: bool = False
    keep_stage: bool = False
    present_only: bool = False


def install(
    roots: Sequence[ConcreteSpec],
    options: PlanOptions,
    work: InstallOptions,
    *,
    dry_run: bool = False,
) -> Plan:
    """Build what is missing of *roots*; gives the plan that was carried out.

    :raises InstallError: something failed; all that could be built is there.
    """
    store = work.store
    plan = _plan(roots, options, store, {x.hash: Path(x.prefix) for x in store.missing()})
    if plan.builds and work.present_only:
        names = [step.spec.short for step in plan.builds]
        raise InstallError(
            f"not installed, and not to be built: {', '.join(names)}",
            facts={"missing": [step.hash for step in plan.builds]},
            hint="there are no binary caches yet: leave out --cache-only or --use-buildcache",
            ref="cache-only",
        )
    if dry_run or (not plan.builds and is_recorded(plan, store)):
        # Also where the store cannot be written: it belongs to another user.
        return plan
    store.writer()
    for leftover in store.recovered:
        work.reporter.report(RecoveredLeftover(leftover))

    # From the plan to the end no process may collect what the builds rely on.
    def waiting(holder: Holder) -> None:
        work.reporter.report(WaitingForRemovals(holder))

    with store.locks.shared(BUILDS, on_wait=waiting):
        missing = {record.hash: Path(record.prefix) for record in store.missing()}
        plan = _plan(roots, options, store, missing)
        for step in plan.builds:
            if step.hash in missing and not step.overwrite:
                work.reporter.report(BuiltAgain(step.spec.short, missing[step.hash]))
        if not plan.builds:
            record_present(plan, store)
        else:
            work.reporter.report(PlanMade(plan))
            _build(plan, work)
    return plan


def with_requests(
    options: BuildOptions, *, keep_source: bool, until: Mapping[str, str]
) -> BuildOptions:
    """Return *options* with what the user asks of these builds; see :class:`BuildOptions`."""
    import dataclasses  # start-up: only where something is built

    return dataclasses.replace(options, keep_source=keep_source, until=until)


def stopped_builds(error: SpackError) -> tuple[SpackError, ...]:
    """Return the ends of builds that were to stop early, if *error* is about nothing else."""
    from spack.build.job import STOPPED  # start-up: something was built

    ends = tuple(_ends(error))
    return ends if all(end.ref == STOPPED for end in ends) else ()


def _ends(error: BaseException) -> Iterator[SpackError]:
    """Yield the errors of builds that *error* is made of."""
    if isinstance(error, SpackError):
        below = [end for cause in error.causes for end in _ends(cause)]
        yield from below or [error]


def _plan(
    roots: Sequence[ConcreteSpec], options: PlanOptions, store: Store, missing: Mapping[str, Path]
) -> Plan:
    return make_plan(roots, store.database.installed_hashes() - missing.keys(), options)


def _build(plan: Plan, work: InstallOptions) -> None:
    # start-up: most installs find everything there
    from spack.actions.build_dispatch import installer_dependencies
    from spack.install.execute import execute

    with installer_dependencies(work.build_options(), plan, work.reporter) as ports:
        report = execute(plan, ports, _schedule(work))
    report.raise_failures()


def _schedule(work: InstallOptions) -> Schedule:
    from spack.install.execute import Schedule  # start-up: see above
    from spack.util.helper_process import available_cores

    cores = available_cores()
    return Schedule(
        concurrent=work.concurrent or cores,
        jobs=max(1, min(work.jobs, cores)),
        fail_fast=work.fail_fast,
        keep_stage=work.keep_stage,
    )
