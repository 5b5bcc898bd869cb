"""The package classes of a build's graph, loaded from the repositories that the job names."""

from __future__ import annotations

import os
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from spack.build.job import BuildJob
from spack.errors import RecipeError
from spack.recipe.package_names import building_name, directory_name
from spack.repo.finder import install_finder
from spack.repo.load_class import load_class
from spack.repo.repository import Repository
from spack.spec import ConcreteSpec

__all__ = ["NodeRecipes"]


class NodeRecipes:
    """The package classes of the nodes of a graph."""

    def __init__(self, job: BuildJob, nodes: Mapping[str, ConcreteSpec]) -> None:
        self._repositories = [Repository.open(Path(row.root)) for row in job.repositories]
        self._nodes = nodes
        install_finder(self._repositories)

    def package_class(self, digest: str) -> Any:
        """Return the class of the node with hash *digest*.

        :raises RecipeError: no repository has it, or it cannot be loaded.
        """
        node = self._nodes[digest]
        own = [x for x in self._repositories if x.namespace == node.namespace]
        if building_name(node.fullname) == node.name:
            own = [x for x in self._repositories if x not in own]
        for repository in (*own, *self._repositories):
            if repository.exists(node.name):
                return load_class(repository, directory_name(node.name))
        raise RecipeError(
            f"there is no recipe for {node.name}",
            hint="a repository that had it when the spec was concretized may be missing",
        )

    def name(self, digest: str) -> str:
        """Return the name of the node with hash *digest*."""
        return self._nodes[digest].name

    def line_of(self, exc: BaseException) -> str | None:
        """Return ``file:line`` of the innermost frame of *exc* in a recipe."""
        roots = tuple(str(repository.packages) + os.sep for repository in self._repositories)
        found = None
        for frame in traceback.extract_tb(exc.__traceback__):
            if frame.filename.startswith(roots):
                found = f"{frame.filename}:{frame.lineno}"
        return found
