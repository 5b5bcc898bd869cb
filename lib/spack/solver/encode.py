"""From a problem to the facts of the logic program.

:class:`Encoder` walks from the roots through everything that a solution may hold, given which
packages are expanded, and writes facts. ``logic/concretize.lp`` gives them their meaning; this
is their vocabulary (P, Q packages; W version index; L literal, C condition, D dependency or
definition, X guard, E external, H hash; numbers start at 1):

=====================================  ============================================================
``root(P) package(P) multi(P,N)``      what is asked, what takes part, how many instances it may have
``can_build ext hash can_ghost relax`` how a node of P may come to be
``bver(P,W) bcost(P,W,C)``             versions to build and what they cost; ``xver xcost hcost`` alike
``lver lval lhas lonly ltgt lset``     when a literal is true of a node; ``ldep*`` about dependencies
``cond(P,C) clit(C,L)``                conditions
``dep dcond dreal dvirt dtype dlit``   dependencies: condition, target, types, what they impose
``provision provname provcond``        what a package provides and when; ``vcand vcost`` who may
``vdef vcond later vval vdefault ..``  definitions of variants
``demand gcond option optcond``        requirements; ``conflict forbid kcond`` conflicts
``hdep htype hvirt hsat xsat xval``    installed specs and externals
=====================================  ============================================================

Versions that no constraint tells apart are one candidate, the best of them; variants that no
constraint mentions are left out, and so are values that none names. The decoder puts the
defaults back.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Dict, List, Mapping, Sequence, Set, Tuple

from spack.recipe.records import DependencyRecord, RequirementRecord
from spack.solver.candidates import Candidates, Catalog
from spack.solver.causes import Guards
from spack.solver.conditions import LANGUAGES, Conditions
from spack.solver.expansion import Plan, dependency_records
from spack.solver.problem import RequirementLike, Root
from spack.solver.text import quote
from spack.solver.variants import VariantFacts
from spack.spec import ConcreteSpec, Dependency, Spec, VersionList, target_satisfies

__all__ = ["Encoder", "Encoding"]


@dataclass
class Encoding:
    """Facts, and what is needed to read the answer."""

    facts: List[str]
    guards: Guards
    conditions: Conditions
    packages: List[str]
    #: Dependency records by number, with the package that they stand in.
    dependencies: Dict[int, Tuple[str, DependencyRecord]] = field(default_factory=dict)


class Encoder:
    """Encodes one round; implements :class:`spack.solver.conditions.Scope`.

    :param relaxed: for explaining: every guard can be taken back, and a package whose guard
        ``domain`` is taken back may be anything.
    """

    def __init__(
        self,
        catalog: Catalog,
        roots: Sequence[Root],
        plan: Plan,
        multi: Mapping[str, int],
        relaxed: bool = False,
    ) -> None:
        self.catalog = catalog
        self.problem = catalog.problem
        self.roots = roots
        self.root_names = {root.spec.name for root in roots}
        self.plan = plan
        self.multi = multi
        self.relaxed = relaxed
        self.conditions = Conditions(self)
        self.guards = Guards()
        self.facts: List[str] = []
        self.universe: Dict[str, None] = {}
        self.dependencies: Dict[int, Tuple[str, DependencyRecord]] = {}
        #: Possible parents by link or run edges, and possible children by any edge.
        self.links: Dict[str, Set[str]] = {}
        self.edges: Dict[str, Set[str]] = {}
        self.tools: Set[str] = set()
        self._direct: Dict[str, Set[str]] = {}
        self._alive: Dict[str, int] = {}
        self._virtuals: Dict[str, None] = {}
        self._hashes: Dict[str, List[ConcreteSpec]] = {}
        self._targets = self._target_choice()
        self._count = 0

    # -- scope ----------------------------------------------------------------------------

    def candidates(self, name: str) -> Candidates:
        """See :class:`~spack.solver.conditions.Scope`."""
        return self.catalog.get(name)

    def ghostly(self, name: str) -> bool:
        """See :class:`~spack.solver.conditions.Scope`."""
        if self.relaxed:
            return True
        return name not in self.plan.expanded and self.catalog.fixed(name) is None

    def alive(self, name: str) -> int:
        """See :class:`~spack.solver.conditions.Scope`."""
        known = self._alive.get(name)
        if known is None:
            known = 0
            expanded = name in self.plan.expanded
            if expanded or self.catalog.externals(name) or self.hashes(name):
                candidates = self.catalog.get(name)
                known = candidates.external_mask
                for spec in self.hashes(name):
                    known |= 1 << candidates.index(spec.version)
                if expanded:
                    known |= candidates.buildable
                if not self.relaxed:
                    known &= self.plan.alive.get(name, -1)
            self._alive[name] = known
        return known

    def may_have(self, name: str, dependency: str) -> bool:
        """See :class:`~spack.solver.conditions.Scope`."""
        if name not in self.plan.expanded:
            return False
        direct = self._direct.get(name)
        if direct is None:
            direct = self._direct[name] = set()
            for record in dependency_records(self.catalog, name):
                target = Spec.parse(record.spec).name
                direct.add(target)
                if self.catalog.is_virtual(target):
                    direct.update(self.catalog.providers(target))
        return dependency in direct

    def targets(self) -> Tuple[str, ...]:
        """See :class:`~spack.solver.conditions.Scope`."""
        return self._targets

    def hashes(self, name: str) -> List[ConcreteSpec]:
        """Installed specs that a node of *name* may be."""
        known = self._hashes.get(name)
        if known is None:
            reuse = self.problem.reuse
            known = list(self.catalog.installed(name))
            if reuse is False or (reuse == "dependencies" and name in self.root_names):
                named = self._named_hashes()
                known = [spec for spec in known if spec.dag_hash() in named]
            self._hashes[name] = known
        return known

    def _named_hashes(self) -> Set[str]:
        """Hashes that a root names, with everything below them."""
        found: Set[str] = set()
        for root in self.roots:
            for spec in root.spec.traverse():
                if spec.hash_prefix:
                    for concrete in self.catalog.by_hash(spec.hash_prefix):
                        found.update(s.dag_hash() for s in concrete.traverse(("link", "run")))
        return found

    def _target_choice(self) -> Tuple[str, ...]:
        """The targets to choose from: one, unless somebody asks for another."""
        host = self.problem.host
        preferred = self._preferred_target()
        asked = [
            spec.arch.target for root in self.roots for spec in root.spec.traverse() if spec.arch
        ]
        for settings in self.problem.packages.values():
            for group in (*settings.require, *settings.prefer, *settings.conflict):
                asked += [Spec.parse(text).arch.target for text in group.specs if "target=" in text]
            asked += settings.target
        asked += [str(spec.target) for spec in self.problem.reusable]
        wanted = [target for target in asked if target and target != preferred]
        if not wanted:
            return (preferred,)
        compatible = [preferred, *(t for t in host.targets if t != preferred)]
        if host.target not in compatible:
            compatible.append(host.target)
        return tuple(compatible)

    def _preferred_target(self) -> str:
        everything = self.problem.packages.get("all")
        known = (self.problem.host.target, *self.problem.host.targets)
        for target in everything.target if everything is not None else ():
            for name in known:
                if target_satisfies(name, target):
                    return name
        return self.problem.host.target

    # -- the walk -------------------------------------------------------------------------

    def encode(self) -> Encoding:
        """All facts of the round."""
        for root in self.roots:
            self._visit(root.spec.name)
            self._root(root)
        done = 0
        names: List[str] = []
        while done < len(self.universe):
            names = list(self.universe)
            for name in names[done:]:
                self._package(name)
            done = len(names)
        for virtual in self._virtuals:
            self._virtual(virtual)
        VariantFacts(self).write()
        self._versions()
        self._literals()
        self._below()
        for number, group in enumerate(cycles(self.edges)):
            self.emit(*(f"cyclic({quote(name)},{number})." for name in sorted(group)))
        if len(self._targets) > 1:
            self._target_facts()
        self.facts.append(f"g(1..{len(self.guards)})." if not self.relaxed else "")
        if self.relaxed:
            self.facts.append(f"guard(1..{len(self.guards)}).")
        return Encoding(
            self.facts, self.guards, self.conditions, list(self.universe), self.dependencies
        )

    def below_tools(self) -> Set[str]:
        """Packages that only a build may need: tools and what they depend on."""
        reach, queue = set(self.tools), sorted(self.tools)
        while queue:
            for child in self.edges.get(queue.pop(), ()):
                if child not in reach:
                    reach.add(child)
                    queue.append(child)
        return reach

    def targets_of(self, record: DependencyRecord) -> Tuple[str, ...]:
        """The packages that a dependency may lead to."""
        name = Spec.parse(record.spec).name
        return self.catalog.providers(name) if self.catalog.is_virtual(name) else (name,)

    def number(self) -> int:
        """A new number for a dependency, definition, requirement or conflict."""
        self._count += 1
        return self._count

    def emit(self, *rows: str) -> None:
        """Append facts."""
        self.facts.extend(rows)

    def _visit(self, name: str) -> None:
        self.universe.setdefault(name)

    def _where(self, package: str, line: int) -> str:
        recipe = self.catalog.recipe(package)
        path = recipe.path if recipe is not None else package
        return f"{path}:{line}" if line else path

    def _root(self, root: Root) -> None:
        name, p = root.spec.name, quote(root.spec.name)
        self.emit(f"root({p}).")
        own = root.spec.without_dependencies()
        for part in _clauses(own):
            guard = self.guards.add("root", name, f"{name}{_glued(part)}", root.origin, root)
            literals = self.conditions.compile(name, part)
            for literal in (0,) if literals is None else literals:
                self.emit(f"rlit({p},{literal},{guard}).")
        for dependency in root.spec.dependencies:
            guard = self.guards.add("root", name, f"{name} {dependency}", root.origin, root)
            self._root_dependency(name, dependency, guard)

    def _root_dependency(self, name: str, dependency: Dependency, guard: int) -> None:
        p = quote(name)
        below = dependency.spec
        virtual = self.catalog.is_virtual(below.name)
        presence = below if virtual else Spec.of(below.name, dependencies=below.dependencies)
        whole = Dependency(
            presence, dependency.direct, dependency.deptypes, dependency.virtuals
        )
        if dependency.when is not None:
            condition = self.conditions.both(name, dependency.when.with_name(name))
            literal = self.conditions.dependency(name, dependency)
            if condition is None:
                return
            number = self.number()
            self.emit(f"demand({p},{number},{guard},any).", f"option({number},1,0).")
            self._conjunction("gcond", number, condition)
            option = -1 if literal is None else self.conditions.condition(name, (literal,))
            self.emit(f"optcond({number},1,{option}).")
            return
        literal = self.conditions.dependency(name, whole)
        if literal is None:
            self.emit(f"rlit({p},0,{guard}).")
            return
        self.emit(f"rlit({p},{literal},{guard}).")
        if virtual:
            return
        self._visit(below.name)
        literals = self.conditions.compile(below.name, below.without_dependencies())
        for inner in (0,) if literals is None else literals:
            self.emit(f"rdep({p},{literal},{quote(below.name)},{inner},{guard}).")

    def _package(self, name: str) -> None:
        """Facts of one package: how a node comes to be, and what its recipe says."""
        p = quote(name)
        self.emit(f"package({p}).")
        if name in self.multi:
            self.emit(f"multi({p},{self.multi[name]}).")
        expanded = name in self.plan.expanded
        fixed = self.catalog.fixed(name)
        ready = bool(self.catalog.externals(name)) or bool(self.hashes(name))
        if self.relaxed:
            guard = self.guards.add("domain", name, name, fixed or "", None)
            self.emit(f"can_ghost({p}).")
            if expanded or fixed is not None:
                self.emit(f"relax({p},{guard}).")
        elif not expanded and fixed is None:
            self.emit(f"can_ghost({p}).")
        if expanded and self.catalog.get(name).buildable & self.alive(name):
            self.emit(f"can_build({p}).")
            for record in dependency_records(self.catalog, name):
                self._dependency(name, record)
            self._recipe_conflicts(name)
            self._recipe_requirements(name)
        if ready:
            self._externals(name)
            self._installed(name)
        if expanded or ready:
            self._provisions(name)
            self._configured(name)

    def _conjunction(self, predicate: str, number: int, condition: int) -> None:
        if condition:
            self.emit(f"{predicate}({number},{condition}).")

    # -- dependencies ---------------------------------------------------------------------

    def _wanted_types(self, name: str, types: Sequence[str]) -> Tuple[str, ...]:
        tests = self.problem.tests
        if tests is True or (tests and name in tests):
            return tuple(types)
        return tuple(kind for kind in types if kind != "test")

    def _dependency(self, name: str, record: DependencyRecord) -> None:
        types = self._wanted_types(name, record.types)
        if not types:
            return
        condition = self.conditions.when(name, record.when)
        if condition is None:
            return
        spec = Spec.parse(record.spec)
        number, p = self.number(), quote(name)
        self.dependencies[number] = (name, record)
        guard = self.guards.add(
            "dependency", name, record.spec, self._where(name, record.line), record
        )
        self.emit(f"dep({p},{number},{guard}).")
        self._conjunction("dcond", number, condition)
        self.emit(*(f"dtype({number},{kind})." for kind in types))
        if record.patches:
            self.emit(f"patches({number}).")
        if self.catalog.is_virtual(spec.name):
            self._virtual_dependency(name, number, spec, types)
            return
        target = quote(spec.name)
        self._visit(spec.name)
        self._link(name, spec.name, types)
        self.emit(f"dreal({number},{target}).")
        self._impose(number, spec.name, spec)

    def _impose(self, number: int, name: str, spec: Spec) -> None:
        literals = self.conditions.compile(name, spec)
        target = quote(name)
        self.emit(
            *(f"dlit({number},{target},{i})." for i in ((0,) if literals is None else literals))
        )

    def _virtual_dependency(
        self, name: str, number: int, spec: Spec, types: Tuple[str, ...]
    ) -> None:
        virtual = quote(spec.name)
        self.emit(f"dvirt({number},{virtual}).")
        self._virtuals.setdefault(spec.name)
        inner = spec.replace(name="", versions=VersionList.any())
        plain = inner == Spec()
        for provider in self.catalog.providers(spec.name):
            self._visit(provider)
            self._link(name, provider, types)
            if not plain:
                self._impose(number, provider, inner)
        if not spec.versions.is_any:
            self.emit(f"dlimited({number}).")
            for provider in self.catalog.providers(spec.name):
                self._fitting("dfits", number, provider, spec)

    def _fitting(self, predicate: str, number: int, provider: str, wanted: Spec) -> None:
        """The provisions of *provider* whose version of the virtual suits *wanted*."""
        for index, names in enumerate(self.provisions(provider)):
            for given in names:
                if given.name == wanted.name and given.versions.intersects(wanted.versions):
                    self.emit(f"{predicate}({number},{self.provision(provider, index)}).")

    def _link(self, name: str, target: str, types: Sequence[str]) -> None:
        self.edges.setdefault(name, set()).add(target)
        if "build" in types or "test" in types:
            self.tools.add(target)
        if "link" in types or "run" in types:
            self.links.setdefault(target, set()).add(name)

    # -- virtual packages -----------------------------------------------------------------

    def provisions(self, name: str) -> List[List[Spec]]:
        """What each ``provides`` of a recipe names."""
        if name not in self.plan.expanded and not (
            self.catalog.externals(name) or self.hashes(name)
        ):
            return []
        recipe = self.catalog.recipe(name)
        if recipe is None:
            return []
        return [[Spec.parse(text) for text in record.virtuals] for record in recipe.provides]

    def provision(self, name: str, index: int) -> str:
        """The term of one ``provides``."""
        return f"r({quote(name)},{index})"

    def _provisions(self, name: str) -> None:
        recipe = self.catalog.recipe(name)
        for index, names in enumerate(self.provisions(name)):
            assert recipe is not None
            record = recipe.provides[index]
            condition = self.conditions.when(name, record.when)
            if condition is None:
                continue
            term = self.provision(name, index)
            self.emit(f"provision({term},{quote(name)}).")
            if condition:
                self.emit(f"provcond({term},{condition}).")
            self.emit(*(f"provname({term},{quote(given.name)})." for given in names))
            for given in names:
                for other in names:
                    if given.name != other.name:
                        self.emit(f"together({term},{quote(given.name)},{quote(other.name)}).")

    def _virtual(self, virtual: str) -> None:
        v = quote(virtual)
        if virtual in LANGUAGES:
            self.emit(f"language({v}).")
        for cost, provider in enumerate(self.catalog.providers(virtual)):
            self.emit(f"vcand({v},{quote(provider)}).", f"vcost({v},{quote(provider)},{cost}).")
        settings = self.catalog.settings(virtual)
        if settings is not None:
            for group in settings.require:
                self._virtual_demand(virtual, group)

    def _virtual_demand(self, virtual: str, group: RequirementLike) -> None:
        """A requirement on a virtual package is one on whoever provides it."""
        number = self.number()
        text = " or ".join(group.specs)
        guard = self.guards.add("require", virtual, text, _at(group), group, group.message)
        self.emit(f"vdemand({quote(virtual)},{number},{guard}).")
        for place, spec in enumerate(map(Spec.parse, group.specs)):
            for provider in self.catalog.providers(virtual):
                if spec.name not in (provider, virtual, ""):
                    continue
                inner = spec if spec.name == provider else spec.replace(name="")
                condition = self.conditions.both(provider, inner)
                if condition is None:
                    continue
                self.emit(f"voption({number},{quote(provider)},{place}).")
                if condition:
                    self.emit(f"voptcond({number},{quote(provider)},{place},{condition}).")

    # -- conflicts and requirements -------------------------------------------------------

    def _recipe_conflicts(self, name: str) -> None:
        recipe = self.catalog.recipe(name)
        for record in recipe.conflicts if recipe is not None else ():
            condition = self.conditions.both(
                name, Spec.parse(record.spec), Spec.parse(record.when)
            )
            if condition is None:
                continue
            number = self.number()
            text = record.spec + (f" when {record.when}" if record.when else "")
            guard = self.guards.add(
                "conflict", name, text, self._where(name, record.line), record, record.message
            )
            self.emit(f"conflict({quote(name)},{number},{guard}).")
            self._conjunction("kcond", number, condition)

    def _recipe_requirements(self, name: str) -> None:
        recipe = self.catalog.recipe(name)
        for record in recipe.requirements if recipe is not None else ():
            self._demand(name, record, "requires", "built", self._where(name, record.line))

    def _demand(
        self,
        name: str,
        record: RequirementRecord | RequirementLike,
        kind: str,
        scope: str,
        origin: str,
        free: bool = False,
    ) -> None:
        """One group of alternatives; earlier ones are preferred when *free* is set."""
        condition = self.conditions.when(name, record.when)
        if condition is None:
            return
        options = []
        for text in record.specs:
            spec = Spec.parse(text)
            anonymous = spec if spec.name not in (name, "") else spec.with_name("")
            options.append(self.conditions.both(name, anonymous))
        number = self.number()
        text = f" {'or' if record.policy == 'any_of' else 'xor'} ".join(record.specs)
        guard = self.guards.add(kind, name, text, origin, record, record.message)
        self.emit(f"demand({quote(name)},{number},{guard},{scope}).")
        self._conjunction("gcond", number, condition)
        if record.policy == "one_of" and len(options) > 1:
            self.emit(f"oneof({number}).")
        for place, option in enumerate(options):
            weight = place if kind == "require" else 0
            self.emit(f"option({number},{place},{weight}).")
            # 0 has no condition; -1 is a condition that never holds
            if option is None:
                self.emit(f"optcond({number},{place},-1).")
            else:
                self._optional(number, place, option)
        if free:
            self.emit(f"option({number},{len(options)},1).")

    def _optional(self, number: int, place: int, condition: int) -> None:
        if condition:
            self.emit(f"optcond({number},{place},{condition}).")

    def _configured(self, name: str) -> None:
        """``require``, ``prefer`` and ``conflict`` of packages.yaml."""
        own = self.catalog.settings(name)
        if own is not None:
            for group in own.require:
                self._demand(name, group, "require", "any", _at(group))
            self._wishes(name, own.prefer, own.conflict)
        everything = self.catalog.settings("all")
        if everything is not None:
            if own is None or not own.require:
                for group in everything.require:
                    if self._applicable(name, group):
                        self._demand(name, group, "require", "any", _at(group))
            prefer = [group for group in everything.prefer if self._applicable(name, group)]
            self._wishes(name, prefer, everything.conflict)

    def _wishes(
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
                number = self.number()
                guard = self.guards.add("forbid", name, text, _at(group), group, group.message)
                self.emit(f"forbid({quote(name)},{number},{guard}).")
                self._conjunction("kcond", number, condition)

    def _applicable(self, name: str, group: RequirementLike) -> bool:
        """Whether a requirement on all packages says anything of this one."""
        candidates = self.catalog.get(name)
        known = {record.name for record in candidates.recipe.variants} if candidates.recipe else set()
        for text in group.specs:
            spec = Spec.parse(text)
            if any(variant not in known for variant in spec.variants):
                continue
            if any(d.direct and not self.may_have(name, d.spec.name) for d in spec.dependencies):
                continue
            return True
        return False

    # -- what is there already ------------------------------------------------------------

    def _externals(self, name: str) -> None:
        candidates = self.catalog.get(name)
        for external in candidates.externals:
            if not external.mask & self.alive(name):
                continue
            p, index = quote(name), external.index
            version = external.mask.bit_length() - 1
            self.emit(f"ext({p},{index}).", f"xver({p},{index},{version}).")
            if version or index:
                self.emit(f"xcost({p},{index},{version * 100 + index}).")

    def _installed(self, name: str) -> None:
        candidates = self.catalog.get(name)
        for place, spec in enumerate(self.hashes(name)):
            version = candidates.index(spec.version)
            if not 1 << version & self.alive(name):
                continue
            p, h = quote(name), quote(spec.dag_hash())
            self.emit(f"hash({p},{h}).", f"hcost({h},{version * 100 + place}).")
            for edge in spec.edges:
                kinds = edge.deptypes & {"link", "run"}
                if not kinds:
                    continue
                child = quote(edge.spec.name)
                self._visit(edge.spec.name)
                self._link(name, edge.spec.name, ("link",))
                self.emit(f"hdep({h},{child},{quote(edge.spec.dag_hash())}).")
                self.emit(*(f"htype({h},{child},{kind})." for kind in sorted(kinds)))
                for virtual in edge.virtuals:
                    self.emit(f"hvirt({h},{child},{quote(virtual)}).")

    # -- literals -------------------------------------------------------------------------

    def _versions(self) -> None:
        """The candidates of each package: of those that look alike, the best."""
        masks: Dict[str, List[int]] = {}
        for literal in self.conditions.literals:
            if literal.key[0] == "v":
                masks.setdefault(literal.package, []).append(literal.key[2])
        for name in self.universe:
            if name not in self.plan.expanded:
                continue
            candidates = self.catalog.get(name)
            p, told_apart = quote(name), sorted(set(masks.get(name, ())))
            usable = candidates.buildable & self.alive(name)
            kinds: Set[Tuple[bool, ...]] = set()
            cost = 0
            for index in range(len(candidates.versions)):
                if not candidates.buildable >> index & 1:
                    continue
                if usable >> index & 1:
                    deprecated = bool(candidates.deprecated >> index & 1)
                    kind = (deprecated, *(bool(mask >> index & 1) for mask in told_apart))
                    if kind not in kinds:
                        kinds.add(kind)
                        self.emit(f"bver({p},{index}).")
                        if cost:
                            self.emit(f"bcost({p},{index},{cost}).")
                        if deprecated:
                            self.emit(f"deprecated({p},{index}).")
                cost += 1

    def _literals(self) -> None:
        """Meaning of the literals, and the conditions made of them."""
        writers = {
            "v": self._version_literal,
            "b": lambda p, n, key: self.emit(f"lval({p},{n},{quote(key[1])},{quote(key[2])})."),
            "h": lambda p, n, key: self.emit(f"lhas({p},{n},{quote(key[1])})."),
            "x": self._exact_literal,
            "t": lambda p, n, key: self.emit(*(f"ltgt({p},{n},{quote(t)})." for t in key[1])),
            "s": lambda p, n, key: self.emit(f"lset({p},{n})."),
            "H": lambda p, n, key: None,
            "d": self._dependency_literal,
            "V": self._virtual_literal,
        }
        for literal in self.conditions.literals:
            p = quote(literal.package)
            if self.ghostly(literal.package):
                self.emit(f"lit({p},{literal.number}).")
            writers[literal.key[0]](p, literal.number, literal.key)
            for spec in self.hashes(literal.package):
                if self.conditions.holds_for(literal, spec):
                    self.emit(f"hsat({quote(spec.dag_hash())},{literal.number}).")
        for (package, literals), number in self.conditions.conditions.items():
            self.emit(f"cond({quote(package)},{number}).")
            self.emit(*(f"clit({number},{literal})." for literal in literals))

    def _version_literal(self, p: str, number: int, key: Tuple[object, ...]) -> None:
        mask = key[2]
        assert isinstance(mask, int)
        index = 0
        while mask:
            if mask & 1:
                self.emit(f"lver({p},{number},{index}).")
            mask >>= 1
            index += 1

    def _exact_literal(self, p: str, number: int, key: Tuple[str, str, Tuple[str, ...]]) -> None:
        self.emit(f"lonly({p},{number},{quote(key[1])}).")
        self.emit(*(f"lonlyval({number},{quote(value)})." for value in key[2]))

    def _dependency_literal(
        self,
        p: str,
        number: int,
        key: Tuple[str, str, bool, int, Tuple[str, ...], Tuple[str, ...]],
    ) -> None:
        _, name, direct, condition, virtuals, types = key
        q = quote(name)
        self.emit(f"ldep({p},{number},{q},{'direct' if direct else 'below'}).")
        if condition:
            self.emit(f"ldepcond({number},{q},{condition}).")
        self.emit(*(f"ldepvirt({number},{quote(virtual)})." for virtual in virtuals))
        if direct:
            self.emit(*(f"ldeptype({number},{kind})." for kind in types))

    def _virtual_literal(
        self, p: str, number: int, key: Tuple[str, str, bool, str, Tuple[Tuple[str, int], ...]]
    ) -> None:
        _, virtual, direct, versions, providers = key
        self.emit(f"ldepvirt({number},{quote(virtual)}).")
        wanted = Spec.of(virtual, versions=VersionList.parse(versions)) if versions else None
        for name, condition in providers:
            q = quote(name)
            self.emit(f"ldep({p},{number},{q},{'direct' if direct else 'below'}).")
            if condition:
                self.emit(f"ldepcond({number},{q},{condition}).")
            if wanted is not None:
                self.emit(f"lvprov({number}).")
                self._fitting("lvfits", number, name, wanted)

    def _below(self) -> None:
        """For which pairs of packages the program has to look below."""
        for package, target in sorted(self.conditions.wanted):
            self.emit(f"want({quote(package)},{quote(target)}).")
        for target in sorted({target for _, target in self.conditions.wanted}):
            reach, queue = {target}, [target]
            while queue:
                for parent in self.links.get(queue.pop(), ()):
                    if parent not in reach:
                        reach.add(parent)
                        queue.append(parent)
            for name in sorted(reach - {target}):
                self.emit(f"wantdeep({quote(name)},{quote(target)}).")

    def _target_facts(self) -> None:
        host = self.problem.host
        self.emit("targets.")
        names = list(self._targets)
        for weight, name in enumerate(names):
            self.emit(f"target({quote(name)},{weight}).")
        known = set(names) | {str(spec.target) for spec in self.problem.reusable}
        for name in sorted(known):
            for other in sorted(known):
                if name == other or target_satisfies(other, f"{name}:"):
                    self.emit(f"runs_on({quote(name)},{quote(other)}).")
        for name in self.universe:
            for spec in self.hashes(name):
                self.emit(f"htgt({quote(spec.dag_hash())},{quote(str(spec.target))}).")
            if self.catalog.externals(name):
                for external in self.catalog.get(name).externals:
                    target = external.spec.arch.target or host.target
                    self.emit(f"xtgt({quote(name)},{external.index},{quote(target)}).")


def cycles(edges: Mapping[str, Set[str]]) -> List[List[str]]:
    """Groups of packages that may depend on each other in a circle (Tarjan's algorithm)."""
    index: Dict[str, int] = {}
    low: Dict[str, int] = {}
    stack: List[str] = []
    inside: Set[str] = set()
    groups: List[List[str]] = []
    for start in edges:
        if start in index:
            continue
        work = [(start, iter(sorted(edges[start])))]
        index[start] = low[start] = len(index)
        stack.append(start)
        inside.add(start)
        while work:
            name, children = work[-1]
            for child in children:
                if child not in index:
                    index[child] = low[child] = len(index)
                    stack.append(child)
                    inside.add(child)
                    work.append((child, iter(sorted(edges.get(child, ())))))
                    break
                if child in inside:
                    low[name] = min(low[name], index[child])
            else:
                work.pop()
                if work:
                    parent = work[-1][0]
                    low[parent] = min(low[parent], low[name])
                if low[name] == index[name]:
                    group = []
                    while not group or group[-1] != name:
                        group.append(stack.pop())
                        inside.discard(group[-1])
                    if len(group) > 1:
                        groups.append(group)
    return groups


def _clauses(spec: Spec) -> List[Spec]:
    """The parts of a node's constraint, so that each can be blamed for itself."""
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


def _at(group: RequirementLike) -> str:
    return str(group.origin)
