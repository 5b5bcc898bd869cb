"""Names that recipes find in their module: ``make``, ``python``, ``prefix`` and more."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from types import ModuleType
from typing import Any

__all__ = ["ModuleChangePropagator", "inject_globals", "modules_of"]

_ENGINE = ("builtins", "abc", "typing", "collections", "spack.api")


def modules_of(package: Any) -> Iterator[ModuleType]:
    """Return the modules of the classes along the MRO of *package*: recipes and build systems.

    The recipe's own module comes first. The engine's own modules are left out.
    """
    cls = package if isinstance(package, type) else type(package)
    seen = set()
    for owner in cls.__mro__:
        name = owner.__module__
        if name in seen or name == "spack.api" or name.startswith("spack.api."):
            continue
        if name.partition(".")[0] in _ENGINE:
            continue
        seen.add(name)
        module = sys.modules.get(name)
        if module is not None:
            yield module


def inject_globals(package: Any, values: Mapping[str, Any]) -> None:
    """Set *values* in all modules of *package*."""
    for module in modules_of(package):
        module.__dict__.update(values)


class ModuleChangePropagator:
    """A substitute for a package's module: what is set on it is set on all modules of the package.

    :param package: the package object, given to ``setup_dependent_package`` as ``module``.

    Attributes are visible at once in the package's own module; the other modules get them with
    :meth:`propagate_changes_to_mro`.
    """

    _OWN = frozenset({"_changes", "_module", "_package", "current_module"})

    def __init__(self, package: Any) -> None:
        self._package = package
        self._module = next(iter(modules_of(package)))
        self._changes: dict[str, Any] = {}

    def __getattr__(self, name: str) -> Any:
        return getattr(self._module, name)

    def __setattr__(self, name: str, value: Any) -> None:
        if name in self._OWN:
            object.__setattr__(self, name, value)
            return
        self._changes[name] = value
        setattr(self._module, name, value)

    def propagate_changes_to_mro(self) -> None:
        """Copy what was set to the modules of the base classes."""
        inject_globals(self._package, self._changes)
