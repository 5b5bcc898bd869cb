"""Packages that import what they offer at the first use of a name (:pep:`562`).

A command that shows what is installed needs records and no graphs of specs: the package's face is
the same for both, and each pays for the modules that it uses. The package also imports its names
under ``TYPE_CHECKING``, for type checkers; a test holds the two lists together.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from importlib import import_module
from typing import Any, Callable

__all__ = ["lazy_names"]


def lazy_names(package: str, modules: Mapping[str, str]) -> Callable[[str], Any]:
    """Return the ``__getattr__`` of *package*.

    :param modules: the names, separated by blanks, that each module defines. No name may be that
        of a module of the package: importing the module would set it.
    """
    homes = {name: module for module, names in modules.items() for name in names.split()}

    def get(name: str) -> Any:
        module = homes.get(name)
        if module is None:
            raise AttributeError(f"module '{package}' has no attribute '{name}'")
        value = getattr(import_module(f"{package}.{module}"), name)
        setattr(sys.modules[package], name, value)
        return value

    return get
