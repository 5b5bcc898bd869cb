"""Conflicts and requirements, of recipes and of the configuration, as facts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from spack.errors import UnsatisfiableError
from spack.recipe.compiler_runtimes import COMPILERS_OF_RUNTIMES
from spack.recipe.records import RequirementRecord
from spack.solver.compiler_targets import compilers, generated
from spack.solver.conditions import FREE_KEYS
from spack.solver.facts import FactSink
from spack.solver.problem import RequirementLike
from spack.solver.quoting import quote
from spack.solver.variant_facts import allowed_values
from spack.solver.wheel_choices import POLICY_ORIGIN
from spack.spec import ConcreteSpec, Spec, VariantValue, VersionList
from spack.spec.languages import LANGUAGE_NAMES

__all__ = ["RuleFacts"]


class RuleFacts:
    """Writes what must not be, and what must be one of several alternatives."""

    def __init__(self, sink: FactSink) -> None:
        self.sink = sink
        self.context = sink.context
        self.conditions = sink.conditions
        self.assumptions = sink.assumptions
        self.emit = sink.emit
        self._languages: dict[str, list[tuple[str, RequirementLike]]] = {}
        self._named = {
            concrete.dag_hash()
            for root in self.context.roots
            for spec in root.spec.traverse()
            if spec.hash_prefix
            for concrete in self.context.catalog.by_hash(spec.hash_prefix)
        }

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
        catalog = self.context.catalog
        recipe = catalog.recipe(name)
        own = recipe.conflicts if recipe is not None else ()
        for record in (*own, *catalog.wheels.conflicts(name)):
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
        for record in self.context.catalog.wheels.requirements(name):
            self._demand(name, record, "requires", "built", POLICY_ORIGIN)

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

    def code_generation(self, name: str) -> None:
        """Write for which targets not every version of *name*, if it is a compiler, makes code."""
        catalog, targets = self.context.catalog, self.context.targets
        if len(targets) < 2 or name not in compilers(catalog):
            return
        possible = self.context.possible_versions(name)
        for target in targets:
            mask = generated(catalog, name, target) & possible
            if mask == possible:
                continue
            assumption = self.assumptions.add("generates", name, target, "", target)
            literal = self.conditions.literal(name, ("v", "", mask))
            self.emit(f"generates({quote(name)},{quote(target)},{literal},{assumption}).")

    def runtime_versions(self, name: str) -> None:
        """Write that a runtime which is built has the version of the compiler that it is of."""
        compiler = COMPILERS_OF_RUNTIMES.get(name)
        if compiler is None or not self.context.expanded(name):
            return
        for candidate in self.context.catalog.get(compiler).versions:
            exact = f"@={candidate.version}"
            record = RequirementRecord((exact,), "any_of", f"%{compiler}{exact}")
            origin = f"the libraries of {compiler}"
            self._demand(name, record, "requires", "built", origin)

    def runtime_of_installed(self, spec: ConcreteSpec) -> None:
        """Write which versions of a compiler may compile what links to an installed *spec*.

        Its runtime must not be newer than that of the dependents: they load their own.
        """
        for edge in spec.edges:
            compiler = COMPILERS_OF_RUNTIMES.get(edge.spec.name)
            if compiler is None:
                continue
            possible = self.context.possible_versions(compiler)
            newer = VersionList.parse(f"{edge.spec.version}:")
            mask = self.context.catalog.get(compiler).mask(newer) & possible
            if mask != possible:
                literal = self.conditions.literal(compiler, ("v", "", mask))
                self.emit(f"hruntime({quote(spec.dag_hash())},{quote(compiler)},{literal}).")

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
        for text in group.specs:
            spec = Spec.parse(text)
            if not all(self._accepts(name, value) for value in spec.variants.values()):
                continue
            if any(d.direct and not self._may_have(name, d.spec.name) for d in spec.dependencies):
                continue
            return True
        return False

    def _may_have(self, name: str, target: str) -> bool:
        """Return whether a node of *name*, built or installed, may depend on *target*."""
        if self.context.may_have(name, target):
            return True
        edges = [edge for spec in self.context.hashes(name) for edge in spec.edges]
        virtuals = {virtual for edge in edges for virtual in edge.virtuals}
        names = {edge.spec.name for edge in edges}.union(
            virtuals, *(self.context.catalog.providers(virtual) for virtual in virtuals)
        )
        return target in names

    def _accepts(self, name: str, wanted: VariantValue) -> bool:
        """Return whether a definition of the variant can have the value."""
        for record in self.conditions.definitions(name, wanted.name):
            if (record.kind == "bool") != (wanted.kind == "bool") and wanted.kind != "any":
                continue
            allowed = allowed_values(record)
            if allowed is None or {value for value, _ in allowed}.issuperset(wanted.values):
                return True
        return wanted.name in FREE_KEYS

    def virtual(self, virtual: str, group: RequirementLike) -> None:
        """Write a requirement or a preference of a virtual package as one on its provider.

        :raises UnsatisfiableError: one of its specs names no package.
        """
        self._check_names(virtual, group)
        number = self.sink.number()
        if group.policy == "prefer":
            self.emit(f"vprefer({quote(virtual)},{number}).")
        else:
            text = " or ".join(group.specs)
            assumption = self.assumptions.add(
                "require", virtual, text, _at(group), data=group, message=group.message
            )
            self.emit(f"vdemand({quote(virtual)},{number},{assumption}).")
        for location, spec in enumerate(map(Spec.parse, group.specs)):
            if spec.flags or not FREE_KEYS.isdisjoint(spec.variants):
                self.emit(f"vsets({number}).")
            for provider in self.context.catalog.providers(virtual):
                if spec.name not in (provider, virtual):
                    continue
                inner = spec if spec.name == provider else spec.replace(name="")
                condition = self.conditions.both(provider, inner)
                if condition is None:
                    continue
                self.emit(f"voption({number},{quote(provider)},{location}).")
                if condition:
                    self.emit(f"voptcond({number},{quote(provider)},{location},{condition}).")

    def _check_names(self, virtual: str, group: RequirementLike) -> None:
        for text in group.specs:
            spec = Spec.parse(text)
            if spec.name:
                continue
            below = [dependency.spec.name for dependency in spec.dependencies]
            providers = self.context.catalog.providers(virtual)
            named = next((name for name in below if name in providers), None)
            hint = f"write {named}" if named else f"name a provider, for instance {providers[0]}"
            raise UnsatisfiableError(
                f"'{text}' names no package, but {virtual} is a virtual package ({_at(group)})",
                facts={"virtual": virtual, "spec": text, "origin": group.origin},
                hint=f"{hint}{text if not below else ''}",
                ref="anonymous-requirement",
            )

    def compiled_as_configured(self, spec: ConcreteSpec, key: Literal["require", "prefer"]) -> bool:
        """Return whether the compilers of an installed spec are what *key* of languages says.

        One that the user names by hash is taken as it is.
        """
        if spec.external is not None or spec.dag_hash() in self._named:
            return True
        for virtual, group in self._of_languages(key):
            compilers = [edge.spec for edge in spec.edges if virtual in edge.virtuals]
            wanted = [Spec.parse(text) for text in group.specs]
            if any(not any(c.satisfies(w) for w in wanted) for c in compilers):
                return False
        return True

    def _of_languages(self, key: str) -> list[tuple[str, RequirementLike]]:
        known = self._languages.get(key)
        if known is None:
            known = self._languages[key] = []
            for language in sorted(LANGUAGE_NAMES):
                settings = self.context.catalog.settings(language)
                if settings is not None:
                    known += [(language, group) for group in getattr(settings, key)]
        return known

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
