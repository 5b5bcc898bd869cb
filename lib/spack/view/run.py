"""Run views: what ``spack load`` puts on PATH.

A run view shows the packages that are loaded and what they need to run. It lies in a folder of
the store and is named after its packages, so that shells which load the same share it; it is made
when first needed and can be removed at any time.
"""

from __future__ import annotations

import hashlib
import os
from typing import Iterable, NamedTuple, Sequence

from spack.errors import ViewError
from spack.view.apply import ViewResult, update_view
from spack.view.manifest import Activation, load_activation
from spack.view.records import ViewOptions, ViewSource

__all__ = ["RUN_VIEWS", "RunView", "make_run_view", "run_view_path"]

#: The folder of run views, below the store's root.
RUN_VIEWS = ".views"


class RunView(NamedTuple):
    """A run view that is up to date."""

    path: str
    activation: Activation
    result: ViewResult


def run_view_path(folder: str, hashes: Iterable[str]) -> str:
    """Where the run view of the packages with *hashes* is; their order does not matter."""
    unique = sorted(set(hashes))
    if len(unique) == 1:
        return os.path.join(folder, unique[0])
    return os.path.join(folder, hashlib.sha256(" ".join(unique).encode()).hexdigest()[:32])


def make_run_view(
    folder: str, hashes: Sequence[str], sources: Sequence[ViewSource], options: ViewOptions
) -> RunView:
    """Make the run view of the packages with *hashes*, or find that it is right.

    :param folder: such as ``<store>/.views``; made if missing.
    :param sources: these packages and their closure of link and run dependencies.
    :raises ViewError: see :func:`spack.view.apply.update_view`; packages that cannot be loaded
        together are conflicts.
    """
    path = run_view_path(folder, hashes)
    result = update_view(path, sources, options)
    activation = load_activation(path)
    if activation is None:
        raise ViewError(f"the run view {path} has just been removed", ref="view-missing")
    return RunView(path, activation, result)
