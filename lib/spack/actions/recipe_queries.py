"""What recipes say of each other and of their maintainers; nothing is concretized.

A recipe that cannot be used is left out: ``spack list`` and the commands that need it report it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import NamedTuple

from spack.recipe.records import Recipe
from spack.repo import RepoPath
from spack.spec import DEPTYPES, Spec

__all__ = [
    "Download",
    "dependency_names",
    "downloads",
    "extendable",
    "extensions_of",
    "maintained",
    "possible_dependencies",
    "possible_dependents",
    "possible_edges",
    "recipes_of",
    "tagged",
    "tags_of",
]


def recipes_of(recipes: RepoPath, names: Iterable[str] | None = None) -> Iterator[Recipe]:
    """Yield the recipes of these packages (all by default) that can be used."""
    if names is None:
        recipes.errors()  # reads all recipes, several at a time
    for name in recipes.names() if names is None else names:
        recipe = None if recipes.is_broken(name) else recipes.get(name)
        if recipe is not None:
            yield recipe


def dependency_names(recipe: Recipe, types: Collection[str] = DEPTYPES) -> set[str]:
    """Return the names that a recipe depends on, under whatever condition, virtuals as they are."""
    rows = [(row.spec, row.types) for row in recipe.dependencies]
    rows += [(row.spec, row.types) for row in recipe.extends]
    names = {Spec.parse(text).name for text, have in rows if not set(have).isdisjoint(types)}
    return {name for name in names if name}


def possible_dependencies(
    recipes: RepoPath,
    name: str,
    *,
    transitive: bool = False,
    expand_virtuals: bool = True,
    types: Collection[str] = DEPTYPES,
) -> list[str]:
    """Return the sorted names of what *name* (a package or a virtual) may depend on.

    :param expand_virtuals: name all providers of a virtual instead of the virtual.
    :raises RecipeError: there is no such package.
    """
    if not recipes.exists(name) and not recipes.is_virtual(name):
        raise recipes.unknown(name)
    found: set[str] = set()
    pending = list(recipes.providers(name)) if recipes.is_virtual(name) else [name]
    start = set(pending)
    seen: set[str] = set()
    while pending:
        current = pending.pop()
        if current in seen:
            continue
        seen.add(current)
        for recipe in recipes_of(recipes, [current]):
            below = _expanded(recipes, dependency_names(recipe, types), expand_virtuals)
            found |= below
            if transitive:
                pending += [x for x in below if not recipes.is_virtual(x)]
    return sorted(found - start)


def _expanded(recipes: RepoPath, names: Iterable[str], expand_virtuals: bool) -> set[str]:
    found: set[str] = set()
    for name in names:
        if recipes.is_virtual(name) and expand_virtuals:
            found.update(recipes.providers(name))
        else:
            found.add(name)
    return found


def possible_edges(
    recipes: RepoPath, names: Iterable[str], types: Collection[str] = DEPTYPES
) -> dict[str, list[str]]:
    """Return what each of *names*, and all that is below them, may depend on directly."""
    edges: dict[str, list[str]] = {}
    pending = list(names)
    while pending:
        name = pending.pop()
        if name not in edges:
            edges[name] = possible_dependencies(recipes, name, types=types)
            pending += edges[name]
    return edges


def possible_dependents(recipes: RepoPath, name: str, *, transitive: bool = False) -> list[str]:
    """Return the sorted names of the packages that may depend on *name*, a package or a virtual.

    What depends on a virtual depends on each of its providers. Cost: all recipes are read.

    :raises RecipeError: there is no such package.
    """
    if not recipes.exists(name) and not recipes.is_virtual(name):
        raise recipes.unknown(name)
    above: dict[str, set[str]] = {}
    for recipe in recipes_of(recipes):
        names = dependency_names(recipe)
        for below in names | _expanded(recipes, names, True):
            above.setdefault(below, set()).add(recipe.name)
    found: set[str] = set()
    pending = [name]
    while pending:
        fresh = above.get(pending.pop(), set()) - found
        found |= fresh
        if transitive:
            pending += fresh
    return sorted(found - {name})


def extendable(recipes: RepoPath) -> list[str]:
    """Return the sorted names of packages that can be extended, such as ``python``."""
    named = {recipe.name for recipe in recipes_of(recipes) if recipe.attributes.get("extendable")}
    return sorted(named)


def extensions_of(recipes: RepoPath, name: str) -> list[str]:
    """Return the sorted names of the packages that extend *name*."""
    return [
        recipe.name
        for recipe in recipes_of(recipes)
        if any(Spec.parse(row.spec).name == name for row in recipe.extends)
    ]


class Download(NamedTuple):
    """A file that a recipe downloads besides its sources."""

    sha256: str
    url: str
    package: str
    origin: str


def downloads(recipe: Recipe) -> list[Download]:
    """Return the patches and resources of a recipe that have a URL and a sha256."""
    patches = [*recipe.patches, *(x for row in recipe.dependencies for x in row.patches)]
    rows = [(x.source, x.archive_sha256 or x.sha256, x.line) for x in patches]
    rows += [(x.url or "", x.sha256, x.line) for x in recipe.resources]
    return [
        Download(sha256, url, recipe.name, f"{recipe.path}:{line}")
        for url, sha256, line in rows
        if sha256 and "://" in url
    ]


def tagged(recipes: RepoPath) -> dict[str, list[str]]:
    """Return the tags of all recipes, sorted, each with the names of its packages."""
    found: dict[str, list[str]] = {}
    for recipe in recipes_of(recipes):
        for tag in tags_of(recipe):
            found.setdefault(tag, []).append(recipe.name)
    return {tag: found[tag] for tag in sorted(found)}


def tags_of(recipe: Recipe) -> tuple[str, ...]:
    """Return the tags of a recipe; one that says how to detect its package has ``detectable``."""
    own = tuple(tag.lower() for tag in _words(recipe, "tags"))
    return (*own, "detectable") if recipe.executables and "detectable" not in own else own


def maintained(recipes: RepoPath, names: Iterable[str] | None = None) -> dict[str, list[str]]:
    """Return the packages of *names* (all by default), each with its sorted maintainers."""
    return {
        recipe.name: sorted(set(_words(recipe, "maintainers")))
        for recipe in recipes_of(recipes, names)
    }


def _words(recipe: Recipe, attribute: str) -> tuple[str, ...]:
    value = recipe.attributes.get(attribute) or ()
    return tuple(map(str, value)) if isinstance(value, (tuple, list)) else ()
