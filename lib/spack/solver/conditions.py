"""Constraints as literals: the small vocabulary in which the logic program speaks of a node.

A constraint on a package becomes a tuple of literals that must all hold, ``()`` when it always
holds, or None when it never can. Equal parts share a literal, and version constraints that pick
the same candidates are equal; this is what keeps the program small. What is decided here is not
decided by the solver:

* a version constraint that all candidates satisfy, or none;
* platform and operating system, of which there is one; the target, unless there is a choice;
* a variant that no definition of the recipe knows.

None of this is done for a package that may be a *placeholder* (its build is not expanded, so
nothing is known of it): there a literal must stay free to be true or false.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from spack.recipe.records import VariantRecord
from spack.solver.round_context import RoundContext
from spack.solver.wheel_choices import without_binary
from spack.spec import ConcreteSpec, Dependency, Spec, VariantValue, any_version, target_satisfies
from spack.spec.deptypes import RUN_TIME
from spack.spec.wheel import BINARY

__all__ = ["Conditions", "Literal"]

#: Keys that look like variants but that no recipe declares: a node has them when they are set.
FREE_KEYS = frozenset(("commit", "dev_path", "editable", "patches", "tag", "branch", "ref"))

Key = tuple[Any, ...]


@dataclass(frozen=True)
class Literal:
    """One literal on one package; ``key[0]`` names its kind.

    ``("v", text, mask)`` version, ``("b", variant, value)``, ``("h", variant)``,
    ``("x", variant, values)`` exactly these, ``("o", variant, value)`` another value,
    ``("t", targets)``, ``("s", name, value)`` set,
    ``("H", hashes)``,
    ``("n", namespace, whether the recipe is of it)``,
    ``("c", condition, literal)`` the literal, where the condition holds,
    ``("d", name, direct, condition, virtuals, types)`` a dependency and
    ``("V", virtual, direct, versions, condition per provider, asked)`` one that is virtual.
    """

    number: int
    package: str
    key: Key
    dependency: Dependency | None = None


class Conditions:
    """Makes literals and conditions, each once."""

    def __init__(self, context: RoundContext) -> None:
        self.context = context
        self.literals: list[Literal] = []
        self.conditions: dict[tuple[str, tuple[int, ...]], int] = {}
        #: Values of variants that a constraint mentions, by package and variant.
        self.mentioned: dict[tuple[str, str], set[str]] = {}
        #: Pairs (package, package or virtual) for which "somewhere below" is asked.
        self.wanted: set[tuple[str, str]] = set()
        self._numbers: dict[tuple[str, Key], int] = {}
        self._compiled: dict[tuple[str, int], tuple[Spec, tuple[int, ...] | None]] = {}

    def compile(self, package: str, spec: Spec) -> tuple[int, ...] | None:
        """Return the literals that *spec* says of a node of *package*.

        None when none can hold it.
        """
        # by identity: parsing is memoised, and hashing a spec costs more than compiling it
        key = (package, id(spec))
        known = self._compiled.get(key)
        if known is None:
            known = self._compiled[key] = (spec, self._compile(package, spec))
        return known[1]

    def condition(self, package: str, literals: tuple[int, ...]) -> int:
        """Return the number of the conjunction of *literals*; 0 for none."""
        if not literals:
            return 0
        key = (package, tuple(sorted(set(literals))))
        return self.conditions.setdefault(key, len(self.conditions) + 1)

    def when(self, package: str, text: str, *more: int) -> int | None:
        """Return the condition of the text and of *more* literals; None when it never holds."""
        literals = self.compile(package, Spec.parse(text)) if text else ()
        return None if literals is None else self.condition(package, (*literals, *more))

    def from_source(self, package: str) -> int:
        """Return the literal "is not a wheel of the index"."""
        return self.literal(package, ("o", "build_system", BINARY))

    def both(self, package: str, *specs: Spec) -> int | None:
        """Return the conjunction of several constraints on one node."""
        found: list[int] = []
        for spec in specs:
            literals = self.compile(package, spec)
            if literals is None:
                return None
            found.extend(literals)
        return self.condition(package, tuple(found))

    def literal(self, package: str, key: Key, dependency: Dependency | None = None) -> int:
        """Return the number of a literal, from 1."""
        number = self._numbers.get((package, key))
        if number is None:
            number = len(self.literals) + 1
            self._numbers[package, key] = number
            self.literals.append(Literal(number, package, key, dependency))
        return number

    # -- parts ------------------------------------------------------------------------------

    def _compile(self, package: str, spec: Spec) -> tuple[int, ...] | None:
        if spec.name and spec.name != package:
            # a condition about another package is one about something below
            literal = self.dependency(package, Dependency(spec, False, (), ()))
            return None if literal is None else (literal,)
        found: list[int] = []
        for part in (self._versions, self._variants, self._architecture, self._identity):
            literals = part(package, spec)
            if literals is None:
                return None
            found.extend(literals)
        for dependency in spec.dependencies:
            condition = 0
            if dependency.when is not None:
                holds = self.both(package, dependency.when.with_name(package))
                if holds is None:
                    continue
                condition = holds
            literal = self.dependency(package, dependency)
            if condition:
                literal = self.literal(package, ("c", condition, literal or 0))
            if literal is None:
                return None
            found.append(literal)
        return tuple(found)

    def _versions(self, package: str, spec: Spec) -> list[int] | None:
        versions = spec.versions
        if versions.is_any:
            return []
        possible_versions = self.context.possible_versions(package)
        mask = (
            self.context.candidates(package).mask(versions) & possible_versions
            if possible_versions
            else 0
        )
        if self.context.may_be_placeholder(package):
            return [self.literal(package, ("v", str(versions), mask))]
        if not mask:
            return None
        return [] if mask == possible_versions else [self.literal(package, ("v", "", mask))]

    def _variants(self, package: str, spec: Spec) -> list[int] | None:
        found: list[int] = []
        for name in spec.variants:
            literals = self._variant(package, spec.variants[name])
            if literals is None:
                return None
            found.extend(literals)
        return found

    def _variant(self, package: str, wanted: VariantValue) -> list[int] | None:
        name = wanted.name
        if name in FREE_KEYS:
            return [self.literal(package, ("s", name, value)) for value in wanted.values]
        if not self._possible(package, wanted):
            return None
        if self._given(package, wanted):
            return []
        mentioned = self.mentioned.setdefault((package, name), set())
        mentioned.update(wanted.values)
        if wanted.kind == "any":
            return [self.literal(package, ("h", name))]
        if wanted.exact and wanted.kind != "bool":
            return [self.literal(package, ("x", name, wanted.values))]
        return [self.literal(package, ("b", name, value)) for value in wanted.values]

    def definitions(self, package: str, name: str) -> list[VariantRecord]:
        """Return the recipe's definitions of a variant, in order."""
        recipe = self.context.candidates(package).recipe
        if recipe is None:
            return []
        if name == "build_system" and not self._may_be_wheel(package):
            recipe = without_binary(recipe)
        return [record for record in recipe.variants if record.name == name]

    def _may_be_wheel(self, package: str) -> bool:
        return self.context.expanded(package) and self.context.catalog.wheels.fits(package)

    def _possible(self, package: str, wanted: VariantValue) -> bool:
        if self.context.may_be_placeholder(package):
            return True
        candidates = self.context.candidates(package)
        if candidates.installed or candidates.externals:
            return True
        for record in self.definitions(package, wanted.name):
            if record.values is None:
                return True
            allowed = {value for value, _ in record.values}
            if record.kind == "bool":
                allowed = {"true", "false"}
            if record.kind != "multi" and len(wanted.values) > 1:
                continue
            if allowed.issuperset(wanted.values):
                return True
        return False

    def _given(self, package: str, wanted: VariantValue) -> bool:
        """Return whether every node of *package* has the value, as for build_system=python_pip."""
        if self.context.may_be_placeholder(package) or self.context.candidates(package).installed:
            return False
        definitions = self.definitions(package, wanted.name)
        if len(definitions) != 1 or definitions[0].when or definitions[0].values is None:
            return False
        if wanted.kind == "any":
            return True
        values = definitions[0].values
        return (
            definitions[0].kind == "single"
            and len(values) == 1
            and wanted.values == (values[0][0],)
            and not self.context.candidates(package).externals
        )

    def _architecture(self, package: str, spec: Spec) -> list[int] | None:
        arch = spec.arch
        if not arch:
            return []
        host = self.context.catalog.problem.host
        if arch.platform not in (None, "*", host.platform) or arch.os not in (None, "*", host.os):
            return None
        if arch.target is None or arch.target == "*":
            return []
        targets = self.context.targets
        fitting = tuple(name for name in targets if target_satisfies(name, arch.target))
        source: list[int] = []
        if not target_satisfies(host.family, arch.target) and self._may_be_wheel(package):
            source = [self.from_source(package)]
        if len(fitting) == len(targets) and not self.context.relaxed:
            return source
        if self.context.may_be_placeholder(package):
            return [self.literal(package, ("t", fitting, arch.target)), *source]
        return [self.literal(package, ("t", fitting, "")), *source] if fitting else None

    def _identity(self, package: str, spec: Spec) -> list[int] | None:
        found: list[int] = []
        for name in spec.flags:
            found.extend(self.literal(package, ("s", name, text)) for text in spec.flags[name])
        if spec.hash_prefix:
            hashes = tuple(
                sorted(
                    concrete.dag_hash()
                    for concrete in self.context.catalog.by_hash(spec.hash_prefix)
                    if concrete.name == package
                )
            )
            if not hashes:
                return None
            found.append(self.literal(package, ("H", hashes)))
        if spec.namespace:
            recipe = self.context.catalog.recipe(package)
            installed = self.context.candidates(package).installed
            different = [concrete for concrete in installed if concrete.namespace != spec.namespace]
            if recipe is None or recipe.namespace != spec.namespace:
                if len(different) == len(installed):
                    return None
                found.append(self.literal(package, ("n", spec.namespace, False)))
            elif different:
                found.append(self.literal(package, ("n", spec.namespace, True)))
        return found

    # -- dependencies -----------------------------------------------------------------------

    def dependency(self, package: str, wanted: Dependency, asked: bool = False) -> int | None:
        """Return the literal "has such a dependency"; None when it cannot have one.

        :param asked: it is demanded, not tested: a virtual package whose provider may have the
            version will do.
        """
        name = wanted.spec.name
        if not name:
            return None
        if self.context.catalog.is_virtual(name):
            return self._virtual(package, name, wanted, asked)
        if wanted.direct and not self._may_have(package, name):
            return None
        literals = self.compile(name, wanted.spec)
        if literals is None:
            return None
        if not wanted.direct:
            self.wanted.add((package, name))
        condition = self.condition(name, literals)
        key = ("d", name, wanted.direct, condition, wanted.virtuals, wanted.deptypes)
        return self.literal(package, key, wanted)

    def _virtual(self, package: str, virtual: str, wanted: Dependency, asked: bool) -> int | None:
        if wanted.direct and not self._may_have(package, virtual):
            return None
        conditions: list[tuple[str, int]] = []
        anonymous = wanted.spec.replace(name="", versions=any_version)
        for provider in self.context.catalog.providers(virtual):
            literals = self.compile(provider, anonymous)
            if literals is not None:
                conditions.append((provider, self.condition(provider, literals)))
        if not conditions:
            return None
        if not wanted.direct:
            self.wanted.update((package, provider) for provider, _ in conditions)
        versions = "" if wanted.spec.versions.is_any else str(wanted.spec.versions)
        key = ("V", virtual, wanted.direct, versions, tuple(conditions), asked)
        return self.literal(package, key, wanted)

    def _may_have(self, package: str, name: str) -> bool:
        candidates = self.context.candidates(package)
        if self.context.may_be_placeholder(package) or candidates.installed:
            return True
        if any(external.entry.edges for external in candidates.externals):
            return True
        return self.context.may_have(package, name)

    # -- installed specs --------------------------------------------------------------------

    def holds_for(self, literal: Literal, spec: ConcreteSpec) -> bool:
        """Return whether *literal* is true of an installed spec."""
        kind, key = literal.key[0], literal.key
        if kind == "v":
            index = self.context.candidates(spec.name).index(spec.version)
            return bool(key[2] >> index & 1)
        if kind in ("b", "h", "x"):
            value = spec.variants.get(key[1])
            if value is None or kind == "h":
                return value is not None
            return key[2] in value.values if kind == "b" else key[2] == value.values
        if kind == "o":
            return key[1] not in spec.variants or key[2] not in spec.variants[key[1]].values
        if kind == "t":
            return spec.target in key[1] or (
                bool(key[2]) and target_satisfies(str(spec.target), key[2])
            )
        if kind == "s":
            return _set_literals(spec, key[1], key[2])
        if kind == "H":
            return spec.dag_hash() in key[1]
        if kind == "n":
            return bool(spec.namespace == key[1])
        if kind == "c":
            return self._implied(key[1], key[2], spec)
        return literal.dependency is not None and _has_dependency(spec, literal, self)

    def _implied(self, condition: int, literal: int, spec: ConcreteSpec) -> bool:
        _, conjunction = next(key for key, n in self.conditions.items() if n == condition)
        if not all(self.holds_for(self.literals[number - 1], spec) for number in conjunction):
            return True
        return literal > 0 and self.holds_for(self.literals[literal - 1], spec)


def _set_literals(spec: ConcreteSpec, name: str, value: str) -> bool:
    variant = spec.variants.get(name)
    if variant is not None:
        return value in variant.values
    return value in spec.flags.get(name, ())


def _has_dependency(spec: ConcreteSpec, literal: Literal, conditions: Conditions) -> bool:  # noqa: C901 - one pass over the edges
    wanted, virtual = literal.dependency, literal.key[0] == "V"
    assert wanted is not None
    name = literal.key[1]
    inner = wanted.spec.with_name("")
    if virtual:
        inner = inner.replace(versions=any_version)
    edges = list(spec.edges)
    if not wanted.direct:
        for edge in spec.edges:
            for below in edge.spec.traverse(("link", "run")):
                edges.extend(e for e in below.edges if e.deptypes & RUN_TIME)
    for edge in edges:
        if virtual:
            if name not in edge.virtuals:
                continue
        elif edge.spec.name != name or not set(wanted.virtuals) <= set(edge.virtuals):
            continue
        if wanted.deptypes and not set(wanted.deptypes) <= edge.deptypes:
            continue
        if edge.spec.satisfies(inner):
            return True
    return False
