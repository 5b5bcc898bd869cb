"""Projects on the package index without a recipe: gathered with all that they need.

From the projects that are asked for (``pypi:NAME``), the metadata of some releases are read, then
those of the projects that these need, until nothing new is met. Of each project these are the
newest releases and the newest of each range that something needs; a recipe, where there is one, is
taken instead.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from spack.errors import SpackError, UsageError
from spack.recipe.index_recipes import (
    IndexRelease,
    extra_variant,
    index_recipe,
    read_release_needs,
)
from spack.recipe.package_names import INDEX_NAMESPACE
from spack.recipe.records import Recipe
from spack.recipe.wheel_offers import AbiOfPython, WheelTable
from spack.repo.index_repository import IndexRepository
from spack.spec import Spec, Version, VersionList
from spack.util.project_names import normalized

if TYPE_CHECKING:
    from spack.actions.index_metadata import IndexMetadata
    from spack.actions.index_wheels import IndexWheels
    from spack.repo import RepoPath

__all__ = ["IndexProjects", "RecipesWithIndex", "names_index_project"]

#: How many of the newest releases of a project are looked at for each interpreter, and of each
#: range.
_NEWEST, _OF_RANGE = 6, 2

_THREADS = 16


def names_index_project(spec: Spec) -> bool:
    """Return whether some part of *spec* is a project of the index (``pypi:NAME``)."""
    return any(part.namespace == INDEX_NAMESPACE for part in spec.traverse())


@dataclass
class _Gathered:
    """What is known of one project.

    :ivar ranges: versions that something needs. :ivar extras: that something asks for.
    """

    name: str
    ranges: dict[str, None] = field(default_factory=dict)
    extras: set[str] = field(default_factory=set)
    releases: dict[str, IndexRelease] = field(default_factory=dict)
    #: The extras that :attr:`releases` were read with.
    read_with: frozenset[str] = frozenset()

    def may_be(self, version: str, python: AbiOfPython) -> bool:
        """Return whether a release can be used with *python*, as far as it has been read."""
        release = self.releases.get(version)
        if release is None:
            return True
        return not release.reason and (
            not release.python or VersionList.parse(release.python).holds(Version(python.version))
        )


class IndexProjects:
    """Gathers projects for one problem.

    :param pythons: the interpreters that there may be.
    :param platform: of the machine, ``linux``.
    """

    def __init__(
        self,
        recipes: RepoPath,
        wheels: IndexWheels,
        metadata: IndexMetadata,
        repository: IndexRepository,
        *,
        pythons: Sequence[AbiOfPython],
        platform: str,
    ) -> None:
        self._recipes = recipes
        self._wheels = wheels
        self._metadata = metadata
        self._repository = repository
        self._pythons = pythons
        self._platform = platform
        self._known: dict[str, _Gathered] = {}

    def gather(self, specs: Iterable[Spec]) -> Mapping[str, Recipe]:
        """Return the recipes of the projects that *specs* name, and of all that they need.

        :raises UsageError: the index has no such project, or it does not have an extra.
        :raises SpackError: the index cannot be asked.
        """
        roots: list[str] = []
        for spec in specs:
            for part in spec.traverse():
                if part.namespace == INDEX_NAMESPACE:
                    asked = self._ask(
                        part.name, "" if part.versions.is_any else str(part.versions), ()
                    )
                    named = set(part.variants) - {"build_system"}
                    asked.extras.update(name.replace("_", "-") for name in named)
                    roots.append(part.name)
        waiting = list(dict.fromkeys(roots))
        with ThreadPoolExecutor(_THREADS, thread_name_prefix="metadata") as pool:
            while waiting:
                for name in waiting:
                    self._wheels.start(_project(name))
                needed = self._round(waiting, pool)
                again = [name for name in waiting if self._versions(name)]
                waiting = list(dict.fromkeys([*needed, *again]))
        for name in roots:
            self._check(self._known[name])
        return {name: self._recipe(found) for name, found in self._known.items()}

    def _ask(self, name: str, versions: str, extras: Iterable[str]) -> _Gathered:
        found = self._known.setdefault(name, _Gathered(name))
        found.ranges.setdefault(versions)
        found.extras.update(extras)
        return found

    def _round(self, names: Sequence[str], pool: ThreadPoolExecutor) -> list[str]:
        """Read the metadata of releases of these projects; return those to look at next."""
        wanted = [
            (self._known[name], version) for name in names for version in self._versions(name)
        ]
        read = pool.map(lambda row: self._release(*row), wanted)
        asked: dict[str, None] = {}
        for (project, version), release in zip(wanted, read):
            project.releases[version] = release
            for need in release.needs:
                package, recipe = self._package_of(need.project)
                if recipe is None and self._is_new(package, need.versions, need.extras):
                    self._ask(package, need.versions, need.extras)
                    asked.setdefault(package)
            for further in release.switched.values():
                if not project.extras.issuperset(further):
                    project.extras.update(further)
                    asked.setdefault(project.name)
        return list(asked)

    def _is_new(self, package: str, versions: str, extras: Iterable[str]) -> bool:
        known = self._known.get(package)
        return known is None or versions not in known.ranges or not known.extras.issuperset(extras)

    def _versions(self, name: str) -> list[str]:
        """Return the releases of a project that are to be read now."""
        project, table = self._known[name], self._wheels.table(_project(name))
        if isinstance(table, str):
            return []
        extras = frozenset(project.extras)
        if extras != project.read_with:
            project.releases.clear()
            project.read_with = extras
        chosen: dict[str, None] = {}
        for python in self._pythons:
            fitting = [
                version
                for version in table.versions()
                if table.best(version, python) is not None and project.may_be(version, python)
            ]
            chosen.update(dict.fromkeys(fitting[:_NEWEST]))
            for text in filter(None, project.ranges):
                admitted = VersionList.parse(text)
                within = [version for version in fitting if admitted.holds(Version(version))]
                chosen.update(dict.fromkeys(within[:_OF_RANGE]))
        return [version for version in chosen if version not in project.releases]

    def _release(self, project: _Gathered, version: str) -> IndexRelease:
        table = self._wheels.table(_project(project.name))
        assert isinstance(table, WheelTable)
        try:
            metadata = self._metadata.of(_project(project.name), table.files(version))
        except SpackError as error:
            return IndexRelease(version, reason=error.message)
        return read_release_needs(
            _project(project.name), version, metadata, project.read_with, self._platform
        )

    def _check(self, project: _Gathered) -> None:
        """Check a project that the user names.

        :raises UsageError: nothing of it can be used, or it does not have an extra.
        """
        name = _project(project.name)
        usable = [x for x in project.releases.values() if not x.reason]
        if not usable:
            table = self._wheels.table(name)
            reasons = [x.reason for x in project.releases.values()]
            why = table if isinstance(table, str) else next(iter(reasons), "it has no wheel")
            raise UsageError(
                f"cannot use the project {name} of the package index: {why}",
                facts={"project": name},
                hint="check its name, and `pip config list` for the index; or write a recipe: "
                f"`spack create --pypi {name}`",
                ref="no-project",
            )
        offered = {extra_variant(extra) for release in usable for extra in release.extras}
        missing = sorted({extra_variant(x) for x in project.extras} - offered)
        if missing:
            extras = sorted({extra for release in usable for extra in release.extras})
            raise UsageError(
                f"the project {name} has no extra {', '.join(missing)}",
                facts={"project": name, "extras": extras},
                hint=f"its extras are {', '.join(extras)}" if extras else "it has no extras",
                ref="no-extra",
            )

    def _package_of(self, project: str) -> tuple[str, Recipe | None]:
        name = self._recipes.package_of_project(normalized(project))
        return name, self._recipes.get(name)

    def _recipe(self, project: _Gathered) -> Recipe:
        bare = self._repository.recipe(project.name)
        releases = sorted(
            project.releases.values(), key=lambda row: Version(row.version), reverse=True
        )
        offered = {extra for release in releases for extra in release.extras}
        return index_recipe(bare, releases, project.extras & offered, self._package_of)


def _project(name: str) -> str:
    return name.partition("-")[2]


class RecipesWithIndex:
    """The recipes of *recipes*, then those of *projects*."""

    def __init__(self, recipes: RepoPath, projects: Mapping[str, Recipe]) -> None:
        self._recipes = recipes
        self._projects = projects

    def get(self, name: str) -> Recipe | None:
        """Return the facts of package *name*, of the index where no repository has it."""
        namespace, _, bare = name.rpartition(".")
        found = None if namespace == INDEX_NAMESPACE else self._recipes.get(name)
        return found or (self._projects.get(bare) if namespace in ("", INDEX_NAMESPACE) else None)

    def exists(self, name: str) -> bool:
        """Return whether there is a recipe or a project of this name."""
        return name in self._projects or self._recipes.exists(name)

    def providers(self, virtual: str) -> Sequence[str]:
        """Return the names of the packages that can provide *virtual*."""
        return self._recipes.providers(virtual)

    def is_virtual(self, name: str) -> bool:
        """Return whether *name* is a virtual package."""
        return self._recipes.is_virtual(name)

    def suggestions(self, name: str) -> Sequence[str]:
        """Return known names that look like *name*."""
        return self._recipes.suggestions(name)

    def unknown(self, name: str) -> SpackError:
        """Return the error for a package that does not exist."""
        return self._recipes.unknown(name)
