"""Variants as recipes declare them, and the sets of values that they choose from."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from spack.api.definition import Never, condition_text
from spack.errors import RecipeError
from spack.recipe.records import VariantRecord
from spack.spec.variant import RESERVED_NAMES

__all__ = [
    "ConditionalValue",
    "ValueSets",
    "Variant",
    "any_combination_of",
    "auto_or_any_combination_of",
    "conditional",
    "disjoint_sets",
]

#: The set of values that means no value.
NONE = ("none",)


class ConditionalValue:
    """A value that exists only where a condition holds; equal to the bare value."""

    __slots__ = ("value", "when")

    def __init__(self, value: Any, when: str | None) -> None:
        self.value = value
        #: None means that the condition never holds.
        self.when = when

    def __eq__(self, other: object) -> bool:
        if isinstance(other, ConditionalValue):
            return (self.value, self.when) == (other.value, other.when)
        return bool(self.value == other)

    def __hash__(self) -> int:
        return hash(self.value)

    def __lt__(self, other: object) -> bool:
        return str(self) < str(other)

    def __str__(self) -> str:
        return str(self.value)

    __repr__ = __str__


def conditional(*values: Any, when: Any = None) -> tuple[ConditionalValue, ...]:
    """Return values that may only be chosen where *when* holds, for ``variant(values=...)``."""
    try:
        condition: str | None = condition_text(when)
    except Never:
        condition = None
    return tuple(ConditionalValue(value, condition) for value in values)


class ValueSets(Sequence[Any]):
    """Groups of values: any combination within one group, never across groups.

    It adds its own ``default`` and ``multi`` to the variant. The chained methods modify it
    and return it, as recipes expect.
    """

    multi = True

    def __init__(self, *sets: Iterable[Any]) -> None:
        self.sets: list[tuple[Any, ...]] = [tuple(_flatten(group)) for group in sets]
        _check_disjoint(self.sets)
        self.feature_values: tuple[Any, ...] = tuple(v for group in self.sets for v in group)
        self.default: str | None = None
        self.error = "the values of variant {variant} may not be mixed: {values}"

    def with_default(self, default: str) -> ValueSets:
        """Return the variant with another default."""
        self.default = default
        return self

    def with_error(self, text: str) -> ValueSets:
        """Return the text of the error, with the fields ``{variant}`` and ``{values}``."""
        self.error = text
        return self

    def with_non_feature_values(self, *values: Any) -> ValueSets:
        """Return values that name no feature of the package's build, such as ``none``."""
        self.feature_values = tuple(v for v in self.feature_values if v not in values)
        return self

    def allow_empty_set(self) -> ValueSets:
        """Add the group ``("none",)``, and make it the default."""
        if NONE not in self.sets:
            self.sets.insert(0, NONE)
            self.feature_values = (*self.feature_values, "none")
        return self if self.default is not None else self.with_default("none")

    def prohibit_empty_set(self) -> ValueSets:
        """Take the group ``("none",)`` away again."""
        self.sets = [group for group in self.sets if group != NONE]
        self.feature_values = tuple(v for v in self.feature_values if v != "none")
        if self.default == "none":
            self.default = None
        return self

    def __getitem__(self, index: Any) -> Any:
        return self._all()[index]

    def __len__(self) -> int:
        return len(self._all())

    def __iter__(self) -> Iterator[Any]:
        return iter(self._all())

    def _all(self) -> list[Any]:
        return list(dict.fromkeys(value for group in self.sets for value in group))


def _check_disjoint(sets: Iterable[tuple[Any, ...]]) -> None:
    seen: set[str] = set()
    for group in sets:
        values = {_text(_bare(value)) for value in group}
        twice = sorted(seen & values)
        if twice:
            raise RecipeError(
                f"the value {twice[0]!r} is in two sets of values",
                hint="put each value into one of the sets",
                facts={"values": twice},
            )
        if "none" in values and group != NONE:
            raise RecipeError(
                "the value 'none' is in a set with other values",
                hint="none means the empty set: use .allow_empty_set() to add it",
            )
        seen |= values


def disjoint_sets(*sets: Iterable[Any]) -> ValueSets:
    """Return any combination within one of *sets*, or ``none``."""
    return ValueSets(*sets).allow_empty_set()


def _one_or_any(single: str, values: Iterable[Any]) -> ValueSets:
    sets = ValueSets((single,), values).with_default(single).with_non_feature_values(single)
    return sets.with_error(f"{single!r} cannot be combined with other values of {{variant}}")


def any_combination_of(*values: Any) -> ValueSets:
    """Return any combination of *values*, or ``none``, which is the default."""
    return _one_or_any("none", values)


def auto_or_any_combination_of(*values: Any) -> ValueSets:
    """Return any combination of *values*, or ``auto``, which is the default."""
    return _one_or_any("auto", values)


def _flatten(values: Any) -> Iterator[Any]:
    if isinstance(values, (str, bytes, ConditionalValue)) or not isinstance(values, Iterable):
        yield values
        return
    for value in values:
        yield from _flatten(value)


class Variant:
    """One definition of a variant; a package may have several of one name.

    Recipes read :attr:`values` (with its ``feature_values`` when it is a set of values),
    :attr:`default` and :attr:`multi`.
    """

    def __init__(  # noqa: PLR0913 - keywords of independent settings
        self,
        name: str,
        default: Any = None,
        description: str = "",
        values: Any = None,
        multi: bool | None = None,
        validator: Callable[..., Any] | None = None,
        sticky: bool = False,
        when: str = "",
        line: int = 0,
    ) -> None:
        """Check the arguments of ``variant`` and store them.

        :raises RecipeError: the arguments contradict each other or lack a default.
        """
        if name in RESERVED_NAMES:
            raise RecipeError(f"variant name {name!r} is reserved", hint="choose another name")
        if isinstance(values, ValueSets):
            if default is not None:
                raise RecipeError(
                    f"variant {name!r} has two defaults: default= and that of its values",
                    hint="write values=....with_default(...)",
                )
            default = values.default
            multi = True if multi is None else multi
        self.name = name
        self.description = description
        self.validator = validator
        self.sticky = bool(sticky)
        self.multi = bool(multi)
        self.when = when
        self.line = line
        self.kind, self.values = self._values(default, values)
        if default is None and self.kind == "bool":
            default = False
        if default is None or default == "" or (isinstance(default, (tuple, list)) and not default):
            raise RecipeError(
                f"variant {name!r} has no default value",
                hint="give default=..., for instance one of its values",
            )
        self.default = default

    def _values(self, default: Any, values: Any) -> tuple[str, Any]:
        kind = "multi" if self.multi else "single"
        if values is None:
            boolean = isinstance(default, bool) or str(default).lower() in ("true", "false")
            if not self.multi and boolean:
                return "bool", (True, False)
            return kind, None
        if isinstance(values, (ValueSets, type)) or callable(values):
            return kind, values
        flat = tuple(_flatten(values))
        if not self.multi and flat and all(isinstance(_bare(value), bool) for value in flat):
            return "bool", flat
        return kind, flat

    def allowed(self) -> tuple[tuple[str, str], ...] | None:
        """Return pairs (value, condition), or None where any text may be given."""
        if self.values is None or isinstance(self.values, type):
            return None
        if callable(self.values) and not isinstance(self.values, Sequence):
            return self._documented()
        pairs = []
        for value in self.values:
            when = value.when if isinstance(value, ConditionalValue) else ""
            if when is not None:
                pairs.append((_text(_bare(value)), when))
        return tuple(pairs)

    def _documented(self) -> tuple[tuple[str, str], ...] | None:
        """Return the values of a predicate's docstring, when the predicate accepts them all."""
        text = (getattr(self.values, "__doc__", None) or "").strip()
        if not re.fullmatch(r"[\w.+-]+(,[\w.+-]+)*", text):
            return None
        names = text.split(",")
        try:
            accepted = all(self.values(name) for name in names)
        except Exception:  # a predicate is recipe code: if it fails it says nothing
            return None
        return tuple((name, "") for name in names) if accepted else None

    def record(self, line: int | None = None) -> VariantRecord:
        """Return the frozen record, with *line* instead of its own."""
        default = self.default
        if isinstance(default, str) and self.multi:
            texts = tuple(part.strip() for part in default.split(","))
        elif isinstance(default, (tuple, list)):
            texts = tuple(_text(value) for value in default)
        else:
            texts = (_text(default),)
        if self.kind == "bool":
            texts = tuple(text.lower() for text in texts)
        sets = None
        if isinstance(self.values, ValueSets):
            sets = tuple(tuple(_text(_bare(v)) for v in group) for group in self.values.sets)
        return VariantRecord(
            name=self.name,
            kind=self.kind,
            default=texts,
            values=self.allowed(),
            description=self.description,
            sets=sets,
            sticky=self.sticky,
            when=self.when,
            line=self.line if line is None else line,
        )


def _bare(value: Any) -> Any:
    return value.value if isinstance(value, ConditionalValue) else value


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
