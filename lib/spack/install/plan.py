"""What an install would do: a pure function from concrete specs to steps.

Of an installed node only what it needs at run time (link and run dependencies) must be there;
what is built needs its build dependencies too, and they what they need at run time. Nodes that
not needed are not in the plan: the build dependencies of what is installed already.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from functools import cached_property
from typing import TYPE_CHECKING, Literal

from spack.errors import InstallError
from spack.spec import RUN_TIME
from spack.spec.deptypes import USUAL
from spack.spec.languages import LANGUAGE_NAMES
from spack.util.frozen import frozen, replace

if TYPE_CHECKING:
    from spack.spec import ConcreteSpec

__all__ = [
    "BINARY",
    "BUILD",
    "EXTERNAL",
    "Part",
    "REUSE",
    "PlanOptions",
    "Plan",
    "StepKind",
    "Step",
    "make_plan",
]

#: What is done about a node.
StepKind = Literal["build", "binary", "reuse", "external"]
#: What of a request is installed.
Part = Literal["all", "package", "dependencies"]

BUILD: StepKind = "build"
BINARY: StepKind = "binary"
REUSE: StepKind = "reuse"
EXTERNAL: StepKind = "external"

#: Kinds of steps that end with a new prefix.
_INSTALLED = (BUILD, BINARY)

#: Dependencies that building a node needs.
_AT_BUILD_TIME = frozenset(USUAL)

#: A dependent of a compiler compiles, which takes longer than all else.
_COMPILED = frozenset(LANGUAGE_NAMES)

#: Weights of builds: compiling takes seconds to hours, copying modules a fraction of a second.
_LIGHT, _HEAVY = 1, 8


@frozen
class PlanOptions:
    """What the user asked for beside the specs.

    :param only: ``all``; ``package``: the roots alone, whose dependencies must be there;
        ``dependencies``: all that the roots need, not themselves (unless one needs another).
    :param overwrite: hashes to build even if they are installed.
    :param tests: names of packages whose ``test`` dependencies are needed; ``*`` means all.
    :param explicit: whether the roots count as requested by the user.
    :param implicit: hashes of the roots that do not, all the same.
    :param cached: hashes of which a cache has a binary, which is installed instead of a build.
    """

    only: Part = "all"
    overwrite: frozenset[str] = frozenset()
    tests: frozenset[str] = frozenset()
    explicit: bool = True
    implicit: frozenset[str] = frozenset()
    cached: frozenset[str] = frozenset()


#: Everything that the roots need.
_ALL = PlanOptions()


@frozen
class Step:
    """One node of the plan.

    :param kind: :data:`BUILD`, :data:`BINARY` (from a cache), :data:`REUSE` (installed already)
        or :data:`EXTERNAL`.
    :param requires: hashes of the steps that must be through before this one.
    :param height: the weight of the longest chain of builds above this one, itself included:
        those with the greatest height should start first.
    :param heavy: the build compiles, and can use several jobs.
    :param explicit: becomes, or is already, requested by the user.
    """

    kind: StepKind
    spec: ConcreteSpec
    requires: tuple[str, ...]
    explicit: bool = False
    overwrite: bool = False
    tests: bool = False
    height: int = 0
    heavy: bool = False

    @property
    def hash(self) -> str:
        return self.spec.dag_hash()


@frozen
class Plan:
    """Steps in an order in which they can be done one after the other."""

    steps: tuple[Step, ...]

    @cached_property
    def by_hash(self) -> Mapping[str, Step]:
        return {step.hash: step for step in self.steps}

    @property
    def builds(self) -> tuple[Step, ...]:
        """What is to be installed, from sources or from a cache."""
        return tuple(step for step in self.steps if step.kind in _INSTALLED)

    @property
    def binaries(self) -> tuple[Step, ...]:
        return tuple(step for step in self.steps if step.kind == BINARY)

    @property
    def reused(self) -> tuple[Step, ...]:
        return tuple(step for step in self.steps if step.kind == REUSE)

    @property
    def externals(self) -> tuple[Step, ...]:
        return tuple(step for step in self.steps if step.kind == EXTERNAL)

    def dependents(self, spec_hash: str) -> tuple[str, ...]:
        """Return hashes of the builds that directly or indirectly wait for this step, in order."""
        reached: set[str] = {spec_hash}
        waiting: list[str] = []
        for step in self.steps:
            if not reached.isdisjoint(step.requires) and step.hash not in reached:
                reached.add(step.hash)
                if step.kind in _INSTALLED:
                    waiting.append(step.hash)
        return tuple(waiting)


def make_plan(
    roots: Sequence[ConcreteSpec], installed: AbstractSet[str], options: PlanOptions = _ALL
) -> Plan:
    """Return the plan that installs *roots*.

    :param installed: hashes of all installed nodes.
    :raises InstallError: with ``only="package"``, if something that a root needs is missing;
        all that is missing is named.
    """
    nodes = _needed(roots, installed, options)
    order = _topological(nodes, installed, options)
    if options.only == "package":
        wanted = {root.dag_hash() for root in roots}
        _check_present(order, wanted, installed)
    explicit = {root.dag_hash() for root in roots} if options.explicit else set()
    explicit -= options.implicit
    if options.only == "dependencies":
        explicit = set()
    steps: dict[str, Step] = {}
    for spec in order:
        spec_hash = spec.dag_hash()
        kind = _kind(spec, installed, options)
        requires = tuple(
            edge.dag_hash() for edge in _required(spec, kind, options) if edge.dag_hash() in nodes
        )
        steps[spec_hash] = Step(
            kind=kind,
            spec=spec,
            requires=requires,
            explicit=spec_hash in explicit,
            overwrite=kind in _INSTALLED and spec_hash in installed,
            tests=_tested(spec, options),
        )
    return Plan(_with_heights(steps))


def _kind(spec: ConcreteSpec, installed: AbstractSet[str], options: PlanOptions) -> StepKind:
    if spec.external is not None:
        return EXTERNAL
    spec_hash = spec.dag_hash()
    if spec_hash in installed and spec_hash not in options.overwrite:
        return REUSE
    return BINARY if spec_hash in options.cached else BUILD


def _tested(spec: ConcreteSpec, options: PlanOptions) -> bool:
    return "*" in options.tests or spec.name in options.tests


def _required(spec: ConcreteSpec, kind: StepKind, options: PlanOptions) -> list[ConcreteSpec]:
    """Return the direct dependencies that a step of this kind needs, each once."""
    if kind == EXTERNAL:
        return []
    wanted: AbstractSet[str] = RUN_TIME
    if kind == BUILD:
        wanted = _AT_BUILD_TIME | {"test"} if _tested(spec, options) else _AT_BUILD_TIME
    found: dict[str, ConcreteSpec] = {}
    for edge in spec.edges:
        if not wanted.isdisjoint(edge.deptypes):
            found.setdefault(edge.spec.dag_hash(), edge.spec)
    return list(found.values())


def _needed(
    roots: Sequence[ConcreteSpec], installed: AbstractSet[str], options: PlanOptions
) -> dict[str, ConcreteSpec]:
    start: list[ConcreteSpec] = list(roots)
    if options.only == "dependencies":
        # A root that is to be built asks for its build dependencies although it is not built.
        start = [
            dependency
            for root in roots
            for dependency in _required(root, _kind(root, installed, options), options)
        ]
    nodes: dict[str, ConcreteSpec] = {}
    pending = start
    while pending:
        spec = pending.pop()
        if spec.dag_hash() in nodes:
            continue
        nodes[spec.dag_hash()] = spec
        pending.extend(_required(spec, _kind(spec, installed, options), options))
    return nodes


def _topological(
    nodes: Mapping[str, ConcreteSpec], installed: AbstractSet[str], options: PlanOptions
) -> list[ConcreteSpec]:
    """Return dependencies first; among equals by name and hash, so that plans are reproducible."""
    order: list[ConcreteSpec] = []
    done: set[str] = set()
    by_name = sorted(nodes.values(), key=lambda spec: (spec.name, spec.dag_hash()), reverse=True)
    pending: list[tuple[ConcreteSpec, bool]] = [(spec, False) for spec in by_name]
    while pending:
        spec, finished = pending.pop()
        spec_hash = spec.dag_hash()
        if spec_hash in done:
            continue
        if finished:
            done.add(spec_hash)
            order.append(spec)
            continue
        pending.append((spec, True))
        below = _required(spec, _kind(spec, installed, options), options)
        for dependency in sorted(below, key=lambda s: (s.name, s.dag_hash()), reverse=True):
            if dependency.dag_hash() not in done:
                pending.append((dependency, False))
    return order


def _check_present(
    order: Iterable[ConcreteSpec], wanted: AbstractSet[str], installed: AbstractSet[str]
) -> None:
    missing = [
        spec
        for spec in order
        if spec.dag_hash() not in wanted
        and spec.external is None
        and spec.dag_hash() not in installed
    ]
    if missing:
        names = ", ".join(spec.short for spec in missing)
        raise InstallError(
            f"with --only=package, what it needs must be installed already: {names}",
            facts={"missing": tuple(spec.dag_hash() for spec in missing)},
            hint="install the dependencies first (--only=dependencies), or leave --only out",
            ref="install-only-package",
        )


def _with_heights(steps: Mapping[str, Step]) -> tuple[Step, ...]:
    above: dict[str, int] = {}
    done: list[Step] = []
    for step in reversed(list(steps.values())):
        heavy = step.kind == BUILD and any(
            not _COMPILED.isdisjoint(edge.virtuals) for edge in step.spec.edges
        )
        weight = 0 if step.kind not in _INSTALLED else _HEAVY if heavy else _LIGHT
        height = above.get(step.hash, 0) + weight
        for required in step.requires:
            above[required] = max(above.get(required, 0), height)
        done.append(replace(step, height=height, heavy=heavy))
    return tuple(reversed(done))
