"""Recipes written into a repository: from a project on the package index."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from spack.actions.python_releases import (
    Fetchers,
    PythonRelease,
    offered_releases,
    read_release,
)
from spack.actions.recipe_draft import RecipeDraft, draft_recipe
from spack.actions.recipe_text import recipe_text
from spack.actions.release_needs import Need, variant_name
from spack.errors import SpackError, UsageError
from spack.recipe.records import Recipe
from spack.repo import RepoPath, Repository
from spack.spec import Spec, Version, VersionList
from spack.util.project_names import normalized

__all__ = [
    "BASE_PROJECTS",
    "CreateOptions",
    "CreatedRecipe",
    "Packages",
    "RecipeMaker",
    "write_recipe",
]


#: Projects that the base class of Python packages depends on: their recipes have another base.
BASE_PROJECTS = frozenset(("pip", "wheel"))


class CreateOptions(NamedTuple):
    """How recipes are made.

    :ivar versions: how many of the newest releases a recipe has.
    :ivar extras: of the first project, those that become variants; None is all but those for
        developers.
    :ivar recursive: also make recipes of what no repository has; what only an extra needs is left
        out unless it is asked for.
    :ivar force: replace recipes that are there.
    :ivar platform: what only another platform needs is left out too.
    :ivar bounds: project -> range that one of its versions is to be in, too.
    :ivar fitting: also make recipes of what has one without a version that fits; they come before
        it, so this is for a repository that only one environment uses.
    :ivar pythons: versions that there are: of each, a release that is for it is taken too.
    """

    versions: int = 5
    extras: tuple[str, ...] | None = None
    recursive: bool = False
    force: bool = False
    platform: str = "linux"
    bounds: Mapping[str, str] = MappingProxyType({})
    fitting: bool = False
    pythons: tuple[str, ...] = ()


class Wanted(NamedTuple):
    """A project that a recipe is needed of.

    :ivar versions: a range that one of its versions is to be in, "" for any.
    :ivar variants: those made from extras that are asked for.
    """

    project: str
    versions: str = ""
    variants: frozenset[str] = frozenset()


class CreatedRecipe(NamedTuple):
    """A recipe that was written.

    :ivar missing: projects that it depends on here, and no repository has.
    :ivar conditional: projects that only its variants or other platforms need, likewise.
    :ivar too_old: dependencies of which no repository has a version that is in the range.
    :ivar needed: what recipes are still needed of, for those two.
    """

    draft: RecipeDraft
    path: Path
    missing: tuple[str, ...]
    conditional: tuple[str, ...]
    too_old: tuple[str, ...]
    needed: tuple[Wanted, ...]


class Packages:
    """The packages that are made from projects of the index, and those that are being made."""

    def __init__(self, recipes: RepoPath) -> None:
        self._recipes = recipes

    def of_project(self, project: str) -> tuple[str, Recipe | None]:
        """Return the package made from a project, and its recipe if there is one."""
        name = self._recipes.package_of_project(project)
        return name, self._usable(name)

    def _usable(self, name: str) -> Recipe | None:
        if self._recipes.is_broken(name):
            return None
        return self._recipes.get(name)


class RecipeMaker(NamedTuple):
    """What recipes are made with."""

    repository: Repository
    packages: Packages
    fetchers: Fetchers
    options: CreateOptions

    def all_of(
        self, wanted: Sequence[Wanted], name: str | None, failed: Callable[[str, SpackError], None]
    ) -> Iterator[CreatedRecipe]:
        """Write recipes of *wanted*, and of what they need if asked; yield each.

        :param name: of the first package, by default ``py-PROJECT``.
        :param failed: called with what they need and no recipe can be made of.
        :raises UsageError: there is such a recipe, or the index has no such project.
        :raises FetchError: the index or an archive cannot be read.
        """
        made: dict[str, list[Wanted]] = {}
        below = self._replace(options=self.options._replace(extras=None, force=True))
        pending = list(wanted)
        while pending:
            current = pending.pop(0)
            before = made.setdefault(current.project, [])
            if current in before:
                continue
            before.append(current)
            first = current in wanted
            try:
                maker = self if first else below
                created = maker.one(current.project, name if first else None, before)
            except SpackError as error:
                if first:
                    raise
                failed(current.project, error)
                continue
            yield created
            if self.options.recursive:
                pending += created.needed

    def one(
        self, project: str, name: str | None = None, wanted: Sequence[Wanted] = ()
    ) -> CreatedRecipe:
        """Write the recipe of one project.

        :param wanted: ranges that it has a version in, and variants that it has.
        :raises UsageError: there is such a recipe, or the index has no such project.
        :raises FetchError: the index or an archive cannot be read.
        """
        if normalized(project) in BASE_PROJECTS:
            raise UsageError(
                f"cannot make a recipe of {project}: every Python package may depend on it",
                hint=f"copy the one of the repository venv: `spack edit py-{project}`",
                ref="base-project",
            )
        name = name or f"py-{normalized(project)}"
        refuse_existing(self.repository, name, self.options.force)
        texts = [row.versions for row in wanted] + [self.options.bounds.get(project, "")]
        ranges = [VersionList(text) for text in dict.fromkeys(texts) if text]
        variants = frozenset(x for row in wanted for x in row.variants)
        releases = read_releases(project, self.fetchers, self.options, ranges)
        chosen = tuple(self.options.extras or ()) or None
        draft = draft_recipe(name, releases, self.packages.of_project, chosen, variants)
        path = write_recipe(self.repository, name, recipe_text(draft))
        active = variants | {variant_name(extra) for extra in chosen or ()}
        return CreatedRecipe(draft, path, *self._unmet(draft, active))

    def _unmet(
        self, draft: RecipeDraft, variants: Collection[str]
    ) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...], tuple[Wanted, ...]]:
        """Return the last four fields of a :class:`CreatedRecipe`."""
        missing: dict[str, None] = {}
        conditional: dict[str, None] = {}
        too_old: dict[str, None] = {}
        needed: dict[Wanted, None] = {}
        for need, _ in draft.dependencies:
            if not need.project or need.package == draft.name:
                continue
            here = applies(need, variants, self.options.platform)
            _, recipe = self.packages.of_project(need.project)
            spec = Spec.parse(need.spec)
            if recipe is None:
                (missing if here else conditional)[need.project] = None
            elif not self._fits(need.project, spec, recipe):
                too_old[need.spec] = None
            else:
                continue
            if here and (recipe is None or self.options.fitting):
                needed[_wanted(need.project, spec)] = None
        only = tuple(x for x in conditional if x not in missing)
        return tuple(missing), only, tuple(too_old), tuple(needed)

    def _fits(self, project: str, spec: Spec, recipe: Recipe) -> bool:
        """Return whether a version of *recipe* is in the range of *spec* and in its bounds."""
        bound = VersionList(self.options.bounds.get(project) or ":")
        versions = [Version(row.version) for row in recipe.versions]
        return any(version in spec.versions and version in bound for version in versions)


def applies(need: Need, variants: Collection[str], platform: str) -> bool:
    """Return whether *need* can apply with these variants of its dependent on this platform."""
    when = Spec.parse(need.when)
    return set(when.variants) <= set(variants) and when.platform in (None, platform)


def _wanted(project: str, spec: Spec) -> Wanted:
    versions = "" if spec.versions.is_any else str(spec.versions)
    return Wanted(project, versions, frozenset(spec.variants))


def read_releases(
    project: str, fetchers: Fetchers, options: CreateOptions, ranges: Sequence[VersionList] = ()
) -> list[PythonRelease]:
    """Return the newest releases of a project, newest first; archives are fetched side by side.

    :param ranges: of each of these the newest is taken too.
    """
    offered = offered_releases(project, fetchers.checked)
    chosen = {row.version for row in offered[: max(1, options.versions)]}
    for versions in ranges:
        chosen.update([row.version for row in offered if Version(row.version) in versions][:1])
    for python in options.pythons:
        fitting = [row.version for row in offered if row.admits(python)]
        if chosen.isdisjoint(fitting):
            chosen.update(fitting[:1])
    rows = [row for row in offered if row.version in chosen]
    with ThreadPoolExecutor(max_workers=4) as pool:
        return list(pool.map(lambda files: read_release(files, fetchers), rows))


def refuse_existing(repository: Repository, name: str, force: bool) -> None:
    """Raise if there is such a recipe.

    :raises UsageError: there is one, and it may not be replaced.
    """
    path = repository.recipe_file(name)
    if path.exists() and not force:
        raise UsageError(
            f"the recipe {path} exists",
            hint=f"`spack update {name}` adds new versions; `--force` replaces it",
            ref="recipe-exists",
        )


def write_recipe(repository: Repository, name: str, text: str) -> Path:
    """Write a recipe into *repository* and return its path.

    :raises UsageError: the repository cannot be written.
    """
    path = repository.recipe_file(name)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(
            f"cannot write {path}: {error.strerror or error}",
            hint="name another: `spack create --repo DIR`; `spack repo create` makes one",
            ref="repo-unwritable",
        ) from error
    return path
