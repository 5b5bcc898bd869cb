"""Installing: what is missing is planned, and, if it is anything, built."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Callable

from spack.errors import BinaryCacheError, InstallError, SpackError
from spack.install.bookkeeping import is_recorded, record_present
from spack.install.events import (
    BuiltAgain,
    PlanMade,
    RecoveredLeftover,
    TreeMoved,
    WaitingForRemovals,
)
from spack.install.plan import BUILD, make_plan
from spack.spec import DEPTYPES, traverse_all
from spack.store.locks import BUILDS
from spack.util.frozen import frozen, replace

if TYPE_CHECKING:
    # What fetches and builds is imported when something is missing: it costs 30 ms.
    from spack.actions.binary_installs import CachedInstalls
    from spack.build.options import BuildOptions
    from spack.install.execute import Schedule
    from spack.install.install_report import InstallReport
    from spack.install.plan import Plan, PlanOptions
    from spack.spec import ConcreteSpec
    from spack.store import Store
    from spack.util.lock import Holder
    from spack.util.report import Reporter

__all__ = ["InstallOptions", "install", "stopped_builds", "with_requests"]


@frozen
class InstallOptions:
    """How an install goes about it.

    :param build_options: made when something is to be built.
    :param jobs: processes of all builds together; never more than there are cores.
    :param concurrent: builds at one time; 0 is as many as the cores allow.
    :param caches: binaries to take instead of builds; None takes none.
    :param pushed: is given what was built, also when something else failed.
    :param engine: builds elsewhere what a plan builds; what is missing here after that is taken
        from caches.
    :param on_report: called with what became of each plan that was carried out.
    """

    store: Store
    build_options: Callable[[], BuildOptions]
    reporter: Reporter
    jobs: int
    concurrent: int = 0
    fail_fast: bool = False
    keep_stage: bool = False
    caches: CachedInstalls | None = None
    pushed: Callable[[Sequence[ConcreteSpec]], None] | None = None
    engine: Callable[[Plan], InstallReport] | None = None
    on_report: Callable[[InstallReport], None] = lambda report: None


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
    plan, _ = _plan(roots, options, work)
    if dry_run or (not plan.builds and is_recorded(plan, store)):
        # Also where the store cannot be written: it belongs to another user.
        return plan
    store.writer()
    for leftover in store.recovered:
        work.reporter.report(RecoveredLeftover(leftover))

    if store.earlier_roots:
        work.reporter.report(TreeMoved(store.root, store.earlier_roots))

    _build_elsewhere(plan, work)

    # From the plan to the end no process may collect what the builds rely on.
    def waiting(holder: Holder) -> None:
        work.reporter.report(WaitingForRemovals(holder))

    with store.locks.shared(BUILDS, on_wait=waiting):
        plan, missing = _plan(roots, options, work)
        for step in plan.builds:
            if step.hash in missing and not step.overwrite:
                work.reporter.report(BuiltAgain(step.spec.short, missing[step.hash]))
        if not plan.builds:
            record_present(plan, store)
            return plan
        _check_built(plan, work)
        _refuse_other_machines(plan)
        work.reporter.report(PlanMade(plan))
        report = _build(plan, work)
        while work.caches is not None and _refused(report, work.caches):
            # What was installed meanwhile is there; what was refused is taken from elsewhere.
            plan, _ = _plan(roots, options, work)
            work.reporter.report(PlanMade(plan))
            report = _build(plan, work)
        work.on_report(report)
        report.raise_failures()
    return plan


def _build_elsewhere(plan: Plan, work: InstallOptions) -> None:
    """Let the engine, if there is one, build what is missing.

    :raises InstallError: a build failed.
    """
    if work.engine is None or not any(step.kind == BUILD for step in plan.builds):
        return
    work.reporter.report(PlanMade(plan))
    report = work.engine(plan)
    work.on_report(report)
    report.raise_failures()
    if work.caches is not None:
        work.caches.forget()


def _check_built(plan: Plan, work: InstallOptions) -> None:
    """Check that everything that an engine, if there is one, was to build can be found.

    :raises InstallError: something is neither in the store nor in a cache.
    """
    missing = [step for step in plan.builds if step.kind == BUILD]
    if missing and work.engine is not None:
        names = ", ".join(step.spec.short for step in missing)
        raise InstallError(
            f"built on other machines, but neither in {work.store.root} nor in a cache: {names}",
            facts={"missing": tuple(step.hash for step in missing)},
            hint="the nodes need this install tree, or a mirror with autopush that this machine "
            "reads, too",
            ref="engine-result-missing",
        )


def _refused(report: InstallReport, caches: CachedInstalls) -> bool:
    """Note which binaries were refused; return whether that is all that failed."""
    refusals = [x for x in report.failures if isinstance(x.error, BinaryCacheError)]
    for failure in refusals:
        if isinstance(failure.error, BinaryCacheError):
            caches.refuse(failure.step.spec, failure.error)
    return bool(refusals) and len(refusals) == len(report.failures)


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
    roots: Sequence[ConcreteSpec], options: PlanOptions, work: InstallOptions
) -> tuple[Plan, Mapping[str, Path]]:
    """Return the plan, with binaries where caches have them, and removed prefixes by hash.

    :raises InstallError: something is to come from a cache only, and none has it.
    """
    nodes = {node.dag_hash() for node in traverse_all(roots, DEPTYPES)}
    records = work.store.database.records_of(nodes)
    missing = {x.hash: Path(x.prefix) for x in records if not work.store.is_present(x)}
    installed = {record.hash for record in records} - missing.keys()
    plan = make_plan(roots, installed, options)
    caches = work.caches
    if caches is None or not plan.builds:
        return plan, missing
    own = frozenset(root.dag_hash() for root in roots)
    cached = caches.available([step.spec for step in plan.builds], own)
    if cached:
        plan = make_plan(roots, installed, replace(options, cached=cached))
    caches.check(plan, own)
    return plan, missing


def _refuse_other_machines(plan: Plan) -> None:
    """Refuse what was concretized for a machine that this one is not.

    :raises InstallError: wheels of the plan do not run here.
    """
    from spack.spec.wheel import wheel_of  # start-up: something is missing

    wheels = [
        (step.spec, wheel) for step in plan.builds for wheel in [wheel_of(step.spec)] if wheel
    ]
    if not wheels:
        return
    from spack.host.wheel_platforms import wheel_platforms
    from spack.recipe.wheel_offers import platforms_of_wheel

    here = {*wheel_platforms(), "any"}
    found = [x for x, wheel in wheels if here.isdisjoint(platforms_of_wheel(wheel.filename))]
    if found:
        names = ", ".join(spec.short for spec in found)
        raise InstallError(
            f"cannot install for {found[0].platform}-{found[0].os}-{found[0].target} here: {names}",
            facts={"packages": [spec.short for spec in found]},
            hint="install on that machine: `spack mirror create` fetches the wheels for it",
            ref="wheel-machine",
        )


def _build(plan: Plan, work: InstallOptions) -> InstallReport:
    # start-up: most installs find everything there
    from spack.actions.build_dispatch import installer_dependencies
    from spack.install.execute import execute

    with installer_dependencies(work.build_options(), plan, work.reporter, work.caches) as ports:
        report = execute(plan, ports, _schedule(plan, work))
    built = [step.spec for step in report.installed if step.kind == BUILD]
    if work.pushed is not None and built:
        work.pushed(built)
    return report


#: Downloads at once of wheels and binaries, which need no unpacking before they are installed.
_WHEEL_FETCHES = 16


def _schedule(plan: Plan, work: InstallOptions) -> Schedule:
    from spack.install.execute import Schedule  # start-up: see above
    from spack.spec.wheel import wheel_of
    from spack.util.helper_process import available_cores

    cores = available_cores()
    wheels = sum(wheel_of(step.spec) is not None for step in plan.builds) + len(plan.binaries)
    return Schedule(
        concurrent=work.concurrent or cores,
        jobs=max(1, min(work.jobs, cores)),
        fail_fast=work.fail_fast,
        keep_stage=work.keep_stage,
        fetches=Schedule.fetches + min(wheels, _WHEEL_FETCHES),
        ahead=Schedule.ahead + wheels,
    )
