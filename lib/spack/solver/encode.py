"""From a problem to the facts of the logic program.

:class:`Encoder` walks from the roots through everything that a solution may hold, given which
packages are expanded, and writes facts. ``logic/concretize.lp`` gives them their meaning; this
is their vocabulary (P, Q packages; W version index; L literal, C condition, D dependency or
definition, X guard, E external, H hash; numbers start at 1):

=====================================  ============================================================
``asked(P,X) package(P) multi(P,N)``     what is asked, what takes part, in how many instances
``can_build ext hash can_be_placeholder relax`` how a node of P may come to be
``bver(P,W) bcost(P,W,C)``             versions to build, their cost; ``xver xcost hcost`` alike
``lver lval lhas lonly ltgt lset``     when a literal is true; ``ldep*``: about dependencies;
                                       ``limplies``: where a condition holds
``cond(P,C) clit(C,L)``                conditions
``dep dcond dreal dvirt dtype dlit``   dependencies: condition, target, types, what they impose;
                                       ``patches flags``: those with some
``provision provname provcond``        what a package provides and when; ``vcand vcost`` providers
``vdef vcond later vval vdefault ..``  definitions of variants
``demand gcond option optcond``        requirements; ``conflict forbid kcond`` conflicts
``hruntime``                           a literal: versions of compilers that may link to it
``generates``                          a literal: the compiler's versions that know a target
``pure mixer``                         no mixing of compilers, but for those packages
``wheel wheel_preferred built_only``   wheels of the index; ``made_with wheel_bar``: what is built
``hdep htype hvirt hsat xsat xval``    installed specs and externals
``xdep xdeptype xdepvirt``             dependencies of externals on externals
=====================================  ============================================================

Versions that no constraint distinguishes are one candidate, the best of them; variants that no
constraint mentions are left out, and so are values that none names. The decoder puts the
defaults back.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from spack.recipe.records import DependencyRecord
from spack.solver.assumptions import Assumptions
from spack.solver.compiler_targets import compilers
from spack.solver.conditions import FREE_KEYS, Conditions
from spack.solver.cycles import cycles
from spack.solver.expansion import dependency_records
from spack.solver.facts import FactSink
from spack.solver.held_back import INTERPRETER
from spack.solver.literal_facts import LiteralFacts
from spack.solver.problem import ExternalEdgeLike, Root
from spack.solver.quoting import quote
from spack.solver.round_context import RoundContext
from spack.solver.rule_facts import RuleFacts
from spack.solver.variant_facts import VariantFacts
from spack.solver.virtual_facts import VirtualFacts
from spack.solver.wheel_choices import types_of_wheel
from spack.solver.wheel_facts import WheelFacts
from spack.spec import ConcreteSpec, Dependency, Spec
from spack.spec.deptypes import RUN_TIME
from spack.spec.languages import LANGUAGE_NAMES

__all__ = ["Encoder", "Encoding"]


@dataclass
class Encoding:
    """Facts, and what is needed to read the answer."""

    facts: list[str]
    assumptions: Assumptions
    conditions: Conditions
    packages: list[str]
    #: Dependency records by number, with the package that declares them.
    dependencies: dict[int, tuple[str, DependencyRecord]] = field(default_factory=dict)


class Encoder:
    """Encodes one round."""

    def __init__(self, context: RoundContext) -> None:
        self.context = context
        self.catalog = context.catalog
        self.sink = FactSink(context)
        self.conditions = self.sink.conditions
        self.assumptions = self.sink.assumptions
        self.emit = self.sink.emit
        self.rules = RuleFacts(self.sink)
        self.virtuals = VirtualFacts(self.sink, self.rules)
        self.wheels = WheelFacts(self.sink)

    # -- the walk -------------------------------------------------------------------------

    def encode(self) -> Encoding:
        """Return all facts of the round."""
        for root in self.context.roots:
            self.sink.visit(root.spec.name)
            self._root(root)
        self.rules.mixing()
        variants = VariantFacts(self.sink)
        done = 0
        while done < len(self.sink.universe) or self.virtuals.show():
            names = list(self.sink.universe)
            for name in names[done:]:
                self._package(name)
            done = len(names)
            variants.collect()
        self.virtuals.write()
        variants.collect()  # what requirements on virtual packages mention
        variants.write()
        LiteralFacts(self.sink, self.virtuals).write()
        if self.catalog.problem.python == "available":
            self.emit(f"interpreter({quote(INTERPRETER)}).")
        for number, group in enumerate(cycles(self.sink.edges)):
            self.emit(*(f"cyclic({quote(name)},{number})." for name in sorted(group)))
        predicate = "guard" if self.context.relaxed else "g"
        self.emit(f"{predicate}(1..{len(self.assumptions)}).")
        return Encoding(
            self.sink.facts,
            self.assumptions,
            self.conditions,
            list(self.sink.universe),
            self.sink.dependencies,
        )

    def _root(self, root: Root) -> None:
        name, p = root.spec.name, quote(root.spec.name)
        assumption = self.assumptions.add("asked", name, name, root.origin, root)
        self.emit(f"asked({p},{assumption}).", f"asks({p},{p},{assumption}).")
        own = root.spec.without_dependencies()
        for part in _clauses(own):
            if self._only_passed_on(name, part):
                continue
            assumption = self.assumptions.add(
                "root", name, f"{name}{_glued(part)}", root.origin, root
            )
            literals = self.conditions.compile(name, part)
            for literal in (0,) if literals is None else literals:
                self.emit(f"rlit({p},{literal},{assumption}).")
        for dependency in root.spec.dependencies:
            assumption = self.assumptions.add(
                "root", name, f"{name} {dependency}", root.origin, root
            )
            self._root_dependency(name, dependency, assumption)

    def _root_dependency(self, name: str, dependency: Dependency, assumption: int) -> None:
        p = quote(name)
        below = dependency.spec
        virtual = self.catalog.is_virtual(below.name)
        presence = below if virtual else Spec.of(below.name, dependencies=below.dependencies)
        whole = Dependency(presence, dependency.direct, dependency.deptypes, dependency.virtuals)
        if dependency.when is not None:
            condition = self.conditions.both(name, dependency.when.with_name(name))
            literal = self.conditions.dependency(name, dependency)
            if condition is None:
                return
            number = self.sink.number()
            self.emit(f"demand({p},{number},{assumption},any).", f"option({number},1,0).")
            self.sink.conjunction("gcond", number, condition)
            option = -1 if literal is None else self.conditions.condition(name, (literal,))
            self.emit(f"optcond({number},1,{option}).")
            return
        literal = self.conditions.dependency(name, whole, asked=True)
        self.sink.demand([dependency])
        if literal is None:
            self.emit(f"rlit({p},0,{assumption}).")
            return
        self.emit(f"rlit({p},{literal},{assumption}).")
        if virtual:
            return
        if dependency.direct:
            # an installed spec has no edge to what it was built with: it is asked as a whole
            full = self.conditions.dependency(name, dependency)
            self.emit(f"rwhole({p},{-1 if full is None else full},{assumption}).")
        else:
            self.emit(f"asks({p},{quote(below.name)},{assumption}).")
        self.sink.visit(below.name)
        if self.context.relaxed and self._only_linked(name, below.name):
            self.emit(f"linked({p},{quote(below.name)}).")
        literals = self.conditions.compile(below.name, below.without_dependencies())
        for inner in (0,) if literals is None else literals:
            self.emit(f"rdep({p},{literal},{quote(below.name)},{inner},{assumption}).")
        for nested in below.dependencies:
            self._set_below(name, literal, below.name, nested, assumption)

    def _set_below(
        self, name: str, literal: int, middle: str, nested: Dependency, assumption: int
    ) -> None:
        """Write the flags and the like that a root sets on a dependency of its dependency."""
        spec = nested.spec
        if not nested.direct or not spec.name or self.catalog.is_virtual(spec.name):
            return
        set_there = {key: v for key, v in spec.variants.items() if key in FREE_KEYS}
        for inner in (
            self.conditions.compile(spec.name, Spec.of(variants=set_there, flags=dict(spec.flags)))
            or ()
        ):
            path = f"{quote(name)},{literal},{quote(middle)},{quote(spec.name)}"
            self.emit(f"rnested({path},{inner},{assumption}).")

    def _only_passed_on(self, name: str, part: Spec) -> bool:
        """Return whether *part* is a ``++x`` that the package itself does not have."""
        return any(
            value.propagate and not self.conditions.definitions(name, value.name)
            for value in part.variants.values()
        )

    def _only_linked(self, name: str, target: str) -> bool:
        """Return whether no dependency of *name* on *target* is only for its build."""
        return all(
            not RUN_TIME.isdisjoint(record.types)
            for record in dependency_records(self.catalog, name)
            if target in self.sink.targets_of(record)
        )

    def _package(self, name: str) -> None:
        """Write the facts of one package: how a node comes to be, and what its recipe says."""
        p = quote(name)
        self.emit(f"package({p}).")
        if name in self.context.multi:
            self.emit(f"multi({p},{self.context.multi[name]}).")
            if name in compilers(self.catalog):
                self.emit(f"is_compiler({p}).")
        expanded, available = self.context.expanded(name), self.context.available(name)
        fixed = self.catalog.fixed(name)
        if self.context.relaxed:
            assumption = self.assumptions.add("domain", name, name, fixed or "", None)
            self.emit(f"can_be_placeholder({p}).")
            if expanded or fixed is not None:
                self.emit(f"relax({p},{assumption}).")
        elif not expanded and fixed is None:
            self.emit(f"can_be_placeholder({p}).")
        if expanded and self.catalog.get(name).buildable & self.context.possible_versions(name):
            self.emit(f"can_build({p}).")
            self.wheels.write(name)
            for record in dependency_records(self.catalog, name):
                self._dependency(name, record)
            self.rules.recipe_conflicts(name)
            self.rules.recipe_requirements(name)
        if available:
            self._externals(name)
            self._installed(name)
        if expanded or available:
            self.virtuals.provisions_of(name)
            self.rules.configured(name)
            self.rules.developed(name)
            self.rules.code_generation(name)
            self.rules.runtime_versions(name)

    # -- dependencies ---------------------------------------------------------------------

    def _wanted_types(self, name: str, types: Sequence[str]) -> tuple[str, ...]:
        tests = self.catalog.problem.tests
        if tests is True or (tests and name in tests):
            return tuple(types)
        return tuple(kind for kind in types if kind != "test")

    def _dependency(self, name: str, record: DependencyRecord) -> None:
        types = self._wanted_types(name, record.types)
        if not types:
            return
        if self.conditions.when(name, record.when) is None:
            return
        assumption = self.assumptions.add(
            "dependency", name, record.spec, self.sink.where(name, record.line), record
        )
        with_wheel = types
        if self.catalog.wheels.fits(name):
            with_wheel = tuple(kind for kind in types if kind in types_of_wheel(record))
            rest = tuple(kind for kind in types if kind not in with_wheel)
            if rest:
                source = self.conditions.from_source(name)
                self._typed_dependency(name, record, assumption, rest, source)
        if with_wheel:
            self._typed_dependency(name, record, assumption, with_wheel)

    def _typed_dependency(
        self,
        name: str,
        record: DependencyRecord,
        assumption: int,
        types: tuple[str, ...],
        *more: int,
    ) -> None:
        """Write the dependency of these types, where its condition and *more* literals hold."""
        condition = self.conditions.when(name, record.when, *more)
        if condition is None:
            return
        spec = Spec.parse(record.spec)
        number, p = self.sink.number(), quote(name)
        self.sink.dependencies[number] = (name, record)
        self.emit(f"dep({p},{number},{assumption}).")
        self.sink.conjunction("dcond", number, condition)
        self.emit(*(f"dtype({number},{kind})." for kind in types))
        if record.patches:
            self.emit(f"patches({number}).")
        if spec.flags:
            self.emit(f"flags({number}).")
        if self.catalog.is_virtual(spec.name):
            self.virtuals.need(name, number, spec, types)
            return
        target = quote(spec.name)
        self.sink.visit(spec.name)
        self.sink.link(name, spec.name, types)
        self.emit(f"dreal({number},{target}).")
        self.sink.impose(number, spec.name, spec)

    # -- what is there already ------------------------------------------------------------

    def _externals(self, name: str) -> None:
        candidates = self.catalog.get(name)
        for external in candidates.externals:
            if not external.mask & self.context.possible_versions(name):
                continue
            p, index = quote(name), external.index
            version = external.mask.bit_length() - 1
            self.emit(f"ext({p},{index}).", f"xver({p},{index},{version}).")
            rank = candidates.ranks[version]
            if rank or index:
                self.emit(f"xcost({p},{index},{rank * 100 + index}).")
            for edge in external.entry.edges:
                self._external_edge(name, index, edge)

    def _external_edge(self, name: str, index: int, edge: ExternalEdgeLike) -> None:
        """Write a dependency of an external; what is not said of it is as its recipe declares."""
        types, virtuals = set(edge.deptypes), set(edge.virtuals)
        provided: set[str] = set()
        for record in dependency_records(self.catalog, name) if not types else ():
            wanted = Spec.parse(record.spec).name
            if wanted == edge.name or wanted in virtuals:
                types.update(record.types)
            elif not edge.virtuals and edge.name in self.catalog.providers(wanted):
                types.update(record.types)
                provided.add(wanted)
        types = types or {"build", "link"}
        p, q = f"{quote(name)},{index}", quote(edge.name)
        self.sink.visit(edge.name)
        self.sink.link(name, edge.name, sorted(types))
        self.emit(f"xdep({p},{q},{edge.position}).")
        self.emit(*(f"xdeptype({p},{q},{kind})." for kind in sorted(types - {"test"})))
        self.emit(*(f"xdepvirt({p},{q},{quote(virtual)})." for virtual in sorted(virtuals)))
        self.emit(*(f"xdepmay({p},{q},{quote(virtual)})." for virtual in sorted(provided)))

    def _installed(self, name: str) -> None:
        candidates = self.catalog.get(name)
        for location, spec in enumerate(self.context.hashes(name)):
            version = candidates.index(spec.version)
            if not 1 << version & self.context.possible_versions(name):
                continue
            p, h = quote(name), quote(spec.dag_hash())
            if not self.rules.compiled_as_configured(spec, "require"):
                continue
            if not self.rules.compiled_as_configured(spec, "prefer"):
                self.emit(f"hdislike({h}).")
            if self.wheels.is_for_builds(spec):
                self.emit(f"hwheel({h}).")
            self.emit(
                f"hash({p},{h}).", f"hcost({h},{candidates.ranks[version] * 100 + location})."
            )
            self.rules.runtime_of_installed(spec)
            self._compilers_of_installed(spec)
            if name in compilers(self.catalog):
                self.emit(f"hpick({h},{version}).")
            for edge in spec.edges:
                kinds = edge.deptypes & RUN_TIME
                if not kinds:
                    continue
                child = quote(edge.spec.name)
                self.sink.visit(edge.spec.name)
                self.sink.link(name, edge.spec.name, ("link",))
                self.emit(f"hdep({h},{child},{quote(edge.spec.dag_hash())}).")
                self.emit(*(f"htype({h},{child},{kind})." for kind in sorted(kinds)))
                for virtual in edge.virtuals:
                    self.emit(f"hvirt({h},{child},{quote(virtual)}).")

    def _compilers_of_installed(self, spec: ConcreteSpec) -> None:
        """Write what compiled an installed spec."""
        h = quote(spec.dag_hash())
        for edge in spec.edges:
            name, languages = edge.spec.name, set(LANGUAGE_NAMES).intersection(edge.virtuals)
            if name not in compilers(self.catalog) or not languages:
                continue
            versions = [candidate.version for candidate in self.catalog.get(name).versions]
            known = edge.spec.version in versions
            version = versions.index(edge.spec.version) if known else quote(str(edge.spec.version))
            self.emit(f"hcompiler({h},{quote(name)},{version}).")
            for language in sorted(languages):
                self.emit(f"hspeaks({h},{quote(language)},{quote(name)},{version}).")


def _clauses(spec: Spec) -> list[Spec]:
    """Return the parts of a node's constraint, so that each can be blamed for itself."""
    parts = []
    if not spec.versions.is_any:
        parts.append(Spec.of(versions=spec.versions))
    parts += [Spec.of(variants={name: value}) for name, value in spec.variants.items()]
    if spec.flags:
        parts.append(Spec.of(flags=dict(spec.flags)))
    if spec.arch:
        parts.append(Spec.of(arch=spec.arch))
    if spec.hash_prefix:
        parts.append(Spec.of(hash_prefix=spec.hash_prefix))
    if spec.namespace:
        parts.append(Spec.of(namespace=spec.namespace))
    return parts


def _glued(spec: Spec) -> str:
    text = str(spec)
    return text if text[:1] in ("@", "+", "~", "/") else f" {text}"
