"""Environments as the commands use them: concretize, install, view, remember."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import (
    TYPE_CHECKING,
    Any,
    Callable,
)

from spack.actions.notices import (
    Concretized,
    DryRun,
    InterpreterMissing,
    RecipesChanged,
    ViewUpdated,
)
from spack.environment import (
    Environment,
    Lockfile,
    list_environments,
)
from spack.environment.lockfile import (
    LOCKFILE_NAME,
    configuration_digest,
    read_lockfile,
)
from spack.environment.named_environments import MANIFEST_NAME
from spack.errors import (
    EnvironmentFileError,
    InstallError,
    SpackError,
    SpecError,
    StoreError,
    ViewError,
)
from spack.install.plan import PlanOptions, make_plan
from spack.spec import Spec
from spack.util.filesystem import atomic_write, make_shared_directory
from spack.util.frozen import field, frozen
from spack.util.json_input import parse_json
from spack.util.lock import FileLock

if TYPE_CHECKING:
    # What builds and what solves is imported when it has something to do.
    from spack.actions.concretizing import ConcretizeOptions
    from spack.actions.installing import InstallOptions
    from spack.actions.views import ViewParts
    from spack.config.schema import Origin
    from spack.config.variables import Variables
    from spack.environment import (
        ViewDescriptor,
    )
    from spack.environment.lockfile import (
        LockedRoot,
    )
    from spack.install.plan import Part
    from spack.repo import RepoPath
    from spack.solver.problem import Solution
    from spack.spec import ConcreteSpec
    from spack.store import Store
    from spack.util.report import Reporter
    from spack.view.apply import ViewResult

__all__ = [
    "EnvironmentWork",
    "concretize_environment",
    "install_environment",
    "known_environments",
    "living_roots",
    "parse_at",
    "regenerate_views",
    "remember",
    "set_view",
]


@frozen
class EnvironmentWork:
    """Everything that updating an environment needs.

    :param configuration: merged sections that the solution depends on, plain data by section.
    :param views: the views that ``spack.yaml`` asks for.
    :param solve: makes the roots concrete, given whether what is locked may change, and further
        concrete specs that may be used.
    :param included: directories of the environments whose concrete specs are part of this one,
        and where each is named.
    :param recipes: opened only when something is missing.
    :param view_parts: what views are made with; made when there is one to make.
    :param register: where environments outside of the named ones are remembered.
    :param registered: the environments that exist, this one among them or not.
    :param variables: what the paths in every ``spack.yaml`` may name.
    :param excluded_directories: directories of the engine among a developer's sources.
    """

    environment: Environment
    configuration: Mapping[str, Any]
    views: tuple[ViewDescriptor, ...]
    solve: Callable[[ConcretizeOptions, bool, Sequence[ConcreteSpec]], Solution]
    store: Store
    recipes: Callable[[], RepoPath]
    view_parts: Callable[[], ViewParts]
    register: Path
    reporter: Reporter
    included: Mapping[Path, Origin] = field(default_factory=dict)
    registered: Callable[[], Iterable[Environment]] = tuple
    variables: Variables | None = None
    excluded_directories: Callable[[], tuple[Path, ...]] = tuple


def concretize_environment(
    work: EnvironmentWork,
    concretize_options: ConcretizeOptions,
    *,
    force: bool = False,
    write: bool = True,
    follow: bool = False,
) -> tuple[tuple[ConcreteSpec, ...], bool]:
    """Return the concrete roots and whether they are new; write the lock file if they are.

    The caller holds the environment's lock.

    :param force: decide again although nothing has changed, and forget what was decided.
    :param write: False only reports what would be decided.
    :param follow: decide again too where an included environment has been concretized again.
    """
    environment = work.environment
    asked = environment.user_specs()
    digest = configuration_digest(work.configuration)
    lock = environment.lockfile
    if concretize_options.as_locked:
        if lock is None:
            raise EnvironmentFileError(
                f"{environment.name} is not concretized",
                hint=f"spack -e {environment.name} concretize",
                ref="not-concretized",
            )
        return environment.roots(), False
    force = force or concretize_options.force
    paths = {str(path) for path in work.included}
    if (
        lock is not None
        and not force
        and lock.is_current(asked, digest)
        and paths == set(lock.included)
        and not (follow and _roots_by_path(_included_locks(work)) != lock.included)
    ):
        changed, missing = _changed_recipes(work), _missing_interpreters(environment.roots())
        if not changed and not missing:
            return environment.roots(), False
        if changed:
            work.reporter.report(RecipesChanged(tuple(changed)))
        if missing:
            work.reporter.report(InterpreterMissing(missing))
        force = True
    included = _included_locks(work)
    more = tuple(root for lock in included.values() for root in lock.concrete_roots())
    solution = work.solve(concretize_options, force, more)
    new = Lockfile.from_solution(zip(asked, solution.roots), digest).including(included)
    if write:
        environment.write_lockfile(new)
    return new.concrete_roots() if included else solution.roots, True


def _missing_interpreters(roots: Iterable[ConcreteSpec]) -> tuple[str, ...]:
    """Return the external interpreters below *roots* that were removed since; a stat for each."""
    found = {
        str(node.extra_attributes.get("executable") or "")
        for root in roots
        for node in root.traverse()
        if node.name == "python" and node.external is not None
    }
    return tuple(sorted(path for path in found if path and not os.path.exists(path)))


def _included_locks(work: EnvironmentWork) -> dict[str, Lockfile]:
    """Return the locks of the included environments as they are now, by directory.

    :raises EnvironmentFileError: one is not there, or is not concretized.
    """
    locks: dict[str, Lockfile] = {}
    for path, origin in work.included.items():
        lock = read_lockfile(path / LOCKFILE_NAME)
        if lock is None:
            there = (path / MANIFEST_NAME).is_file()
            reason = "it is not concretized" if there else "there is no environment"
            raise EnvironmentFileError(
                f"{origin}: cannot include {path}: {reason}",
                facts={"path": str(path)},
                hint=f"spack -e {path} concretize" if there else "correct the path",
                ref="environment-include",
            )
        locks[str(path)] = lock
    return locks


def _roots_by_path(locks: Mapping[str, Lockfile]) -> dict[str, tuple[LockedRoot, ...]]:
    return {path: lock.every_root for path, lock in locks.items()}


def _changed_recipes(work: EnvironmentWork) -> list[str]:
    """Return the locked packages that are still to be built by a changed recipe.

    What is installed stays as it was decided, whatever its recipe has become. So do nodes that
    Spack decided: its hashes of recipes cannot be compared.
    """
    there = work.store.database.installed_hashes()
    roots = work.environment.roots()
    missing = {
        node.dag_hash(): node
        for root in roots
        for node in root.traverse()
        if node.external is None and not node.is_of_spack and node.dag_hash() not in there
    }
    changed = []
    for node in missing.values():
        recipe = work.recipes().get(node.fullname)
        if recipe is not None and recipe.content_hash != node.package_hash:
            changed.append(node.name)
    # Build dependencies of what is installed are missing too, and are not needed.
    needed = {step.spec.name for step in make_plan(roots, there).builds} if changed else set()
    return sorted(needed & set(changed))


def install_environment(
    work: EnvironmentWork,
    building: InstallOptions,
    concretize_options: ConcretizeOptions,
    *,
    only: Part = "all",
    again: Callable[[ConcreteSpec], bool] = lambda root: False,
    dry_run: bool = False,
) -> None:
    """Concretize if needed, build what is missing, make the views.

    :param only: see :class:`spack.install.plan.PlanOptions`; without the roots no view is made.
    :param again: which roots are built although they are installed.
    :param dry_run: only report what would be done; nothing is written, the lock file neither.
    :raises InstallError: something could not be built; views are left as they were, and those that
        are not there yet are made of what is installed.
    """
    from spack.actions.developing import outdated
    from spack.actions.installing import install

    roots, new = concretize_environment(work, concretize_options, write=not dry_run)
    reporter = work.reporter
    if new:
        reporter.report(Concretized(len(roots), _count_nodes(roots)))
    _check_views(work, roots)
    overwrite = frozenset(root.dag_hash() for root in roots if again(root))
    overwrite |= outdated(roots, work.store, work.excluded_directories, reporter)
    options = PlanOptions(
        only=only,
        overwrite=overwrite,
        tests=concretize_options.tested,
        implicit=work.environment.implicit_roots(),
    )
    if not dry_run:
        remember(work.environment, work.register)
    try:
        plan = install(roots, options, building, dry_run=dry_run)
    except InstallError:
        if not dry_run and only != "dependencies":
            _make_first_views(work)
        raise
    if dry_run:
        reporter.report(DryRun(plan))
        return
    if only == "dependencies":
        return
    regenerate_views(work, check=False)


def _make_first_views(work: EnvironmentWork) -> None:
    """Make the views that are not there yet, of what is installed.

    One that is not possible is left out: the caller reports why packages are missing.
    """
    from spack.actions.views import make_view
    from spack.view.view_manifest import is_view

    for view in work.views:
        if is_view(view.root):
            continue
        roots, parts = work.environment.roots_of(view.groups), work.view_parts()
        with contextlib.suppress(ViewError):
            result = make_view(view, roots, parts, prompt=work.environment.name, partial=True)
            work.reporter.report(ViewUpdated(result))


def _count_nodes(roots: Iterable[ConcreteSpec]) -> int:
    return len({node.dag_hash() for root in roots for node in root.traverse()})


def regenerate_views(
    work: EnvironmentWork, *, force: bool = False, check: bool = True
) -> Sequence[ViewResult]:
    """Update all views and report what the user should know.

    :param check: see :func:`spack.view.apply.update_view`.
    :raises ViewError: see :func:`spack.actions.views.make_view`; a view is at a path where it
        would be in the way.
    """
    from spack.actions.views import make_view

    results = []
    roots = work.environment.roots()
    _check_views(work, roots)
    for view in work.views:
        result = make_view(
            view,
            work.environment.roots_of(view.groups),
            work.view_parts(),
            prompt=work.environment.name,
            force=force,
            check=check,
        )
        results.append(result)
        work.reporter.report(ViewUpdated(result))
    return results


def _check_views(work: EnvironmentWork, roots: Sequence[ConcreteSpec]) -> None:
    """Refuse before anything is built or changed what no view can be made of.

    :raises ViewError: a view is where it would be in the way, or leads out of its root.
    :raises SpecError: a view's own specs cannot be read.
    """
    from spack.actions.views import check_locations

    for view in work.views:
        _refuse_location(work, view)
        check_locations(view, roots)


def _refuse_location(work: EnvironmentWork, view: ViewDescriptor) -> None:
    """Refuse a view in the store, around the environment, or at the path of another environment's.

    :raises ViewError: the view would be in the store, around the environment, or another's.
    """
    root, here = Path(view.root).resolve(), work.environment.path.resolve()
    store = Path(work.store.root).resolve()
    reason = ""
    if store == root or store in root.parents:
        reason = f"is inside the install tree {store}"
    elif root in store.parents:
        reason = f"holds the install tree {store}"
    elif here == root or root in here.parents:
        reason = f"holds the environment {here} itself"
    elif here not in root.parents:
        # Only a view outside of its environment's directory can be that of two.
        other = _environment_of(root, here, work.registered(), work.variables)
        reason = f"is a view of the environment {other.path} too" if other is not None else ""
    if reason:
        raise ViewError(
            f"{view.origin}: the view {view.root} {reason}",
            facts={"view": view.root, "environment": str(here)},
            hint="give the view a directory of its own: 'view: /some/where/else'",
            ref="view-place",
        )


def _environment_of(
    root: Path, here: Path, environments: Iterable[Environment], variables: Variables | None
) -> Environment | None:
    """Return the environment, other than that in *here*, one of whose views is at *root*."""
    for environment in environments:
        if environment.path.resolve() == here:
            continue
        try:
            views = environment.views(variables)
        except SpackError:
            continue  # what cannot be read makes no view
        if any(Path(view.root).resolve() == root for view in views):
            return environment
    return None


def parse_at(text: str, origin: Origin) -> Spec:
    """Return the spec in a file.

    :raises SpecError: with the position in the file.
    """
    try:
        return Spec(text)
    except SpecError as error:
        raise error.at(origin) from error


def remember(environment: Environment, register: Path) -> None:
    """Remember an environment and what it needs, so that ``gc`` keeps that, also other users'.

    A register that cannot be written is left alone.
    """
    path = str(environment.path)
    hashes: list[str] = []
    with contextlib.suppress(SpackError):  # a damaged one: gc says so
        lock = environment.lockfile
        hashes = [] if lock is None else sorted({root.hash for root in lock.every_root})
    if _read(register).get(path) == hashes:
        return
    try:
        make_shared_directory(register.parent, register.parent.parent)
        # Two at once must not forget each other's: gc would remove what the forgotten one needs.
        with FileLock(register.with_suffix(".lock")).exclusive():
            text = json.dumps({**_read(register), path: hashes}, indent=1, sort_keys=True)
            atomic_write(register, text + "\n", shared=True)
    except (OSError, StoreError):
        pass  # read-only installation: its store is read-only too, so nothing is removed from it


def known_environments(root: Path, register: Path) -> list[Environment]:
    """Return named environments and the remembered ones that still exist.

    Those in directories of other users that cannot be read are left out.
    """
    known = [Environment(root / name, name, named=True) for name in list_environments(root)]
    named = {environment.path for environment in known}
    for path in map(Path, _read(register)):
        if path not in named and os.path.isfile(path / MANIFEST_NAME):
            known.append(Environment(path))
    return known


def living_roots(root: Path, register: Path) -> Mapping[str, tuple[str, ...]]:
    """Return the root hashes of all existing environments, with their names (or paths).

    What another user's environment needs, which cannot be read, is what was remembered of it.

    :raises SpackError: one of them cannot be read: what it needs is not known then.
    """
    found: dict[str, list[str]] = {}
    problems: list[SpackError] = []
    remembered = _read(register)
    closed = {path for path in remembered if _is_closed(Path(path))}
    for path in closed:
        for digest in remembered[path]:
            found.setdefault(digest, []).append(path)
    for environment in known_environments(root, register):
        if str(environment.path) in closed:
            continue
        try:
            lock = environment.lockfile
        except SpackError as error:
            problems.append(error)
            continue
        label = environment.name if environment.named else str(environment.path)
        for locked in () if lock is None else lock.every_root:
            found.setdefault(locked.hash, []).append(label)
    if problems:
        raise SpackError(
            "some environments cannot be read, so what they need is unknown",
            hint="mend or remove them first",
            causes=problems,
        )
    return {digest: tuple(dict.fromkeys(labels)) for digest, labels in found.items()}


def _is_closed(path: Path) -> bool:
    """Return whether this user may not read the environment in *path*."""
    try:
        for name in (MANIFEST_NAME, LOCKFILE_NAME):
            with contextlib.suppress(FileNotFoundError):
                os.close(os.open(path / name, os.O_RDONLY | os.O_CLOEXEC))
    except PermissionError:
        return True
    except OSError:
        return False
    return False


def set_view(environment: Environment, view: bool | str, views: Iterable[ViewDescriptor]) -> None:
    """Turn the view on (at a path, if *view* is one) or off in ``spack.yaml``.

    :param views: those of before; one that the environment no longer has is removed.
    """
    from spack.view.apply import remove_view
    from spack.view.view_manifest import is_view

    # The file first: a view that cannot be turned off there is not removed.
    environment.set_view(view)
    if view is True:
        return
    for old in views:
        if old.root != view and is_view(old.root):
            remove_view(old.root)


def _read(register: Path) -> Mapping[str, list[str]]:
    """Return the hashes that environments need, by their paths; earlier files have paths only."""
    try:
        data = parse_json(register.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    if isinstance(data, list):
        data = {path: [] for path in data if isinstance(path, str)}
    rows = data.items() if isinstance(data, dict) else ()
    return {path: hashes for path, hashes in rows if isinstance(hashes, list)}
