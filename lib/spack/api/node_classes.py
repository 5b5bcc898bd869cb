"""The package classes of concrete nodes, loaded from the repositories that a job names."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path
from types import ModuleType
from typing import Any

from spack.api.metaclass import DeclaringMeta
from spack.api.package_base import PackageBase
from spack.errors import RecipeError
from spack.recipe.package_names import building_name, class_name, directory_name
from spack.repo.finder import install_finder
from spack.repo.load_class import load_class
from spack.repo.repository import Repository
from spack.spec import ConcreteSpec

__all__ = ["NodeClasses"]

#: Namespace of the classes of external packages that no repository has a recipe for.
_NO_REPOSITORY = "spack_repo.external.packages"


class NodeClasses:
    """Package classes by node. Making one lets this process import recipes."""

    def __init__(self, roots: Iterable[str]) -> None:
        self.repositories = [Repository.open(Path(root)) for root in roots]
        install_finder(self.repositories)

    def package_class(self, node: ConcreteSpec) -> Any:
        """Return the class of *node*; a plain one of an external package without a recipe.

        :raises RecipeError: no repository has it, or it cannot be loaded.
        """
        own = [x for x in self.repositories if x.namespace == node.namespace]
        if building_name(node.fullname) == node.name:
            own = [x for x in self.repositories if x not in own]
        for repository in (*own, *self.repositories):
            if repository.exists(node.name):
                return load_class(repository, directory_name(node.name))
        if node.external is not None:
            return _external_class(node.name)
        raise RecipeError(
            f"there is no recipe for {node.name}",
            hint="a repository that had it when the spec was concretized may be missing",
        )


def _external_class(name: str) -> Any:
    """Return a package class that says nothing but where an external package is."""
    directory = directory_name(name)
    module = ModuleType(f"{_NO_REPOSITORY}.{directory}.package")
    module.__file__ = f"/nonexistent/{directory}/package.py"
    sys.modules[module.__name__] = module
    names = {"__module__": module.__name__, "has_code": False}
    return DeclaringMeta(class_name(name), (PackageBase,), names)
