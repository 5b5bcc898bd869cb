"""One build from its order to its record."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Callable

from spack.errors import InstallError
from spack.install.check import Checked, check_manifest, check_prefix
from spack.install.events import Building, Checking, WaitingForDependency
from spack.install.interfaces import BuildOutput, BuildRequest, InstallerDependencies, NodeStage
from spack.install.plan import BINARY, Step
from spack.install.prefix_transaction import PrefixTransaction
from spack.spec import DEPTYPES
from spack.store import InstallRecord, Modes, apply_modes
from spack.util.report import Task

__all__ = ["build_one"]

#: Seconds between looks at a dependency that another process replaces or removes.
_INTERVAL = 0.1


def build_one(  # noqa: PLR0913 - keywords of independent settings
    step: Step,
    stage: NodeStage,
    prefixes: Mapping[str, Path],
    jobs: int,
    services: InstallerDependencies,
    task: Task,
    *,
    logging: Callable[[Path], None],
    built: Callable[[], None],
    cancelled: threading.Event,
    background: bool = False,
) -> InstallRecord:
    """Build, check and record one node; the caller holds its exclusive lock.

    Its dependencies are locked meanwhile, so that no process removes them.

    :param prefixes: by hash, of everything that is installed.
    :param logging: called with the log before the build starts.
    :param built: called when the stage has served its purpose, before the install counts: after
        that no process builds the node again, and a stage that outlived a kill would stay.
    :param cancelled: when it is set, everything is to end soon.
    :param background: see :class:`spack.install.interfaces.BuildRequest`.
    :raises SpackError: if anything went wrong; nothing is left at the prefix then.
    """
    spec, store = step.spec, services.store
    modes = services.modes(spec)
    with ExitStack() as stack:
        _hold_dependencies(stack, step, services, task, cancelled)
        transaction = stack.enter_context(
            PrefixTransaction(
                store, spec, explicit=step.explicit, overwrite=step.overwrite, modes=modes
            )
        )
        known = _prefixes(step, prefixes, transaction.prefix)
        order = BuildRequest(
            spec=spec,
            prefix=transaction.prefix,
            prefixes=known,
            stage=stage,
            jobs=jobs,
            log=transaction.log,
            environment=transaction.environment,
            tests=step.tests,
            background=background,
        )
        logging(transaction.log)
        _stop_if(cancelled)
        task.phase(Building())
        outcome = services.builder.build(
            order,
            task,
            cancelled,
            lambda pid: transaction.building(store.owner.child(pid)),
        )
        _stop_if(cancelled)
        task.phase(Checking())
        transaction.confirm()
        checked = _checked(order, outcome, modes, services)
        built()
        record = transaction.commit(
            checked,
            run_environment=outcome.run_environment,
            # A binary has the recipe that built it.
            recipe=None if step.kind == BINARY else services.recipe(spec),
            facts=outcome.facts,
        )
    if "usage" in outcome.facts:
        # Of a binary it is what the build took that made it.
        store.history.add(spec, outcome.facts["usage"])
    return record


def _checked(
    order: BuildRequest, outcome: BuildOutput, modes: Modes, services: InstallerDependencies
) -> Checked:
    """Set the permissions of what was installed and check it; report what is only odd.

    What the engine itself has written is checked by its manifest.

    :raises InstallError: see :func:`spack.install.check.check_prefix`.
    """
    name, stage = order.spec.short, order.stage.path
    python = services.python(order.spec, order.prefixes)
    if outcome.manifest is not None:
        return check_manifest(outcome.manifest, python)
    for path in apply_modes(order.prefix, modes):
        services.reporter.warning(
            f"{name}: {path} is installed without its set-id bit; the administrator of this "
            "machine may set it on a copy elsewhere"
        )
    checked = check_prefix(
        order.prefix,
        stages=tuple(dict.fromkeys((stage, Path(stage).resolve()))),
        python=python,
        pythonpath=any(x["name"] == "PYTHONPATH" for x in outcome.run_environment or ()),
    )
    for warning in checked.warnings:
        services.reporter.warning(f"{name}: {warning}")
    return checked


def _prefixes(step: Step, prefixes: Mapping[str, Path], prefix: Path) -> dict[str, Path]:
    """Return the prefixes of all nodes of the DAG that have one."""
    found = {step.hash: prefix}
    for node in step.spec.traverse(DEPTYPES, root=False):
        spec_hash = node.dag_hash()
        if spec_hash in prefixes:
            found[spec_hash] = prefixes[spec_hash]
        elif node.external is not None:
            found[spec_hash] = Path(node.external.path or "/")
    return found


def _hold_dependencies(
    stack: ExitStack,
    step: Step,
    services: InstallerDependencies,
    task: Task,
    cancelled: threading.Event,
) -> None:
    """Share the locks of what the build uses until the stack is left.

    :raises InstallError: if one of them has been removed meanwhile.
    """
    store, reporter = services.store, services.reporter
    reported: set[str] = set()
    nodes = step.spec.traverse(DEPTYPES, root=False)
    needed = {node.dag_hash(): node for node in nodes if node.external is None}
    there = {record.hash for record in store.database.records_of(needed)}
    for node in [node for digest, node in needed.items() if digest in there]:
        lock = store.locks.try_shared(node.dag_hash())
        while lock is None:
            if node.short not in reported:
                reported.add(node.short)
                holder = store.locks.holder(node.dag_hash())
                waiting = WaitingForDependency(step.spec.short, node.short, holder)
                task.phase(waiting)
                reporter.report(waiting)
            cancelled.wait(_INTERVAL)
            _stop_if(cancelled)
            lock = store.locks.try_shared(node.dag_hash())
        stack.enter_context(lock)
    there = {record.hash for record in store.database.records_of(step.requires)}
    for spec_hash in step.requires:
        if spec_hash not in there:
            missing = needed[spec_hash]
            raise InstallError(
                f"{missing.short}, which {step.spec.short} needs, was removed meanwhile",
                facts={"missing": spec_hash},
                hint="run the same command again",
                ref="install-dependency-missing",
            )


def _stop_if(cancelled: threading.Event) -> None:
    if cancelled.is_set():
        raise InstallError("cancelled", ref="install-cancelled")
