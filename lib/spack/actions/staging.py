"""Stages: the sources of a plan's steps, fetched, verified, unpacked and patched."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Callable

from spack.actions.developing import is_editable, source_directory, state_of
from spack.build import worker_process
from spack.build.options import BuildOptions
from spack.errors import RecipeError
from spack.fetch.develop_sources import check_directory, copy_sources
from spack.fetch.source import Pinned
from spack.fetch.stage import Stage
from spack.install.events import Fetching, Staged
from spack.install.plan import BUILD, Step
from spack.recipe.provisions import provided_by
from spack.recipe.records import PatchRecord, Recipe, ResourceRecord
from spack.spec import ConcreteSpec
from spack.spec.wheel import wheel_of
from spack.util.report import Failed, Reporter, Task

if TYPE_CHECKING:
    # start-up: imported by the first download
    from spack.fetch.transport import Progress

__all__ = [
    "StagedSources",
    "pinned_of",
    "patches_of",
    "refuse_spliced",
    "report_staging",
    "resources_of",
    "stage_sources",
]


class StagedSources:
    """Fetches, verifies and unpacks what the steps of a plan need.

    :param steps: also those that need no build: a dependent may add a patch to a dependency.
    """

    def __init__(self, build_options: BuildOptions, steps: Iterable[Step]) -> None:
        self._build_options = build_options
        self._dependents: dict[str, list[ConcreteSpec]] = {}
        for step in steps:
            for edge in step.spec.edges:
                self._dependents.setdefault(edge.spec.dag_hash(), []).append(step.spec)

    def stage(self, step: Step, task: Task, cancelled: Callable[[], bool]) -> Stage:
        """See :class:`spack.install.interfaces.Sources`."""
        spec = step.spec
        refuse_spliced(spec)
        recipe = self._build_options.recipe(spec)
        task.phase(Fetching())

        def progress(done: int, total: int | None) -> None:
            if cancelled():
                raise worker_process.Cancelled("the fetch was cancelled")
            task.progress(done, total or 0)

        path = self._build_options.stage_path(spec)
        if path.exists():
            Stage(path, path).destroy()
        if spec.is_develop:
            return self._develop(recipe, spec, path, progress)
        return self._build_options.fetcher.stage(
            recipe,
            str(spec.version),
            path,
            resources=resources_of(recipe, spec, self._build_options.recipe),
            patches=self.patches(recipe, spec),
            pinned=pinned_of(spec),
            progress=progress,
        )

    def _develop(self, recipe: Recipe, spec: ConcreteSpec, path: Path, progress: Progress) -> Stage:
        """Return a stage with a copy of the developer's directory, or with itself if editable."""
        build_options = self._build_options
        source = source_directory(spec)
        check_directory(source, spec.name)
        patches = () if is_editable(spec) else self.patches(recipe, spec)
        stage = build_options.fetcher.stage_patches(path, patches, progress)
        made = state_of(spec, build_options.excluded_directories)
        if is_editable(spec):
            return replace(stage, source_path=source, developed=made)
        copy_sources(source, stage.source_path, build_options.excluded_directories)
        return replace(stage, developed=made)

    def fetch(self, spec: ConcreteSpec, task: Task) -> None:
        """Fetch everything that :meth:`stage` needs into the cache."""
        recipe = self._build_options.recipe(spec)
        if spec.is_develop:
            return
        task.phase(Fetching())
        self._build_options.fetcher.fetch_all(
            recipe,
            str(spec.version),
            resources=resources_of(recipe, spec, self._build_options.recipe),
            patches=self.patches(recipe, spec),
            pinned=pinned_of(spec),
            progress=lambda done, total: task.progress(done, total or 0),
        )

    def patches(self, recipe: Recipe, spec: ConcreteSpec) -> list[tuple[Recipe, PatchRecord]]:
        """Return the recipe's own patches that apply, then those that dependents add."""
        dependents = self._dependents.get(spec.dag_hash(), ())
        return patches_of(spec, recipe, dependents, self._build_options.recipe)


def patches_of(
    spec: ConcreteSpec,
    recipe: Recipe,
    dependents: Iterable[ConcreteSpec],
    recipe_of: Callable[[ConcreteSpec], Recipe],
) -> list[tuple[Recipe, PatchRecord]]:
    """Return the patches of *spec* with the recipe that has each: its own, then *dependents'*.

    A wheel of the index has none.
    """
    if wheel_of(spec) is not None:
        return []
    holds = _conditions(recipe_of)
    found = [(recipe, patch) for patch in recipe.patches if holds(spec, patch.when)]
    for dependent in dependents:
        owner = recipe_of(dependent)
        for row in owner.dependencies:
            if row.patches and holds(dependent, row.when) and holds(spec, row.spec):
                found += [(owner, patch) for patch in row.patches if holds(spec, patch.when)]
    unique = {patch.sha256 or patch.source: (owner, patch) for owner, patch in found}
    _check_locked(spec, [patch for _, patch in unique.values()])
    return list(unique.values())


def refuse_spliced(spec: ConcreteSpec) -> None:
    """Refuse to build what Spack makes of a finished binary.

    :raises RecipeError: dependencies of *spec* were exchanged after it was built.
    """
    if spec.is_spliced:
        raise RecipeError(
            f"cannot build {spec.short}: it is spliced, so Spack installs it from a binary cache",
            facts={"hash": spec.dag_hash()},
            hint="let Spack install it, and name its install tree: spack upstream add NAME PATH",
            ref="locked-splice",
        )


def _check_locked(spec: ConcreteSpec, patches: Iterable[PatchRecord]) -> None:
    """Check that a node which Spack made gets the patches that are part of it.

    :raises RecipeError: the recipe that is here has other ones.
    """
    locked = set(spec.variants["patches"].values) if "patches" in spec.variants else set()
    found = {patch.sha256 for patch in patches if patch.sha256}
    if not spec.is_of_spack or found == locked:
        return
    raise RecipeError(
        f"cannot build {spec.short} as it is locked: the recipe has other patches",
        facts={"locked": sorted(locked - found), "recipe": sorted(found - locked)},
        hint="use the repository that it was concretized with, or: spack concretize --force",
        ref="locked-patches",
    )


def report_staging(build_options: BuildOptions, spec: ConcreteSpec, reporter: Reporter) -> Stage:
    """Stage the sources of one node, as a task of its own.

    :raises SpackError: as :func:`stage_sources`; the task has failed then.
    """
    task = reporter.task(spec.dag_hash(), spec.short)
    try:
        stage = stage_sources(build_options, spec, task)
    except BaseException as error:
        task.fail(Failed(error))
        raise
    task.finish(Staged(stage.path))
    return stage


def stage_sources(build_options: BuildOptions, spec: ConcreteSpec, task: Task) -> Stage:
    """Unpack the sources of a node and leave them there.

    :raises StoreError: another process installs the node now, from the same stage.
    """
    sources = StagedSources(build_options, [Step(BUILD, node, ()) for node in spec.traverse()])
    with build_options.store.locks.exclusive(spec.dag_hash(), timeout=0):
        return sources.stage(Step(BUILD, spec, ()), task, lambda: False)


def pinned_of(spec: ConcreteSpec) -> Pinned:
    """Return the wheel that a spec is installed from, the commit of ``commit=``, or None."""
    wheel = wheel_of(spec)
    if wheel is not None:
        return wheel
    value = spec.variants.get("commit")
    return None if value is None else value.values[0]


def resources_of(
    recipe: Recipe, spec: ConcreteSpec, recipe_of: Callable[[ConcreteSpec], Recipe]
) -> list[ResourceRecord]:
    """Return the resources whose condition holds; a wheel of the index has none."""
    if wheel_of(spec) is not None:
        return []
    holds = _conditions(recipe_of)
    return [resource for resource in recipe.resources if holds(spec, resource.when)]


def _conditions(
    recipe_of: Callable[[ConcreteSpec], Recipe],
) -> Callable[[ConcreteSpec, str], bool]:
    """Return what decides whether a condition of a recipe holds for a node."""
    provided = provided_by(lambda node: recipe_of(node).provides)
    return lambda spec, when: not when or spec.satisfies(when, provided=provided)
