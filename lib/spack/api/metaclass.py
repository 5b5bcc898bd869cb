"""The metaclasses that collect what a class body declares."""

from __future__ import annotations

import sys
from abc import ABCMeta
from typing import Any

from spack.api.definition import closed, opened

__all__ = ["BuilderMeta", "DeclaringMeta"]


class DeclaringMeta(type):
    """Metaclass of packages and, with :class:`BuilderMeta`, of builders.

    It leaves three attributes on the class:

    ``__declared__``
        what directives have declared: that of the base classes first (the last base first), then
        the class's own in source order, each once;
    ``__own_declared__``
        the class's own part of it;
    ``__callbacks__``
        phase callbacks: the class's own first, then those of the bases.
    """

    @classmethod
    def __prepare__(  # type: ignore[override]  # the namespace is a plain dict
        metacls, name: str, bases: tuple[type, ...], **kwargs: Any
    ) -> dict[str, Any]:
        namespace: dict[str, Any] = {}
        opened(namespace, sys._getframe(1).f_globals.get("__name__", ""))
        return namespace

    def __new__(
        mcs, name: str, bases: tuple[type, ...], namespace: dict[str, Any], **kwargs: Any
    ) -> Any:
        definition = closed(namespace)
        declared: dict[int, Any] = {}
        for base in reversed(bases):
            for item in getattr(base, "__declared__", ()):
                declared[id(item)] = item
        callbacks: dict[int, Any] = {}
        own: tuple[Any, ...] = ()
        if definition is not None:
            own = tuple(definition.declared)
            declared.update((id(item), item) for item in own)
            callbacks.update((id(item), item) for item in definition.callbacks)
        for base in bases:
            for item in getattr(base, "__callbacks__", ()):
                callbacks.setdefault(id(item), item)
        namespace["__declared__"] = tuple(declared.values())
        namespace["__own_declared__"] = own
        namespace["__callbacks__"] = tuple(callbacks.values())
        return super().__new__(mcs, name, bases, namespace, **kwargs)


class BuilderMeta(DeclaringMeta, ABCMeta):
    """Builders are sequences of phases, hence abstract base classes."""
