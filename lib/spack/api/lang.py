"""Small additions to the language that recipes use: class properties, memoized, dedupe."""

from __future__ import annotations

import functools
from collections.abc import Callable, Hashable, Iterable, Iterator
from typing import Any, Generic, TypeVar

__all__ = ["ClassProperty", "classproperty", "dedupe", "memoized"]

T = TypeVar("T")
H = TypeVar("H", bound=Hashable)


class classproperty(Generic[T]):  # noqa: N801 - Spack's name
    """A read-only property of the class: ``@classproperty def url(cls): ...``.

    A plain attribute of the same name in a subclass replaces it.
    """

    def __init__(self, getter: Callable[[Any], T]) -> None:
        self.getter = getter
        self.__doc__ = getter.__doc__

    def __get__(self, instance: object, owner: type | None = None) -> T:
        return self.getter(owner if owner is not None else type(instance))


#: The name that annotations use: ``url: ClassProperty[Optional[str]] = classproperty(_url)``.
ClassProperty = classproperty


def memoized(function: Callable[..., T]) -> Callable[..., T]:
    """Remember the results of *function* by its arguments (unhashable ones are not remembered)."""
    results: dict[Any, T] = {}

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> T:
        key = (args, tuple(sorted(kwargs.items()))) if kwargs else args
        try:
            return results[key]
        except KeyError:
            result = results[key] = function(*args, **kwargs)
            return result
        except TypeError:
            return function(*args, **kwargs)

    return call


def dedupe(sequence: Iterable[Any], key: Callable[[Any], Any] | None = None) -> Iterator[Any]:
    """Return the items of *sequence* in order, each once (by *key*, when given)."""
    seen = set()
    for item in sequence:
        identity = item if key is None else key(item)
        if identity not in seen:
            seen.add(identity)
            yield item
