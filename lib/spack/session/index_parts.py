"""Projects of the package index in what is asked of the solver: ``pypi:NAME``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from spack.recipe.package_names import INDEX_NAMESPACE
from spack.solver.problem import NamedRecipes, Root
from spack.spec import Spec, Version

if TYPE_CHECKING:
    from spack.session.session import Session

__all__ = ["with_index_projects"]


def with_index_projects(
    session: Session, roots: Sequence[Root]
) -> tuple[NamedRecipes, Sequence[Root]]:
    """Return the recipes for *roots*, with those of projects of the index that they name.

    A project that has a recipe is that recipe's package: its root no longer names the index.

    :raises SpackError: the index has no such project, or cannot be asked.
    """
    if not any(part.namespace == INDEX_NAMESPACE for x in roots for part in x.spec.traverse()):
        return session.recipes, roots
    from spack.actions.index_metadata import IndexMetadata  # start-up: only for such roots
    from spack.actions.index_projects import IndexProjects, RecipesWithIndex
    from spack.recipe.wheel_offers import AbiOfPython
    from spack.repo.index_repository import IndexRepository

    recipes = session.recipes
    roots = [Root(_recipe_first(session, root.spec), root.origin) for root in roots]
    fetcher = session.fetcher()
    projects = IndexProjects(
        recipes,
        session.wheels,
        IndexMetadata(session.cache / "index" / "metadata", fetcher),
        IndexRepository(session.cache / "index-recipes"),
        pythons=tuple(AbiOfPython(version) for version in _pythons(session)),
        platform=session.host.platform,
    )
    return RecipesWithIndex(recipes, projects.gather(root.spec for root in roots)), roots


def _pythons(session: Session) -> list[str]:
    """Return versions of the interpreters that there may be, one of each minor version."""
    from spack.solver.candidates import external_version  # start-up: see above

    recipes = session.recipes
    found: list[Version] = []
    settings = session.packages.get("python")
    for entry in settings.externals if settings is not None else ():
        version = external_version(Spec.parse(entry.spec))
        found += [version] if version is not None else []
    recipe = recipes.get("python")
    if settings is None or settings.buildable is not False:
        found += [Version(row.version) for row in (recipe.versions if recipe else ())]
    found += [Version(row.version) for row in session.store.database.records(name="python")]
    newest: dict[str, Version] = {}
    for version in sorted(found):
        newest[str(version.up_to(2))] = version
    return [version.string for version in newest.values()]


def _recipe_first(session: Session, spec: Spec) -> Spec:
    if spec.namespace == INDEX_NAMESPACE:
        name = session.recipes.package_of_project(spec.name.partition("-")[2])
        if session.recipes.exists(name):
            spec = spec.replace(name=name, namespace=None)
    edges = [edge.replace(spec=_recipe_first(session, edge.spec)) for edge in spec.dependencies]
    return spec.replace(dependencies=tuple(edges)) if edges else spec
