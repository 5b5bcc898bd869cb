"""Values of variants in constraints and in concrete specs.

A value is a set of texts with one bit: *exact* sets are all that the variant has, others are the
least that it has (``x=a,b`` is "at least a and b", ``x:=a,b`` is "exactly a and b", ``x=*`` is
"at least nothing"). Booleans are exact sets of one, ``("true",)`` or ``("false",)``; so are the
single values of concrete specs. All relations are set relations, and none depends on ``kind``,
which says only how a value is shown.
"""

from __future__ import annotations

import re
from typing import Any

from spack.errors import SpecError

__all__ = ["RESERVED_NAMES", "VariantValue", "quoted"]

#: Names that no recipe may give to a variant; they cannot be propagated.
RESERVED_NAMES = frozenset(
    [
        "arch",
        "architecture",
        "branch",
        "commit",
        "dev_path",
        "editable",
        "namespace",
        "operating_system",
        "os",
        "patches",
        "platform",
        "ref",
        "tag",
        "target",
    ]
)

TRUE = ("true",)
FALSE = ("false",)

_BARE = re.compile(r"(?:[a-zA-Z0-9,/_.\-]|\[[a-zA-Z0-9,/_.\-]*\])+\Z")


def quoted(text: str) -> str:
    """Return *text* as a value in a spec: with quotes unless it consists of safe characters."""
    if _BARE.match(text):
        return text
    if "'" not in text:
        return f"'{text}'"
    return '"' + text.replace('"', '\\"') + '"'


class VariantValue:
    """The value of one variant; immutable and hashable.

    :param kind: ``"bool"``, ``"single"``, ``"multi"`` or ``"any"`` (``x=*``).
    :param values: sorted texts; of a boolean ``("true",)`` or ``("false",)``.
    :param propagate: the constraint is passed on to dependencies (``++x``, ``x==a``).
    :param exact: the variant has these values and no other; always so for a boolean.
    """

    __slots__ = ("exact", "kind", "name", "propagate", "values")

    name: str
    kind: str
    values: tuple[str, ...]
    propagate: bool
    exact: bool

    def __init__(
        self,
        name: str,
        kind: str,
        values: tuple[str, ...],
        propagate: bool = False,
        exact: bool = False,
    ) -> None:
        _set(self, "name", name)
        _set(self, "kind", kind)
        _set(self, "values", values if len(values) < 2 else tuple(sorted(set(values))))
        _set(self, "propagate", propagate)
        _set(self, "exact", exact or kind == "bool")

    @classmethod
    def boolean(cls, name: str, value: bool, propagate: bool = False) -> VariantValue:
        """Return ``+name`` or ``~name``."""
        return cls(name, "bool", TRUE if value else FALSE, propagate, True)

    @classmethod
    def single(cls, name: str, value: str) -> VariantValue:
        """Return the one value of a concrete single-valued variant."""
        return cls(name, "single", (value,), False, True)

    @classmethod
    def multi(cls, name: str, values: tuple[str, ...]) -> VariantValue:
        """Return the values of a concrete multi-valued variant."""
        return cls(name, "multi", values, False, True)

    @classmethod
    def parse(
        cls, name: str, text: str, propagate: bool = False, exact: bool = False
    ) -> VariantValue:
        """Return the variant of ``name=text``; *text* is without quotes."""
        lower = text.lower()
        if lower in ("true", "false"):
            return cls(name, "bool", (lower,), propagate, True)
        if text == "*":
            return cls(name, "any", (), propagate)
        values = (text,) if "," not in text else tuple(sorted(set(text.split(","))))
        kind = "multi" if exact or len(values) > 1 else "single"
        return cls(name, kind, values, propagate, exact)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError("VariantValue is immutable")

    @property
    def _key(self) -> tuple[Any, ...]:
        return (self.name, self.kind, self.values, self.propagate, self.exact)

    def __reduce__(self) -> tuple[Any, ...]:
        return VariantValue, self._key

    def __eq__(self, other: object) -> bool:
        if isinstance(other, VariantValue):
            return self._key == other._key
        return NotImplemented

    def __hash__(self) -> int:
        return hash(self._key)

    def __contains__(self, value: object) -> bool:
        if isinstance(value, bool):
            value = "true" if value else "false"
        return value in self.values

    @property
    def value(self) -> bool | str | tuple[str, ...]:
        """As recipes see it: True or False, a text, or a tuple of texts."""
        if self.kind == "bool":
            return self.values == TRUE
        return self.values[0] if self.kind == "single" else self.values

    def satisfies(self, other: VariantValue) -> bool:
        """Return whether whatever has this value also has *other* (of the same variant)."""
        if other.exact:
            return self.exact and self.values == other.values
        if self.name == "patches":  # checksums may be abbreviated
            return all(any(v.startswith(w) for v in self.values) for w in other.values)
        return all(value in self.values for value in other.values)

    def intersects(self, other: VariantValue) -> bool:
        """Return whether something can have both values."""
        if self.exact:
            return self.satisfies(other)
        return not other.exact or other.satisfies(self)

    def constrain(self, other: VariantValue) -> VariantValue:
        """Return both at once; sets that are not exact unite.

        :raises SpecError: when nothing can have both.
        """
        if self is other:
            return self
        if not self.intersects(other):
            raise SpecError(
                f"'{str(self).strip()}' and '{str(other).strip()}' contradict each other",
                facts={"variant": self.name},
                ref="variant-conflict",
            )
        propagate = self.propagate and other.propagate
        if self.exact or other.exact:
            base = self if self.exact else other
            return VariantValue(base.name, base.kind, base.values, propagate, True)
        values = tuple(set(self.values) | set(other.values))
        kind = ("any", "single", "multi")[min(len(values), 2)]
        return VariantValue(self.name, kind, values, propagate)

    def __str__(self) -> str:
        if self.kind == "bool":
            sigil = "+" if self.values == TRUE else "~"
            return f"{sigil * 2 if self.propagate else sigil}{self.name}"
        text = ",".join(self.values) if self.values else "*"
        exact = ":" if self.exact and self.kind == "multi" else ""
        return f"{self.name}{exact}{'==' if self.propagate else '='}{quoted(text)}"

    def __repr__(self) -> str:
        return f"VariantValue{self._key!r}"


_set = object.__setattr__
