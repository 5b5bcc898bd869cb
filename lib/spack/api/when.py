"""``when`` and ``default_args``: conditions for directives and for methods."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from spack.api.definition import Definition, Never, condition_text, current, innermost
from spack.errors import InstallError

__all__ = ["MultiMethod", "NoSuchMethodError", "default_args", "when"]


class NoSuchMethodError(InstallError):
    """No definition of a conditional method applies to the spec at hand."""

    ref = "no-such-method"


class MultiMethod:
    """Several definitions of one method, each with its condition.

    A call takes the first definition, in source order, whose condition the spec satisfies, then
    the plain definition before them, then the same name further along the MRO.
    """

    def __init__(self, default: Any = None) -> None:
        self.cases: list[tuple[str, Callable[..., Any]]] = []
        self.default = default
        if default is not None:
            functools.update_wrapper(self, default)

    def add(self, condition: str, method: Callable[..., Any]) -> None:
        """Register one more definition."""
        if not self.cases:
            functools.update_wrapper(self, method)
        self.cases.append((condition, method))

    def select(self, spec: Any) -> Callable[..., Any] | None:
        """Return the definition that applies to *spec*, or None."""
        for condition, method in self.cases:
            if not condition or spec.satisfies(condition):
                return method
        default: Callable[..., Any] | None = self.default
        return default

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        if instance is None:
            return self
        call = functools.partial(self, instance)
        functools.update_wrapper(call, self)
        return call

    def __call__(self, instance: Any, *args: Any, **kwargs: Any) -> Any:
        method = self.select(instance.spec)
        if method is not None:
            return method(instance, *args, **kwargs)
        name: str = getattr(self, "__name__", "method")
        further = False
        for owner in type(instance).__mro__:
            found = owner.__dict__.get(name)
            if found is None:
                continue
            if found is self:
                further = True
                continue
            if not further:
                continue
            if isinstance(found, MultiMethod):
                found = found.select(instance.spec)
                if found is None:
                    continue
            if isinstance(found, property):
                return found.__get__(instance)
            return found(instance, *args, **kwargs)
        raise NoSuchMethodError(
            f"{type(instance).__name__}.{name} has no definition for {instance.spec}",
            facts={"method": name, "conditions": [condition for condition, _ in self.cases]},
            hint="add a definition without @when before the conditional ones",
        )


class when:  # noqa: N801 - Spack's name
    """``with when("+x"):`` for directives, ``@when("+x")`` for methods.

    The block form says nothing of what a method does: inside of one it is without effect, as it
    is upstream, where some recipes have it there.

    :param condition: an anonymous spec text; False never holds, True always.
    """

    def __init__(self, condition: Any) -> None:
        self._definition: Definition | None = None
        try:
            self.condition: str | None = condition_text(condition)
        except Never:
            self.condition = None

    def __call__(self, method: Any) -> Any:
        namespace = current("@when").namespace
        existing = namespace.get(method.__name__)
        multi = existing if isinstance(existing, MultiMethod) else MultiMethod(existing)
        if self.condition is not None:
            multi.add(self.condition, method)
        elif not hasattr(multi, "__name__"):
            functools.update_wrapper(multi, method)
        return multi

    def __enter__(self) -> None:
        self._definition = innermost()
        if self._definition is not None:
            self._definition.conditions.append(self.condition)

    def __exit__(self, *exception: object) -> None:
        if self._definition is not None and self._definition.conditions:
            self._definition.conditions.pop()


@contextmanager
def default_args(**defaults: Any) -> Iterator[None]:
    """Yield keywords for the directives of the block that do not give them themselves.

    The innermost block wins. Unlike conditions, values do not combine.
    """
    definition = current("default_args")
    definition.defaults.append(defaults)
    try:
        yield
    finally:
        if definition.defaults:
            definition.defaults.pop()
