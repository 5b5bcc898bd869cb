"""What recipes do themselves: found by looking at their code, without running it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from types import CodeType
from typing import Any

from spack.api.identity import is_recipe_module

__all__ = ["changes_install", "uses_pip"]

#: Members of a package class that only the builder with pip asks for, or that do its work.
_MEMBERS = frozenset(("install", "install_options", "phases", "std_args", "std_pip_args"))

#: Names and texts in code that speak of pip.
_NAMES = frozenset(("PythonPipBuilder", "pip", "py-pip", "python_pip", "std_pip_args"))

_BUILDER = "PythonPipBuilder"


def uses_pip(cls: Any) -> bool:
    """Return whether the recipe of package class *cls*, or one that it derives from, needs pip.

    It does when it takes the phase ``install`` into its own hands, has options for
    ``setup.py install``, defines a builder for pip, or names pip in a method.
    """
    for owner in cls.__mro__:
        if not is_recipe_module(owner.__module__):
            continue
        members = vars(owner)
        if not _MEMBERS.isdisjoint(members):
            return True
        builder = getattr(sys.modules.get(owner.__module__), _BUILDER, None)
        if getattr(builder, "__module__", None) == owner.__module__ or _BUILDER in members:
            return True
        if any(not _NAMES.isdisjoint(_mentioned(code)) for code in _codes(members.values())):
            return True
    return False


def changes_install(cls: Any) -> bool:
    """Return whether the recipe of *cls* does more than the install of what the build made.

    Callbacks after the phase ``install`` count, but for those that only run with tests.
    """
    for owner in cls.__mro__:
        if is_recipe_module(owner.__module__) and not {"install", "phases"}.isdisjoint(vars(owner)):
            return True
    return any(
        row.moment == "after"
        and is_recipe_module(row.function.__module__)
        and not hasattr(row.function, "__wrapped__")
        for row in cls.__callbacks__
    )


def _codes(values: Any) -> Iterator[CodeType]:
    for value in values:
        if isinstance(value, property):
            yield from _codes((value.fget, value.fset))
        elif isinstance(value, (classmethod, staticmethod)):
            yield from _codes((value.__func__,))
        elif isinstance(getattr(value, "__code__", None), CodeType):
            yield value.__code__


def _mentioned(code: CodeType) -> Iterator[str]:
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, str):
            yield constant
        elif isinstance(constant, CodeType):
            yield from _mentioned(constant)
