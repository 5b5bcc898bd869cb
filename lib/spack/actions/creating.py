"""Recipes written into a repository: from a project on the package index."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from spack.actions.python_releases import (
    Fetchers,
    PythonRelease,
    offered_releases,
    read_release,
)
from spack.actions.recipe_draft import RecipeDraft, draft_recipe
from spack.actions.recipe_queries import recipes_of
from spack.actions.recipe_text import recipe_text
from spack.errors import SpackError, UsageError
from spack.recipe.records import Recipe
from spack.recipe.requirements import project_of
from spack.repo import RepoPath, Repository
from spack.spec import Spec, Version
from spack.util.project_names import normalized

__all__ = ["CreateOptions", "CreatedRecipe", "Packages", "RecipeMaker", "write_recipe"]


class CreateOptions(NamedTuple):
    """How recipes are made.

    :ivar versions: how many of the newest releases a recipe has.
    :ivar extras: those that become variants; None is all but those for developers.
    :ivar recursive: also make recipes of what no repository has; what only an extra needs is left
        out unless ``extras`` names it.
    :ivar force: replace recipes that are there.
    """

    versions: int = 5
    extras: tuple[str, ...] | None = None
    recursive: bool = False
    force: bool = False


class CreatedRecipe(NamedTuple):
    """A recipe that was written.

    :ivar missing: projects that it always depends on, and no repository has.
    :ivar for_extras: projects that only its variants depend on, and no repository has.
    :ivar too_old: dependencies of which no repository has a version that is in the range.
    """

    draft: RecipeDraft
    path: Path
    missing: tuple[str, ...]
    for_extras: tuple[str, ...]
    too_old: tuple[str, ...]


class Packages:
    """The packages that are made from projects of the index, and those that are being made."""

    def __init__(self, recipes: RepoPath) -> None:
        self._recipes = recipes
        self._by_project: dict[str, str] | None = None

    def of_project(self, project: str) -> tuple[str, Recipe | None]:
        """Return the package made from a project, and its recipe if there is one."""
        name = f"py-{project}"
        recipe = self._usable(name)
        if recipe is not None and project_of(name, recipe) == project:
            return name, recipe
        if self._by_project is None:
            self._by_project = {
                project_of(found.name, found): found.name
                for found in recipes_of(self._recipes)
                if found.attributes.get("pypi")
            }
        named = self._by_project.get(project)
        if named is not None:
            return named, self._usable(named)
        return name, recipe

    def _usable(self, name: str) -> Recipe | None:
        if name in self._recipes.errors():
            return None
        return self._recipes.get(name)


class RecipeMaker(NamedTuple):
    """What recipes are made with."""

    repository: Repository
    packages: Packages
    fetchers: Fetchers
    options: CreateOptions

    def all_of(
        self, project: str, name: str | None, failed: Callable[[str, SpackError], None]
    ) -> Iterator[CreatedRecipe]:
        """Write the recipe of *project*, and those of what it needs if asked; yield each.

        :param name: of the package, by default ``py-PROJECT``.
        :param failed: called with what it needs and no recipe can be made of.
        :raises UsageError: there is such a recipe, or the index has no such project.
        :raises FetchError: the index or an archive cannot be read.
        """
        first = self.one(normalized(project), name)
        yield first
        if not self.options.recursive:
            return
        named = first.for_extras if self.options.extras else ()
        pending = [*first.missing, *named]
        seen = {normalized(project), *pending}
        below = self._replace(options=self.options._replace(extras=None, force=False))
        while pending:
            current = pending.pop(0)
            try:
                created = below.one(current)
            except SpackError as error:
                failed(current, error)
                continue
            yield created
            pending += [x for x in created.missing if x not in seen]
            seen.update(created.missing)

    def one(self, project: str, name: str | None = None) -> CreatedRecipe:
        """Write the recipe of one project.

        :raises UsageError: there is such a recipe, or the index has no such project.
        :raises FetchError: the index or an archive cannot be read.
        """
        name = name or f"py-{project}"
        refuse_existing(self.repository, name, self.options.force)
        releases = read_newest(project, self.fetchers, self.options.versions)
        draft = draft_recipe(name, releases, self.packages.of_project, self.options.extras)
        path = write_recipe(self.repository, name, recipe_text(draft))
        return CreatedRecipe(draft, path, *_unmet(draft, self.packages))


def read_newest(project: str, fetchers: Fetchers, count: int) -> list[PythonRelease]:
    """Return the newest releases of a project, newest first; archives are fetched side by side."""
    offered = offered_releases(project, fetchers.checked)[: max(1, count)]
    with ThreadPoolExecutor(max_workers=4) as pool:
        return list(pool.map(lambda files: read_release(files, fetchers), offered))


def _unmet(
    draft: RecipeDraft, packages: Packages
) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    """Return projects without a recipe, needed always or by extras, and ranges without versions."""
    always: dict[str, None] = {}
    by_extras: dict[str, None] = {}
    too_old: dict[str, None] = {}
    for need, _ in draft.dependencies:
        if not need.project or need.package == draft.name:
            continue
        _, recipe = packages.of_project(need.project)
        if recipe is None:
            (by_extras if need.when.startswith("+") else always)[need.project] = None
            continue
        versions = Spec.parse(need.spec).versions
        if not any(Version(row.version) in versions for row in recipe.versions):
            too_old[need.spec] = None
    return tuple(always), tuple(x for x in by_extras if x not in always), tuple(too_old)


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
