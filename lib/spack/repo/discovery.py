"""The repositories inside one directory, such as a clone that holds several.

``spack-repo-index.yaml`` at its top lists them (upstream's file, of Spack 1.0)::

    repo_index:
      paths:
      - repos/spack_repo/builtin

Without it the directory is a repository itself, or has one in a usual subdirectory; see
:meth:`Repository.open`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from spack.errors import RecipeError
from spack.repo.repository import Repository
from spack.util import yaml

__all__ = ["repositories_in"]

INDEX = "spack-repo-index.yaml"


def repositories_in(
    directory: Path,
    paths: Sequence[str] = (),
    *,
    cache: str | None = None,
    on_error: Callable[[RecipeError], None] | None = None,
) -> list[Repository]:
    """Return the repositories at *paths* below *directory*, by default those that its index lists.

    :param cache: directory of parsed files; see :mod:`spack.util.yaml`.
    :param on_error: called with repositories that cannot be used; not called when none can.
    :raises RecipeError: there is none that can be used, or the index is malformed.
    :raises ConfigError: the index is not YAML.
    """
    listed = list(paths) or _listed(directory / INDEX, cache)
    if not listed:
        return [Repository.open(directory)]
    found: list[Repository] = []
    errors: list[RecipeError] = []
    for path in listed:
        location = os.path.normpath(path)
        if os.path.isabs(location) or location.split(os.sep)[0] == os.pardir:
            raise RecipeError(
                f"{directory}: the path {path!r} of a repository leads out of it",
                hint="paths of repositories are relative to the top of their clone",
            )
        try:
            found.append(Repository.open(directory / location))
        except RecipeError as error:
            errors.append(error)
    if not found:
        raise errors[0]
    if on_error is not None:
        for problem in errors:
            on_error(problem)
    return found


def _listed(index: Path, cache: str | None) -> list[str]:
    if not index.is_file():
        return []
    loaded = yaml.load(index, cache=cache)
    data: Any = loaded.data
    for key, kind in (("repo_index", dict), ("paths", list)):
        data = data.get(key) if isinstance(data, dict) else None
        if not isinstance(data, kind):
            raise RecipeError(
                f"{index}: no {'mapping' if kind is dict else 'list'} {key!r}",
                hint="it reads 'repo_index: {paths: [repos/spack_repo/NAMESPACE]}'",
            )
    if not all(isinstance(item, str) for item in data):
        raise RecipeError(f"{index}: repo_index:paths must be texts", hint="put them in quotes")
    loaded.remember()
    return list(data)
