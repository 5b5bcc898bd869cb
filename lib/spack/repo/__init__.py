"""Repositories of recipes: where they are, what their recipes say, how their classes load.

:class:`RepoPath` answers from a cached index of facts and runs no recipe code; the index is built
by a child process (``python -m spack.api.recipe_facts``). Classes are loaded in the build worker
and by explicit commands only, see :func:`spack.repo.load_class.load_class`.
"""

from __future__ import annotations

from spack.repo.path import RepoPath
from spack.repo.repository import Repository

__all__ = ["RepoPath", "Repository"]
