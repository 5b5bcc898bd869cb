"""Definitions of variants as facts, and the values that are taken by default.

Only variants that some constraint mentions are encoded; the rest have their defaults in every
optimal solution, and the decoder adds them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from spack.recipe.records import VariantRecord
from spack.solver.facts import FactSink
from spack.solver.quoting import quote
from spack.spec import Spec, VariantValue
from spack.spec.wheel import BINARY

if TYPE_CHECKING:
    from spack.solver.candidates import Catalog

__all__ = ["VariantFacts", "default_values", "preferred_variants"]

#: Definitions with more values than this are cut to those that the input names, and one other.
MANY_VALUES = 12


def preferred_variants(catalog: Catalog, package: str) -> Mapping[str, VariantValue]:
    """Return what the configuration prefers and what roots ask for or propagate, by variant.

    What a root asks for replaces the default: ``zstd libs=static`` is not also shared.
    """
    known = catalog.preferred_variants.get(package)
    if known is None:
        known = {}
        for section in ("all", package):
            settings = catalog.settings(section)
            for text in settings.variants if settings is not None else ():
                known.update(Spec.parse(text).with_name("").variants)
        asked: dict[str, VariantValue] = {}
        for root in catalog.problem.roots:
            for spec in root.spec.traverse():
                for value in spec.variants.values():
                    if value.values and (value.propagate or spec.name == package):
                        earlier = asked.get(value.name)
                        asked[value.name] = value if earlier is None else _both(earlier, value)
        known.update(asked)
        catalog.preferred_variants[package] = known
    return known


def _both(one: VariantValue, other: VariantValue) -> VariantValue:
    """Return the values that two roots ask for."""
    values = tuple(dict.fromkeys((*one.values, *other.values)))
    return one if values == one.values else VariantValue.multi(one.name, values)


def allowed_values(record: VariantRecord) -> tuple[tuple[str, str], ...] | None:
    """Return pairs of value and condition; None when any text will do."""
    if record.kind == "bool":
        conditions = dict(record.values or ())
        return tuple((value, conditions.get(value, "")) for value in ("true", "false"))
    return record.values


def default_values(
    record: VariantRecord, preferred: VariantValue | None, extra: Sequence[str] = ()
) -> tuple[str, ...]:
    """Return the default of one definition, or what is preferred where the definition allows it.

    :param extra: values that an external has although the recipe does not list them.
    """
    if preferred is None or not preferred.values:
        return record.default
    allowed = allowed_values(record)
    if allowed is not None:
        names = {value for value, _ in allowed}.union(extra)
        if not names.issuperset(preferred.values):
            return record.default
    if record.kind != "multi" and len(preferred.values) != 1:
        return record.default
    return preferred.values


class VariantFacts:
    """Writes the definitions of all variants that constraints mention."""

    def __init__(self, sink: FactSink) -> None:
        self.sink = sink
        self._done: set[tuple[str, str]] = set()

    def collect(self) -> None:
        """Compile the conditions of definitions, until none mentions a further variant."""
        mentioned = self.sink.conditions.mentioned
        news = True
        while news:
            news = False
            for package, name in list(mentioned):
                if (package, name) not in self._done and self._encoded(package):
                    self._done.add((package, name))
                    news = True
                    for record in self.sink.conditions.definitions(package, name):
                        self.sink.conditions.when(package, record.when)
                        for _, when in allowed_values(record) or ():
                            self.sink.conditions.when(package, when)

    def _encoded(self, package: str) -> bool:
        """Return whether variants of *package* are chosen: it is built, or an external."""
        sink = self.sink
        return package in sink.universe and (
            sink.context.expanded(package) or bool(sink.catalog.externals(package))
        )

    def write(self) -> None:
        """Emit the definitions that :meth:`collect` has found."""
        for package, name in self.sink.conditions.mentioned:
            if (package, name) in self._done:
                self._variant(package, name)
        for package in self.sink.universe:
            if self.sink.catalog.externals(package):
                self._unmentioned(package)

    def _unmentioned(self, package: str) -> None:
        """Write how many variants of externals, of those left out, are not the defaults."""
        sink = self.sink
        preferred = preferred_variants(sink.catalog, package)
        for external in sink.catalog.get(package).externals:
            count = 0
            for name, value in external.spec.variants.items():
                records = sink.conditions.definitions(package, name)
                if (package, name) in sink.conditions.mentioned or not records:
                    continue
                defaults = [default_values(record, preferred.get(name)) for record in records]
                count += all(set(default) != set(value.values) for default in defaults)
            if count:
                sink.emit(f"xvariants({quote(package)},{external.index},{count}).")

    def _variant(self, package: str, name: str) -> None:
        sink = self.sink
        outside = self._external_values(package, name)
        numbers: list[int] = []
        for record in sink.conditions.definitions(package, name):
            condition = sink.conditions.when(package, record.when)
            if condition is None:
                continue
            number = sink.number()
            for earlier in numbers:
                sink.emit(f"later({earlier},{number}).")
            numbers.append(number)
            sink.emit(f"vdef({quote(package)},{number},{quote(name)}).")
            if condition:
                sink.emit(f"vcond({number},{condition}).")
            self._definition(package, record, number, outside)

    def _external_values(self, package: str, name: str) -> tuple[str, ...]:
        sink = self.sink
        if not sink.catalog.externals(package):
            return ()
        found: dict[str, None] = {}
        p, v = quote(package), quote(name)
        for external in sink.catalog.get(package).externals:
            value = external.spec.variants.get(name)
            for text in value.values if value is not None else ():
                found.setdefault(text)
                sink.emit(f"xval({p},{external.index},{v},{quote(text)}).")
        return tuple(found)

    def _definition(
        self, package: str, record: VariantRecord, number: int, outside: tuple[str, ...]
    ) -> None:
        sink, emit = self.sink, self.sink.emit
        preferred = preferred_variants(sink.catalog, package).get(record.name)
        default = default_values(record, preferred, outside)
        named = sink.conditions.mentioned[package, record.name]
        values = self._values(record, named, (*default, *outside))
        if record.kind == "multi":
            emit(f"multival({number}).")
        for value, when in values.items():
            condition = sink.conditions.when(package, when)
            if condition is None:
                continue
            emit(f"vval({number},{quote(value)}).")
            if condition:
                emit(f"vvalcond({number},{quote(value)},{condition}).")
        if record.name == "build_system" and sink.catalog.wheels.preferred(package):
            default = (*default, BINARY)
        emit(*(f"vdefault({number},{quote(value)})." for value in default))
        if record.sticky:
            emit(f"sticky({number}).")
        if record.kind == "multi":
            self._groups(record, number, list(values))

    def _values(
        self, record: VariantRecord, named: set[str], also: Sequence[str]
    ) -> dict[str, str]:
        """Write the values that the program may choose from, with their conditions."""
        allowed = allowed_values(record)
        if allowed is None:
            return dict.fromkeys(dict.fromkeys((*also, *sorted(named))), "")
        values = dict(allowed)
        if len(values) > MANY_VALUES and record.sets is None:
            kept = {value for value in values if value in named or value in also}
            spare = next((value for value in values if value not in kept), None)
            values = {v: when for v, when in values.items() if v in kept or v == spare}
        for value in also:
            values.setdefault(value, "")
        return values

    def _groups(self, record: VariantRecord, number: int, values: Sequence[str]) -> None:
        emit = self.sink.emit
        if record.sets is None:
            if "none" in values:
                emit(f'alone({number},"none").')
            return
        mixes: set[tuple[str, str]] = set()
        for group in record.sets:
            inside = sorted(value for value in group if value in values)
            if len(group) == 1 and inside:
                emit(f"alone({number},{quote(inside[0])}).")
            mixes.update((a, b) for a in inside for b in inside if a < b)
        if sum(len(group) > 1 for group in record.sets) > 1:
            emit(f"grouped({number}).")
            emit(*(f"mixes({number},{quote(a)},{quote(b)})." for a, b in sorted(mixes)))
