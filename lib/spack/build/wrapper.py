"""The compiler wrapper's data about dependencies: directories to search and to keep.

The variables are those that the ``compiler-wrapper`` package reads; see its script.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any

from spack.api.context import BuildContext
from spack.build.dependency_roles import Roles
from spack.errors import SpackError
from spack.util.environment_modifications import EnvironmentModifications, is_system_path

__all__ = ["wrapper_variables"]

_LIBRARY_DIRECTORIES = ("lib", "lib64")


def wrapper_variables(context: BuildContext, roles: Roles) -> EnvironmentModifications:
    """Return directories of the linked dependencies, those nearest to the root first.

    External ones come last: their directories may hold more than they provide, such as another
    copy of a dependency's library. The root's own library directories are part of the run path:
    its programs use its libraries.
    """
    include: list[str] = []
    link: list[str] = []
    nearest_first = list(reversed(roles.linked))
    nearest_first.sort(key=lambda node: node.external is not None)
    for node in nearest_first:
        package = context.package(node)
        prefix = str(package.prefix)
        include += _own(package, "headers", [os.path.join(prefix, "include")])
        link += _own(package, "libs", [os.path.join(prefix, x) for x in _LIBRARY_DIRECTORIES])
    package = context.package(roles.root)
    root = str(package.prefix)
    env = EnvironmentModifications()
    if package.keep_werror is not None:
        env.set("SPACK_KEEP_WERROR", package.keep_werror)
    own = [os.path.join(root, name) for name in _LIBRARY_DIRECTORIES]
    link = _usable(link)
    for name, directories in (
        ("SPACK_INCLUDE_DIRS", _usable(include)),
        ("SPACK_LINK_DIRS", link),
        ("SPACK_RPATH_DIRS", [*own, *link]),
    ):
        if directories:
            env.set_path(name, directories)
    return env


def _own(package: Any, attribute: str, default: list[str]) -> list[str]:
    """Return directories of the recipe's own ``libs`` or ``headers``, then the usual ones."""
    found: list[str] = []
    if any(attribute in owner.__dict__ for owner in type(package).__mro__):
        try:
            found = list(getattr(package, attribute).directories)
        except (SpackError, OSError, AttributeError, KeyError):
            found = []  # a dependency without libraries is not an error of this build
    return [*found, *default]


def _usable(directories: Iterable[str]) -> list[str]:
    return [
        directory
        for directory in dict.fromkeys(directories)
        if not is_system_path(directory) and os.path.isdir(directory)
    ]
