"""Conflicts and requirements, of recipes and of the configuration, as facts."""

from __future__ import annotations

from collections.abc import Sequence

from spack.recipe.records import RequirementRecord
from spack.solver.facts import FactSink
from spack.solver.problem import RequirementLike
from spack.solver.quoting import quote
from spack.spec import Spec

__all__ = ["RuleFacts"]


class RuleFacts:
    """Writes what must not be, and what must be one of several alternatives."""

    def __init__(self, sink: FactSink) -> None:
        self.sink = sink
        self.context = sink.context
        self.conditions = sink.conditions
        self.assumptions = sink.assumptions
        self.emit = sink.emit

    def mixing(self) -> None:
        """Write ``concretizer:compiler_mixing`` where compilers may not be mixed."""
        mixing = self.context.problem.compiler_mixing
        if mixing is True:
            return
        origin = "concretizer:compiler_mixing"
        self.emit(f"pure({self.assumptions.add('pure', '', origin, origin)}).")
        for name in () if isinstance(mixing, bool) else mixing:
            self.emit(f"mixer({quote(name)}).")

    def recipe_conflicts(self, name: str) -> None:
        recipe = self.context.catalog.recipe(name)
        for record in recipe.conflicts if recipe is not None else ():
            condition = self.conditions.both(name, Spec.parse(record.spec), Spec.parse(record.when))
            if condition is None:
                continue
            number = self.sink.number()
            text = record.spec + (f" when {record.when}" if record.when else "")
            assumption = self.assumptions.add(
                "conflict",
                name,
                text,
                self.sink.where(name, record.line),
                data=record,
                message=record.message,
            )
            self.emit(f"conflict({quote(name)},{number},{assumption}).")
            self.sink.conjunction("kcond", number, condition)

    def recipe_requirements(self, name: str) -> None:
        recipe = self.context.catalog.recipe(name)
        for record in recipe.requirements if recipe is not None else ():
            self._demand(name, record, "requires", "built", self.sink.where(name, record.line))

    def _demand(
        self,
        name: str,
        record: RequirementRecord | RequirementLike,
        kind: str,
        scope: str,
        origin: str,
        free: bool = False,
    ) -> None:
        """Write a group of alternatives; earlier ones are preferred when *free* is set."""
        condition = self.conditions.when(name, record.when)
        if condition is None:
            return
        options = []
        for text in record.specs:
            spec = Spec.parse(text)
            anonymous = spec if spec.name not in (name, "") else spec.with_name("")
            options.append(self.conditions.both(name, anonymous))
            if scope == "any":
                self.sink.demand(anonymous.dependencies)
        number = self.sink.number()
        text = f" {'or' if record.policy == 'any_of' else 'xor'} ".join(record.specs)
        assumption = self.assumptions.add(
            kind, name, text, origin, data=record, message=record.message
        )
        self.emit(f"demand({quote(name)},{number},{assumption},{scope}).")
        self.sink.conjunction("gcond", number, condition)
        if record.policy == "one_of" and len(options) > 1:
            self.emit(f"oneof({number}).")
        for location, option in enumerate(options):
            weight = location if kind == "require" else 0
            self.emit(f"option({number},{location},{weight}).")
            # 0 has no condition; -1 is a condition that never holds
            if option is None:
                self.emit(f"optcond({number},{location},-1).")
            else:
                self._optional(number, location, option)
        if free:
            self.emit(f"option({number},{len(options)},1).")

    def _optional(self, number: int, location: int, condition: int) -> None:
        if condition:
            self.emit(f"optcond({number},{location},{condition}).")

    def configured(self, name: str) -> None:
        """Write ``require``, ``prefer`` and ``conflict`` of packages.yaml."""
        own = self.context.catalog.settings(name)
        if own is not None:
            for group in own.require:
                self._demand(name, group, "require", "any", _at(group))
            self._concretize_options(name, own.prefer, own.conflict)
        everything = self.context.catalog.settings("all")
        if everything is not None:
            if own is None or not own.require:
                for group in everything.require:
                    if self._applicable(name, group):
                        self._demand(name, group, "require", "any", _at(group))
            prefer = [group for group in everything.prefer if self._applicable(name, group)]
            self._concretize_options(name, prefer, everything.conflict)

    def developed(self, name: str) -> None:
        """Write what is required of a package that is built from a developer's directory."""
        root = self.context.catalog.problem.develop.get(name)
        if root is None:
            return
        assumption = self.assumptions.add("develop", name, str(root.spec), root.origin)
        literals = self.conditions.compile(name, root.spec.with_name(""))
        for literal in (0,) if literals is None else literals:
            self.emit(f"developed({quote(name)},{literal},{assumption}).")

    def _concretize_options(
        self,
        name: str,
        prefer: Sequence[RequirementLike],
        conflict: Sequence[RequirementLike],
    ) -> None:
        for group in prefer:
            self._demand(name, group, "prefer", "any", _at(group), free=True)
        for group in conflict:
            for text in group.specs:
                spec = Spec.parse(text)
                named = spec if spec.name not in (name, "") else spec.with_name("")
                condition = self.conditions.both(name, named, Spec.parse(group.when))
                if condition is None:
                    continue
                number = self.sink.number()
                assumption = self.assumptions.add(
                    "forbid", name, text, _at(group), data=group, message=group.message
                )
                self.emit(f"forbid({quote(name)},{number},{assumption}).")
                self.sink.conjunction("kcond", number, condition)

    def _applicable(self, name: str, group: RequirementLike) -> bool:
        """Return whether a requirement on all packages says anything of this one."""
        candidates = self.context.catalog.get(name)
        known = (
            {record.name for record in candidates.recipe.variants} if candidates.recipe else set()
        )
        for text in group.specs:
            spec = Spec.parse(text)
            if any(variant not in known for variant in spec.variants):
                continue
            if any(
                d.direct and not self.context.may_have(name, d.spec.name) for d in spec.dependencies
            ):
                continue
            return True
        return False

    def virtual(self, virtual: str, group: RequirementLike) -> None:
        """Write a requirement on a virtual package as one on its provider."""
        number = self.sink.number()
        text = " or ".join(group.specs)
        assumption = self.assumptions.add(
            "require", virtual, text, _at(group), data=group, message=group.message
        )
        self.emit(f"vdemand({quote(virtual)},{number},{assumption}).")
        for location, spec in enumerate(map(Spec.parse, group.specs)):
            for provider in self.context.catalog.providers(virtual):
                if spec.name not in (provider, virtual, ""):
                    continue
                inner = spec if spec.name == provider else spec.replace(name="")
                condition = self.conditions.both(provider, inner)
                if condition is None:
                    continue
                self.emit(f"voption({number},{quote(provider)},{location}).")
                if condition:
                    self.emit(f"voptcond({number},{quote(provider)},{location},{condition}).")

    def virtual_conflict(self, virtual: str, group: RequirementLike) -> None:
        """Write a conflict of a virtual package as what its provider must not be."""
        when = Spec.parse(group.when)
        for text in group.specs:
            spec, number = Spec.parse(text), self.sink.number()
            assumption = self.assumptions.add(
                "forbid", virtual, text, _at(group), data=group, message=group.message
            )
            self.emit(f"vforbid({quote(virtual)},{number},{assumption}).")
            for provider in self.context.catalog.providers(virtual):
                if spec.name not in (provider, virtual, ""):
                    continue
                inner = spec if spec.name == provider else spec.replace(name="")
                condition = self.conditions.both(provider, inner, when)
                if condition is None:
                    continue
                self.emit(f"vbad({number},{quote(provider)}).")
                if condition:
                    self.emit(f"vbadcond({number},{quote(provider)},{condition}).")


def _at(group: RequirementLike) -> str:
    return str(group.origin)
