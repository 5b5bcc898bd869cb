"""Frozen records that cost nothing to define.

:mod:`dataclasses` writes and compiles the methods of each class when its module is imported, about
0.4 ms a class, and imports :mod:`inspect` for it, 5 ms: a tenth of what ``spack find`` may take.
:func:`frozen` gives the classes that every command imports the same behaviour with methods that
are common to all. Creating an instance costs twice as much, so where there are thousands of them
a ``NamedTuple`` is better, and classes that only few commands import stay dataclasses.

Contract (as ``@dataclass(frozen=True)``, :pep:`557`): fields are the annotated names, those of base
classes first; positional and keyword arguments; defaults; ``__post_init__``; equality within one
class; a hash if all values have one; no assignment. There are no ``ClassVar`` nor other special
fields. Type checkers know it by :pep:`681`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Callable, NoReturn, TypeVar

__all__ = ["field", "fields_of", "frozen", "replace", "values_of"]

_T = TypeVar("_T")

if TYPE_CHECKING:
    from typing_extensions import dataclass_transform
else:

    def dataclass_transform(**_: Any) -> Callable[[_T], _T]:
        return lambda decorator: decorator


class _Factory:
    """Marks a default that is made for each instance."""

    def __init__(self, make: Callable[[], Any]) -> None:
        self.make = make


def field(*, default_factory: Callable[[], Any]) -> Any:
    """Return a default that is made for each instance."""
    return _Factory(default_factory)


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def frozen(cls: type[_T]) -> type[_T]:
    """Make *cls* a frozen record; see the module's docstring."""
    names: dict[str, None] = {}
    defaults: dict[str, Any] = {}
    for base in cls.__mro__[-2:0:-1]:
        names.update(dict.fromkeys(base.__dict__.get("_fields", ())))
        defaults.update(base.__dict__.get("_defaults", {}))
    own = cls.__dict__
    for name in own.get("__annotations__", ()):
        names[name] = None
        if name in own:
            defaults[name] = own[name]
    methods: dict[str, Any] = {
        "__init__": _init,
        "__eq__": _eq,
        "__hash__": _hash,
        "__repr__": _repr,
        "__setattr__": _refuse,
        "__delattr__": _refuse,
    }
    for name, value in methods.items():
        if name not in own or (name == "__hash__" and own[name] is None):
            setattr(cls, name, value)
    made: Any = cls
    made._fields = tuple(names)
    made._defaults = defaults
    return cls


def fields_of(cls: type[Any]) -> tuple[str, ...]:
    """Return the names of the fields, in order."""
    names: tuple[str, ...] = cls._fields
    return names


def values_of(record: Any) -> dict[str, Any]:
    """Return the values by name, in the order of the fields."""
    return dict(zip(record._fields, _values(record)))


def replace(record: _T, **values: Any) -> _T:
    """Return a record like *record* with other *values*."""
    return type(record)(**{**values_of(record), **values})


def _init(self: Any, *args: Any, **kwargs: Any) -> None:
    fields = self._fields
    values = self.__dict__
    values.update(zip(fields, args))
    if kwargs:
        if not values.keys().isdisjoint(kwargs) or not kwargs.keys() <= set(fields):
            raise TypeError(f"{type(self).__name__}() got unexpected or repeated: {set(kwargs)}")
        values.update(kwargs)
    if len(args) > len(fields):
        raise TypeError(f"{type(self).__name__}() takes {len(fields)} values, not {len(args)}")
    if len(values) < len(fields):
        defaults = self._defaults
        missing = [name for name in fields if name not in values]
        for name in missing:
            if name not in defaults:
                raise TypeError(f"{type(self).__name__}() misses {name}")
            value = defaults[name]
            values[name] = value.make() if type(value) is _Factory else value
    check = getattr(self, "__post_init__", None)
    if check is not None:
        check()


def _values(record: Any) -> tuple[Any, ...]:
    values = record.__dict__
    return tuple([values[name] for name in record._fields])


def _eq(self: Any, other: Any) -> Any:
    return _values(self) == _values(other) if type(other) is type(self) else NotImplemented


def _hash(self: Any) -> int:
    return hash(_values(self))


def _repr(self: Any) -> str:
    shown = ", ".join(f"{name}={self.__dict__[name]!r}" for name in self._fields)
    return f"{type(self).__qualname__}({shown})"


def _refuse(self: Any, name: str, *_: Any) -> NoReturn:
    raise AttributeError(f"{type(self).__name__} is frozen: {name} cannot be changed")
