"""Callbacks around the phases of a build: ``run_after``, ``run_before`` and their condition."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

from spack.api.definition import current

__all__ = ["Callback", "on_package_attributes", "run_after", "run_before"]


class Callback(NamedTuple):
    """A function that runs before or after a phase.

    :param when: an anonymous spec text that the concrete spec must satisfy, or None.
    """

    moment: str
    phase: str
    when: str | None
    function: Callable[..., Any]


def _register(moment: str, phase: str, when: str | None) -> Callable[[Any], Any]:
    def decorate(function: Any) -> Any:
        current(f"run_{moment}").callbacks.append(Callback(moment, phase, when, function))
        return function

    return decorate


def run_after(phase: str, when: str | None = None) -> Callable[[Any], Any]:
    """Run the decorated function after *phase*, where *when* holds."""
    return _register("after", phase, when)


def run_before(phase: str, when: str | None = None) -> Callable[[Any], Any]:
    """Run the decorated function before *phase*, where *when* holds."""
    return _register("before", phase, when)


def on_package_attributes(**attributes: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Call the decorated method only where the package's attributes have these values.

    ``@on_package_attributes(run_tests=True)`` is what nearly all recipes say. In a builder, the
    attributes are looked up on it and then on its package.
    """

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def call(instance: Any, *args: Any, **kwargs: Any) -> Any:
            for name, expected in attributes.items():
                value = getattr(instance, name, _ABSENT)
                if value is _ABSENT:
                    value = getattr(getattr(instance, "pkg", None), name, _ABSENT)
                if value is _ABSENT or value != expected:
                    return None
            return function(instance, *args, **kwargs)

        return call

    return decorate


_ABSENT = object()
