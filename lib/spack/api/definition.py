"""The class that is being defined, and what its body has said so far.

Directives are plain calls in a class body. The metaclass opens a :class:`Definition` when the
body starts and closes it when the class is made; a directive appends to the innermost open one.
That stack is the only ambient value of the package language: a class body has no other way to
hand anything to a function that it calls.
"""

from __future__ import annotations

import functools
import re
import sys
from types import FrameType
from typing import Any, Callable

from spack.errors import RecipeError, SpecError
from spack.spec import Spec

__all__ = [
    "Definition",
    "Never",
    "abandon",
    "closed",
    "condition_text",
    "conjunction",
    "current",
    "directive",
    "innermost",
    "opened",
]


class Never(Exception):  # noqa: N818 - control flow, not an error
    """The condition can never hold: the directive is dropped."""


class Definition:
    """One class body while it runs.

    :param namespace: the dictionary that becomes the class's own; ``@when`` looks up the earlier
        definition of a method here.
    :param module: name of the module whose lines are recorded.
    """

    __slots__ = ("callbacks", "conditions", "declared", "defaults", "module", "namespace")

    def __init__(self, namespace: dict[str, Any], module: str) -> None:
        self.namespace = namespace
        self.module = module
        self.declared: list[Any] = []
        self.callbacks: list[Any] = []
        #: Of the enclosing ``with when`` blocks; None never holds.
        self.conditions: list[str | None] = []
        self.defaults: list[dict[str, Any]] = []

    def condition(self, when: Any) -> str:
        """Return the whole condition: the enclosing ``with when`` blocks and the directive's own.

        :raises Never: it is statically false, or contradicts itself.
        """
        own = condition_text(when)
        for outer in reversed(self.conditions):
            if outer is None:
                raise Never
            own = conjunction(outer, own)
        return own

    def line(self) -> int:
        """Return the line of the recipe that runs now: the innermost frame of its own module."""
        frame: FrameType | None = sys._getframe(1)
        while frame is not None:
            if frame.f_globals.get("__name__") == self.module:
                return frame.f_lineno
            frame = frame.f_back
        return 0

    def remove(self, declared: Any) -> None:
        """Take back what a nested directive call has appended."""
        for index, item in enumerate(self.declared):
            if item is declared:
                del self.declared[index]
                return


_open: list[Definition] = []


def opened(namespace: dict[str, Any], module: str) -> Definition:
    """Open a definition; :func:`closed` with the same namespace closes it."""
    while _open and not _runs(_open[-1].namespace):
        _open.pop()  # its body has failed
    definition = Definition(namespace, module)
    _open.append(definition)
    return definition


def _runs(namespace: dict[str, Any]) -> bool:
    """Return whether the class body of *namespace* is running."""
    frame: FrameType | None = sys._getframe(2)
    while frame is not None:
        if frame.f_locals is namespace:
            return True
        frame = frame.f_back
    return False


def closed(namespace: dict[str, Any]) -> Definition | None:
    """Close the definition of *namespace*, and those above it, whose bodies have failed."""
    for index in range(len(_open) - 1, -1, -1):
        if _open[index].namespace is namespace:
            definition = _open[index]
            del _open[index:]
            return definition
    return None


def abandon() -> None:
    """Forget all open definitions; the loader calls it after a module has failed."""
    del _open[:]


def innermost() -> Definition | None:
    """Return the innermost open definition; None when no class body runs."""
    return _open[-1] if _open else None


def current(name: str) -> Definition:
    """Return the innermost open definition.

    :raises RecipeError: the directive *name* is outside of a class body.
    """
    if not _open:
        raise RecipeError(
            f"{name}() is called outside of a package class",
            hint="directives belong directly into the body of the package class",
        )
    return _open[-1]


def directive(function: Callable[..., Any]) -> Callable[..., Any]:
    """Make *function(definition, ...)* a directive, with keywords from ``default_args``."""
    name = function.__name__
    code = function.__code__
    parameters = code.co_varnames[1 : code.co_argcount]
    accepted = frozenset(code.co_varnames[1 : code.co_argcount + code.co_kwonlyargcount])
    open_ended = bool(code.co_flags & 0x08)

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        definition = _open[-1] if _open else current(name)
        if definition.defaults:
            given = parameters[: len(args)]
            for defaults in reversed(definition.defaults):
                for key, value in defaults.items():
                    if key not in kwargs and key not in given:
                        kwargs[key] = value
        try:
            return function(definition, *args, **kwargs)
        except Never:
            return None
        except TypeError as error:
            unknown = [key for key in kwargs if key not in accepted]
            if unknown and not open_ended:
                raise RecipeError(
                    f"{name}() has no keyword {unknown[0]!r}",
                    hint=f"known keywords: {', '.join(sorted(accepted))}",
                ) from error
            raise

    return call


def condition_text(when: Any) -> str:
    """Return ``when=`` as text: None and True mean no condition.

    :raises Never: *when* is False.
    """
    if when is None or when is True:
        return ""
    if when is False:
        raise Never
    return when.strip() if isinstance(when, str) else str(when)


_SIMPLE = re.compile(r"[+~]([\w-]+)|([\w-]+)=[\w.-]+")


@functools.cache
def conjunction(outer: str, inner: str) -> str:
    """Return one anonymous spec text that holds where both do.

    A single variant in front of anything that does not speak of it needs no parsing, which is
    the case of every ``build_system=`` block.

    :raises Never: the two contradict each other.
    """
    if not outer or outer == inner:
        return inner
    if not inner:
        return outer
    simple = _SIMPLE.fullmatch(outer)
    if simple is not None and (simple[1] or simple[2]) not in inner:
        return f"{outer} {inner}"
    try:
        return str(Spec.parse(outer).constrain(Spec.parse(inner)))
    except SpecError as error:
        if _unreadable(outer) or _unreadable(inner):
            raise
        raise Never from error


def _unreadable(text: str) -> bool:
    try:
        Spec.parse(text)
    except SpecError:
        return True
    return False
