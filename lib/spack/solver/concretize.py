"""The rounds of a solution: expand, encode, solve, until the optimum is the true one."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from spack.errors import UnsatisfiableError
from spack.solver import driver
from spack.solver.candidates import Catalog
from spack.solver.decode import decode
from spack.solver.encode import Encoder, Encoding
from spack.solver.expansion import LANGUAGES, Expansion, plan
from spack.solver.explain import conflict_of
from spack.solver.problem import Problem, Root, Solution, Statistics
from spack.solver.round_context import RoundContext
from spack.solver.validate import precheck
from spack.solver.virtual_facts import REST
from spack.spec import ConcreteSpec, Version

__all__ = ["CRITERIA", "concretize"]

#: The priorities of ``logic/optimize.lp`` in words.
CRITERIA = {
    16: "requirements and preferences of the configuration",
    15: "further instances of a package",
    14: "deprecated versions",
    13: "versions of roots",
    12: "variants of roots",
    11: "compilers to build",
    10: "several compilers for one package",
    9: "providers",
    8: "variants",
    7: "versions",
    6: "targets",
    5: "builds",
    4: "providers that are there already",
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

    def spend(self, phase: str, seconds: float) -> None:
        self.seconds[phase] = self.seconds.get(phase, 0.0) + seconds


def concretize(problem: Problem) -> Solution:
    """Return the best graphs for the roots of *problem*.

    :raises UnsatisfiableError: there are none; ``causes`` is a minimal set of constraints that
        contradict each other, each with ``facts["origin"]`` and a hint.
    :raises RecipeError: a root names a package that no repository has.
    """
    effort = _Effort()
    start = time.perf_counter()
    catalog = Catalog(problem, _given((*problem.roots, *problem.develop.values())))
    roots = precheck(catalog, problem.roots)
    effort.spend("check", time.perf_counter() - start)
    if problem.unify is True or len(roots) < 2:
        found = _solve(problem, roots, effort, catalog)
    elif problem.unify == "when_possible":
        found = _when_possible(problem, roots, effort)
    else:
        found = []
        for root in roots:
            found.extend(_solve(replace(problem, roots=(root,)), (root,), effort))
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
    return Solution(tuple(found), stats)


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


def _given(roots: Sequence[Root]) -> dict[str, set[Version]]:
    """Return versions that roots name exactly, by package."""
    found: dict[str, set[Version]] = {}
    for root in roots:
        for spec in root.spec.traverse():
            version = spec.versions.concrete
            if version is not None and spec.name:
                found.setdefault(spec.name, set()).add(version)
    return found


def _solve(
    problem: Problem,
    roots: Sequence[Root],
    effort: _Effort,
    catalog: Catalog | None = None,
) -> list[ConcreteSpec]:
    catalog = catalog or Catalog(problem, _given((*roots, *problem.develop.values())))
    effort.reasons = frozenset()
    multi: dict[str, int] = {}
    more: set[str] = set()
    opened: frozenset[str] = frozenset()
    while True:
        start = time.perf_counter()
        chosen = plan(catalog, roots, sorted(more), multi)
        bootstraps = _bootstraps(catalog, chosen)
        if not bootstraps <= multi.keys():
            multi.update((name, 2) for name in bootstraps - multi.keys())
            chosen = plan(catalog, roots, sorted(more), multi)
        planned = time.perf_counter()
        context = RoundContext(catalog, roots, chosen, multi, opened=opened)
        encoder = Encoder(context)
        encoding = encoder.encode()
        encoded = time.perf_counter()
        answer = driver.optimize(encoding.facts, bool(multi), problem.seconds)
        effort.rounds += 1
        effort.facts = len(encoding.facts)
        effort.expanded, effort.possible = len(chosen.expanded), len(encoding.packages)
        effort.spend("plan", planned - start)
        effort.spend("encode", encoded - planned)
        for phase, seconds in answer.seconds.items():
            effort.spend(phase, seconds)
        if not answer.satisfiable:
            grown = _grow(context, effort)
            more |= chosen.expanded
            multi = grown
            continue
        placeholders = {row[0] for row in answer.atoms.get("ghost", ())}
        if placeholders:
            hidden = {name for name in placeholders if name.endswith(REST)}
            more |= chosen.expanded | (placeholders - hidden)
            for name in hidden:
                virtual = name[: -len(REST)]
                opened |= {virtual}
                more.update(_next_provider(context, virtual))
            continue
        start = time.perf_counter()
        specs = decode(catalog, encoding, answer.atoms, context.targets[0], roots)
        effort.spend("decode", time.perf_counter() - start)
        effort.optimal = effort.optimal and answer.optimal
        effort.cost = tuple((CRITERIA[level], cost) for level, cost in answer.cost)
        effort.duplicates.update((row[2], None) for row in answer.atoms.get("edge", ()) if row[3])
        return list(specs)


def _bootstraps(catalog: Catalog, chosen: Expansion) -> set[str]:
    """Return compilers that may be built while there is one already: they need two instances."""
    return {
        name
        for language in LANGUAGES
        for name in catalog.providers(language)
        if name in chosen.expanded and catalog.has_available(name)
    }


def _next_provider(context: RoundContext, virtual: str) -> tuple[str, ...]:
    """Return the best buildable provider that is not yet expanded."""
    for name in context.catalog.providers(virtual):
        if context.catalog.fixed(name) is None and not context.expanded(name):
            return (name,)
    return ()


def _grow(context: RoundContext, effort: _Effort) -> dict[str, int]:
    """Return more instances for packages that the contradiction is about.

    :raises UnsatisfiableError: when more instances cannot help: nothing can be doubled, or the
        contradiction stayed the same when something was.
    """
    catalog, roots, multi = context.catalog, context.roots, dict(context.multi)
    plain = Expansion(context.plan.expanded)
    start = time.perf_counter()
    encoder = Encoder(
        RoundContext(catalog, roots, plain, multi, relaxed=True, opened=context.opened)
    )
    encoding = encoder.encode()
    core = driver.explain_core(
        encoding.facts, len(encoding.assumptions), bool(multi), _order(encoding), 5.0
    )
    effort.spend("explain", time.perf_counter() - start)
    grown = _candidates_for_more(catalog, encoder, encoding, core.core, multi)
    assumptions = [encoding.assumptions[number] for number in core.core]
    reasons = frozenset(
        (assumption.kind, assumption.package, assumption.text, assumption.origin)
        for assumption in assumptions
    )
    if grown == multi or reasons == effort.reasons:
        raise conflict_of(catalog, roots, encoding, core.core)
    effort.reasons = reasons
    return grown


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
        if asked[name] > 1 and name in tools and count < catalog.problem.max_duplicates:
            grown[name] = count + 1
    return grown
