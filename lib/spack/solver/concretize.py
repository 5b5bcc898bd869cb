"""The rounds of a solution: expand, encode, solve, until the optimum is the true one."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from math import inf
from typing import Any

from spack.errors import SpackError, UnsatisfiableError
from spack.solver import driver
from spack.solver.candidates import Catalog
from spack.solver.compiler_targets import compilers
from spack.solver.decode import decode
from spack.solver.encode import Encoder, Encoding
from spack.solver.expansion import Expansion, plan
from spack.solver.explain import conflict_of, possible_changes
from spack.solver.held_back import held_back
from spack.solver.possible_paths import PossiblePaths
from spack.solver.problem import Problem, Root, Solution, Statistics
from spack.solver.round_context import Learned, RoundContext
from spack.solver.validate import precheck
from spack.solver.virtual_facts import REST
from spack.spec import ConcreteSpec, Spec, Version, dump, load
from spack.util.forks import map_in_forks

__all__ = ["CRITERIA", "concretize"]

#: The priorities of ``logic/optimize.lp`` in words.
CRITERIA = {
    21: "requirements and preferences of the configuration",
    20: "deprecated versions",
    19: "interpreters to build",
    18: "versions of roots",
    17: "variants of roots",
    16: "compilers to build",
    15: "variants",
    14: "providers",
    13: "several compilers for one package",
    12: "compilers",
    11: "versions",
    10: "targets",
    9: "builds instead of wheels",
    8: "builds",
    7: "further instances of a package",
    6: "compilers of installed packages",
    5: "providers that are there already",
    4: "providers of single packages",
    3: "variants that are assumed of externals",
    2: "versions that are there already",
    1: "nodes",
}


@dataclass
class _Effort:
    """What a solution costs, over all rounds."""

    rounds: int = 0
    expanded: int = 0
    possible: int = 0
    facts: int = 0
    optimal: bool = True
    duplicates: dict[str, None] = field(default_factory=dict)
    cost: tuple[tuple[str, int], ...] = ()
    seconds: dict[str, float] = field(default_factory=dict)
    #: The contradiction that the last instances were added for.
    reasons: frozenset[tuple[str, ...]] = frozenset()
    #: When the solution has to be there, as of ``time.perf_counter``.
    deadline: float = inf

    def add(self, other: _Effort) -> None:
        """Add what another solution has cost."""
        self.rounds += other.rounds
        self.expanded, self.possible = other.expanded, other.possible
        self.facts, self.cost = other.facts, other.cost
        self.optimal = self.optimal and other.optimal
        self.duplicates.update(other.duplicates)
        for phase, seconds in other.seconds.items():
            self.spend(phase, seconds)

    def spend(self, phase: str, seconds: float) -> None:
        self.seconds[phase] = self.seconds.get(phase, 0.0) + seconds


def concretize(problem: Problem) -> Solution:
    """Return the best graphs for the roots of *problem*.

    :raises UnsatisfiableError: there are none; ``causes`` is a minimal set of constraints that
        contradict each other, each with ``facts["origin"]`` and a hint.
    :raises RecipeError: a root names a package that no repository has.
    :raises SpackError: ``problem.seconds`` are over, and what was found by then still leaves
        packages open. A solution that is only not known to be the best is returned.
    """
    effort = _Effort()
    start = time.perf_counter()
    if problem.seconds:
        effort.deadline = start + problem.seconds
    catalog = Catalog(problem, _given(problem, problem.roots))
    roots = precheck(catalog, problem.roots)
    effort.spend("check", time.perf_counter() - start)
    if problem.unify is True or len(roots) < 2:
        found = _solve(problem, roots, effort, catalog)
    elif problem.unify == "when_possible":
        found = _when_possible(problem, roots, effort)
    else:
        found = _apart(problem, roots, effort)
    older = held_back(catalog, roots, found)
    effort.spend("total", time.perf_counter() - start)
    stats = Statistics(
        effort.rounds,
        effort.expanded,
        effort.possible,
        effort.facts,
        duplicates=tuple(effort.duplicates),
        optimal=effort.optimal,
        cost=effort.cost,
        seconds=effort.seconds,
    )
    return Solution(tuple(found), stats, older)


def _apart(problem: Problem, roots: Sequence[Root], effort: _Effort) -> list[ConcreteSpec]:
    """Return each root in a graph of its own, several at a time."""

    def solve(root: Root) -> tuple[dict[str, Any], _Effort]:
        own = _Effort(deadline=effort.deadline)
        specs = _solve(replace(problem, roots=(root,)), (root,), own)
        return dump(specs), own

    found: list[ConcreteSpec] = []
    for data, own in map_in_forks(solve, roots, problem.workers):
        specs = load(data)
        found += [specs[digest] for digest in data["roots"]]
        effort.add(own)
    return found


def _when_possible(problem: Problem, roots: Sequence[Root], effort: _Effort) -> list[ConcreteSpec]:
    """Return the roots in as few graphs as possible; those that do not fit try again together."""
    waiting = list(range(len(roots)))
    done: dict[int, ConcreteSpec] = {}
    while waiting:
        group, waiting = waiting, []
        while True:
            chosen = tuple(roots[index] for index in group)
            try:
                specs = _solve(replace(problem, roots=chosen), chosen, effort)
                break
            except UnsatisfiableError as error:
                clash = error.facts.get("clash", ())
                if len(group) == 1 or len(clash) == 1:
                    raise
                leaver = group.pop(max(clash) if clash else len(group) - 1)
                waiting.insert(0, leaver)
        done.update(zip(group, specs))
    return [done[index] for index in range(len(roots))]


def _given(problem: Problem, roots: Sequence[Root]) -> dict[str, set[Version]]:
    """Return versions that roots, requirements and preferences name exactly, by package."""
    found: dict[str, set[Version]] = {}
    named = [("", root.spec) for root in (*roots, *problem.develop.values())]
    for package, settings in problem.packages.items():
        for group in (*settings.require, *settings.prefer):
            named += [(package, Spec.parse(text)) for text in group.specs]
        named += [("", Spec.parse(f"{package}@{text}")) for text in settings.version]
    for package, spec in named:
        for part in spec.traverse():
            name = part.name or (package if part is spec else "")
            version = part.versions.concrete
            if version is not None and name:
                found.setdefault(name, set()).add(version)
    return found


#: From this round on, placeholders that the last solution did not use are expanded too, ever more.
WIDEN_AFTER = 3
#: How many those are at first; each further round takes twice as many.
WIDEN_BY = 16


@dataclass
class _Search:
    """What the rounds of one solution have found to be needed.

    :ivar more: packages to expand, besides those that are probably needed.
    :ivar multi: packages that may have several instances, and how many.
    :ivar opened: virtual packages whose hidden providers are looked at.
    :ivar undecided: packages that the last answer left open.
    :ivar assumed: packages that answers took to be below placeholders without saying how.
    """

    catalog: Catalog
    roots: Sequence[Root]
    paths: PossiblePaths
    more: set[str] = field(default_factory=set)
    multi: dict[str, int] = field(default_factory=dict)
    opened: frozenset[str] = frozenset()
    undecided: set[str] = field(default_factory=set)
    assumed: set[str] = field(default_factory=set)
    promised: set[str] = field(default_factory=set)
    rounds: int = 0

    def context(self) -> RoundContext:
        """Return the packages of the next round."""
        chosen = plan(self.catalog, self.roots, sorted(self.more), self.multi)
        doubled = _bootstraps(self.catalog, chosen)
        problem = self.catalog.problem
        doubled |= {name for name in chosen.clashes if problem.instances(name) > 1}
        if not doubled <= self.multi.keys():
            self.multi.update((name, 2) for name in doubled - self.multi.keys())
            chosen = plan(self.catalog, self.roots, sorted(self.more), self.multi)
        self.rounds += 1
        return RoundContext(
            self.catalog,
            self.roots,
            chosen,
            self.multi,
            paths=self.paths,
            learned=Learned(self.opened, frozenset(self.assumed)),
        )

    def widen(self, context: RoundContext, answer: driver.Answer, encoding: Encoding) -> bool:
        """Expand what *answer* has left open; return whether there was anything.

        Besides the placeholders of the answer these are the paths to what they promise, and from
        the round ``WIDEN_AFTER`` on the packages nearest to the roots, so that the number of rounds
        grows with the logarithm of the number of packages.
        """
        placeholders = {row[0] for row in answer.atoms.get("placeholder", ())}
        self.undecided = {name.partition(REST)[0] for name in placeholders}
        if not placeholders:
            return False
        hidden = {name for name in placeholders if name.endswith(REST)}
        used = placeholders - hidden
        self.more |= context.plan.expanded | used
        self.assumed.update(row[1] for row in answer.atoms.get("assumed", ()))
        late = max(0, self.rounds - WIDEN_AFTER)
        promised = {row[2] for row in answer.atoms.get("promised", ())}
        for target in promised:
            starts = used
            if target in self.promised:  # where one start was no good, another one would be next
                starts = {n for n in encoding.packages if context.may_be_placeholder(n)}
            for name in starts:
                self.more |= self._path(name, target, late)
        self.promised = promised
        for name in hidden:
            virtual = name[: -len(REST)]
            self.opened |= {virtual}
            self.more.update(_next_providers(context, virtual, 1 << late))
        if late:
            open_ones = [
                name
                for name in encoding.packages
                if context.may_be_placeholder(name) and self.catalog.recipe(name) is not None
            ]
            self.more.update(open_ones[: WIDEN_BY << late])
        return True

    def _path(self, start: str, target: str, detour: int) -> set[str]:
        return {
            name
            for name in self.paths.between(start, target, detour)
            if self.catalog.fixed(name) is None and self.catalog.recipe(name) is not None
        }


def _solve(
    problem: Problem,
    roots: Sequence[Root],
    effort: _Effort,
    catalog: Catalog | None = None,
) -> list[ConcreteSpec]:
    catalog = catalog or Catalog(problem, _given(problem, roots))
    effort.reasons = frozenset()
    search = _Search(catalog, roots, PossiblePaths(catalog))
    while True:
        start = time.perf_counter()
        context = search.context()
        planned = time.perf_counter()
        encoding = Encoder(context).encode()
        encoded = time.perf_counter()
        if catalog.settle():
            continue
        answer = driver.optimize(encoding.facts, bool(search.multi), effort.deadline)
        effort.rounds += 1
        effort.facts = len(encoding.facts)
        effort.expanded, effort.possible = len(context.plan.expanded), len(encoding.packages)
        effort.spend("plan", planned - start)
        effort.spend("encode", encoded - planned)
        for phase, seconds in answer.seconds.items():
            effort.spend(phase, seconds)
        if not answer.optimal and (not answer.satisfiable or "placeholder" in answer.atoms):
            raise _unfinished(problem, search)
        if not answer.satisfiable and catalog.offered.widen(encoding.packages):
            catalog.settle()
            continue
        if not answer.satisfiable:
            search.multi = _grow(context, effort)
            search.more |= context.plan.expanded
            continue
        if search.widen(context, answer, encoding):
            continue
        start = time.perf_counter()
        specs = decode(catalog, encoding, answer.atoms, context)
        effort.spend("decode", time.perf_counter() - start)
        if catalog.offered.widen(_built(context, specs)):
            catalog.settle()
            continue
        effort.optimal = effort.optimal and answer.optimal
        effort.cost = tuple((CRITERIA[level], cost) for level, cost in answer.cost)
        effort.duplicates.update((row[2], None) for row in answer.atoms.get("edge", ()) if row[3])
        return list(specs)


def _built(context: RoundContext, specs: Sequence[ConcreteSpec]) -> set[str]:
    """Return packages of *specs* that are built although more of them could be offered."""
    limited = context.catalog.offered.limited
    if not limited:
        return set()
    nodes = {n.dag_hash(): n for spec in specs for n in spec.traverse() if n.name in limited}
    there = {x.dag_hash() for name in limited for x in context.hashes(name)}
    return {n.name for digest, n in nodes.items() if digest not in there and n.external is None}


def _unfinished(problem: Problem, search: _Search) -> SpackError:
    """Return the error for a solution that was not found in time."""
    names = sorted(search.undecided)
    return SpackError(
        f"cannot concretize within {problem.seconds:g} s",
        f"not decided yet: {', '.join(names)}" if names else None,
        facts={"seconds": problem.seconds, "undecided": names},
        hint="give concretizer:timeout more seconds; 0 waits without a limit",
        ref="concretizer-timeout",
    )


def _bootstraps(catalog: Catalog, chosen: Expansion) -> set[str]:
    """Return compilers that may be built while there is one already: they need two instances."""
    return {
        name
        for name in compilers(catalog)
        if name in chosen.expanded and catalog.has_available(name)
    }


def _next_providers(context: RoundContext, virtual: str, count: int) -> list[str]:
    """Return the best buildable providers that are not yet expanded, at most *count*."""
    names = context.catalog.providers(virtual)
    hidden = (n for n in names if context.catalog.fixed(n) is None and not context.expanded(n))
    return list(islice(hidden, count))


def _grow(context: RoundContext, effort: _Effort) -> dict[str, int]:
    """Return more instances for packages that the contradiction is about.

    :raises UnsatisfiableError: when more instances cannot help: nothing can be doubled, or the
        contradiction stayed the same when something was.
    """
    catalog, roots, multi = context.catalog, context.roots, dict(context.multi)
    start = time.perf_counter()
    encoder, encoding = _contradictory(context, effort.deadline)
    core = driver.explain_core(
        encoding.facts,
        bool(multi),
        _order(encoding),
        effort.deadline,
        changes=lambda numbers: possible_changes(catalog, encoding, numbers),
    )
    effort.spend("explain", time.perf_counter() - start)
    grown = _candidates_for_more(catalog, encoder, encoding, core.core, multi)
    assumptions = [encoding.assumptions[number] for number in core.core]
    reasons = frozenset(
        (assumption.kind, assumption.package, assumption.text, assumption.origin)
        for assumption in assumptions
    )
    if grown == multi or reasons == effort.reasons:
        raise conflict_of(catalog, roots, encoding, core)
    effort.reasons = reasons
    return grown


def _contradictory(context: RoundContext, deadline: float) -> tuple[Encoder, Encoding]:
    """Return the contradiction of a round as a program, with as few packages as it needs.

    What takes no part in a first, not yet minimal, contradiction need not be looked at.
    """
    expanded = context.plan.expanded
    smallest: tuple[Encoder, Encoding] | None = None
    while True:
        encoder = Encoder(context.relaxed_to(expanded))
        encoding = encoder.encode()
        core = driver.find_core(encoding.facts, bool(context.multi), _order(encoding), deadline)
        if core is None and smallest is not None:
            return smallest
        smallest = encoder, encoding
        needed = {encoding.assumptions[number].package for number in core or ()} & expanded
        if core is None or 2 * len(needed) >= len(expanded):
            return smallest
        expanded = needed


def _order(encoding: Encoding) -> list[int]:
    """Return the assumptions, the least informative ones first."""
    rank = {"domain": 0, "forbid": 3, "require": 3, "develop": 3, "root": 4, "asked": 4}
    numbers = range(1, len(encoding.assumptions) + 1)
    return sorted(numbers, key=lambda number: rank.get(encoding.assumptions[number].kind, 1))


def _candidates_for_more(
    catalog: Catalog,
    encoder: Encoder,
    encoding: Encoding,
    core: Sequence[int],
    multi: dict[str, int],
) -> dict[str, int]:
    """Return another instance for each tool that several constraints of the core concern."""
    asked: dict[str, int] = {}
    for number in core:
        assumption = encoding.assumptions[number]
        names: set[str] = set()
        if assumption.kind == "dependency":
            names.update(encoder.sink.targets_of(assumption.data))
        elif assumption.kind == "root":
            names.update(spec.name for spec in assumption.data.spec.traverse())
        for name in names:
            asked[name] = asked.get(name, 0) + 1
    tools = encoder.sink.below_tools()
    grown = dict(multi)
    for name in sorted(asked):
        count = grown.get(name, 1)
        if asked[name] > 1 and name in tools and count < catalog.problem.instances(name):
            grown[name] = count + 1
    return grown
