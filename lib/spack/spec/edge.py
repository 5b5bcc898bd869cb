"""What a concrete spec holds besides itself: its edges, and where an external lives."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from spack.spec.algebra import NOTHING
from spack.spec.deptypes import DEPTYPES

if TYPE_CHECKING:
    from spack.spec.concrete import ConcreteSpec

__all__ = ["Edge", "External"]

_set = object.__setattr__


class External:
    """Where a node that is not built here lives; immutable.

    :param path: its prefix, or None when it is only known by modules.
    :param modules: environment modules to load for it.
    :param extra_attributes: plain data from detection or configuration (compilers' paths, ...).
    """

    __slots__ = ("extra_attributes", "modules", "path")

    path: str | None
    modules: tuple[str, ...]
    extra_attributes: Mapping[str, Any]

    def __init__(
        self,
        path: str | None = None,
        modules: tuple[str, ...] = (),
        extra_attributes: Mapping[str, Any] = NOTHING,
    ) -> None:
        _set(self, "path", path)
        _set(self, "modules", tuple(modules))
        _set(self, "extra_attributes", extra_attributes)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError("External is immutable")

    def to_data(self) -> dict[str, Any]:
        """Return plain data, as a node's form has it."""
        return {
            "path": self.path,
            "module": list(self.modules) or None,
            "extra_attributes": _plain(self.extra_attributes),
        }

    def __eq__(self, other: object) -> bool:
        if isinstance(other, External):
            return self.to_data() == other.to_data()
        return NotImplemented

    def __hash__(self) -> int:
        return hash((self.path, self.modules))

    def __repr__(self) -> str:
        return f"External({self.path!r}, {self.modules!r})"


class Edge:
    """A dependency of a concrete spec; immutable.

    :param deptypes: a subset of build, link, run, test; not empty.
    :param virtuals: the virtual packages that ``spec`` provides on this edge, sorted.
    """

    __slots__ = ("deptypes", "spec", "virtuals")

    spec: ConcreteSpec
    deptypes: frozenset[str]
    virtuals: tuple[str, ...]

    def __init__(
        self,
        spec: ConcreteSpec,
        deptypes: Iterable[str],
        virtuals: tuple[str, ...] = (),
    ) -> None:
        _set(self, "spec", spec)
        _set(self, "deptypes", deptypes if type(deptypes) is frozenset else frozenset(deptypes))
        _set(self, "virtuals", virtuals)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError("Edge is immutable")

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Edge):
            return (self.spec, self.deptypes, self.virtuals) == (
                other.spec,
                other.deptypes,
                other.virtuals,
            )
        return NotImplemented

    def __hash__(self) -> int:
        return hash((self.spec, self.deptypes, self.virtuals))

    def __repr__(self) -> str:
        types = ",".join(kind for kind in DEPTYPES if kind in self.deptypes)
        bound = ",".join(self.virtuals)
        return f"Edge({bound + '=' if bound else ''}{self.spec.short} [{types}])"


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(value[key]) for key in sorted(value, key=str)}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value
