"""Recipes of the namespaces that specs name, as ``venv.py-click`` does."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from spack.errors import RecipeError, UnsatisfiableError
from spack.recipe.records import Recipe
from spack.solver.problem import PackageLike, RecipeSource, Root
from spack.spec import Spec

__all__ = ["NamespacedRecipes", "recipes_for"]


class NamespacedRecipes:
    """The recipes of *recipes*, some of them from a namespace that is not the first.

    :param namespaces: by package name.
    """

    def __init__(self, recipes: RecipeSource, namespaces: Mapping[str, str]) -> None:
        self._recipes = recipes
        self._namespaces = namespaces

    def get(self, name: str) -> Recipe | None:
        """Return the facts of package *name* from the namespace that was named for it."""
        namespace = self._namespaces.get(name)
        return self._recipes.get(f"{namespace}.{name}" if namespace else name)

    def providers(self, virtual: str) -> Sequence[str]:
        """Return the names of the packages that can provide *virtual*."""
        return self._recipes.providers(virtual)

    def is_virtual(self, name: str) -> bool:
        """Return whether *name* is a virtual package."""
        return name not in self._namespaces and self._recipes.is_virtual(name)

    def suggestions(self, name: str) -> Sequence[str]:
        """Return known names that look like *name*."""
        return self._recipes.suggestions(name)


def recipes_for(
    recipes: RecipeSource, roots: Iterable[Root], packages: Mapping[str, PackageLike]
) -> RecipeSource:
    """Return *recipes* with those of the namespaces that roots and requirements name.

    :raises RecipeError: a namespace does not have the package.
    :raises UnsatisfiableError: two of them name different namespaces for one package.
    """
    found: dict[str, tuple[str, str]] = {}
    for spec, origin in _named(roots, packages):
        namespace, earlier = found.setdefault(spec.name, (spec.namespace or "", origin))
        if namespace != spec.namespace:
            raise UnsatisfiableError(
                f"{spec.name} is asked for from {namespace} ({earlier}) and from "
                f"{spec.namespace} ({origin})",
                facts={"package": spec.name, "namespaces": [namespace, spec.namespace]},
                hint="ask for one of them",
                ref="two-namespaces",
            )
    from_elsewhere: dict[str, str] = {}
    for name, (namespace, origin) in found.items():
        usual = recipes.get(name)
        if usual is not None and usual.namespace == namespace:
            continue
        if recipes.get(f"{namespace}.{name}") is None:
            raise RecipeError(
                f"the repository {namespace} has no package {name} ({origin})",
                facts={"package": name, "namespace": namespace, "origin": origin},
                hint="spack repo list shows the repositories and their namespaces",
                ref="unknown-namespace",
            )
        from_elsewhere[name] = namespace
    return NamespacedRecipes(recipes, from_elsewhere) if from_elsewhere else recipes


def _named(
    roots: Iterable[Root], packages: Mapping[str, PackageLike]
) -> Iterator[tuple[Spec, str]]:
    for root in roots:
        for spec in root.spec.traverse():
            if spec.namespace and spec.name:
                yield spec, root.origin
    for settings in packages.values():
        for group in settings.require:
            for text in group.specs:
                spec = Spec.parse(text)
                if spec.namespace and spec.name and len(group.specs) == 1:
                    yield spec, str(group.origin)
