"""The package classes of a build's graph, loaded from the repositories that the job names."""

from __future__ import annotations

import os
import traceback
from collections.abc import Mapping
from typing import Any

from spack.api.node_classes import NodeClasses
from spack.build.job import BuildJob
from spack.spec import ConcreteSpec

__all__ = ["NodeRecipes"]


class NodeRecipes:
    """The package classes of the nodes of a graph, by hash."""

    def __init__(self, job: BuildJob, nodes: Mapping[str, ConcreteSpec]) -> None:
        self._classes = NodeClasses(row.root for row in job.repositories)
        self._nodes = nodes

    def package_class(self, digest: str) -> Any:
        """Return the class of the node with hash *digest*.

        :raises RecipeError: no repository has it, or it cannot be loaded.
        """
        return self._classes.package_class(self._nodes[digest])

    def name(self, digest: str) -> str:
        """Return the name of the node with hash *digest*."""
        return self._nodes[digest].name

    def line_of(self, exc: BaseException) -> str | None:
        """Return ``file:line`` of the innermost frame of *exc* in a recipe."""
        roots = tuple(
            str(repository.packages) + os.sep for repository in self._classes.repositories
        )
        found = None
        for frame in traceback.extract_tb(exc.__traceback__):
            if frame.filename.startswith(roots):
                found = f"{frame.filename}:{frame.lineno}"
        return found
