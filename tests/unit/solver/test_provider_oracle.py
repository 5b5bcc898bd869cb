"""The optimum with providers, externals, reuse and multi-valued variants, against brute force.

``a`` depends on ``b`` and on the virtual package ``v``, which ``p`` and ``q`` provide; ``b`` has a
multi-valued variant. Every graph is enumerated and ranked by the documented criteria, without a
line of the solver.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from types import ModuleType
from typing import Any, NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from spack.errors import UnsatisfiableError
from spack.spec import ConcreteSpec

#: Best first.
VERSIONS = ("3", "2", "1")
VALUES = ("x", "y")
PROVIDERS = ("p", "q")
#: Instead of the position of an external: the one that is installed.
INSTALLED = -1

Values = frozenset[str]


class Need(NamedTuple):
    """A dependency: on what, which versions, which value of ``m``, and when, by the own version."""

    name: str
    versions: str | None
    value: str | None
    when: str | None

    def row(self) -> list[str]:
        text = self.name + (f"@{self.versions}" if self.versions else "")
        text += f" m={self.value}" if self.value else ""
        return [text, "link", f"@{self.when}" if self.when else ""]


class External(NamedTuple):
    version: str
    values: Values | None


class Installed(NamedTuple):
    version: str
    values: Values


class Package(NamedTuple):
    """:param provides: versions that provide ``v``, for providers."""

    versions: tuple[str, ...]
    needs: tuple[Need, ...] = ()
    provides: str | None = None
    externals: tuple[External, ...] = ()
    buildable: bool = True
    default: Values = frozenset()
    installed: Installed | None = None


class World(NamedTuple):
    packages: dict[str, Package]
    order: tuple[str, ...]
    root: str | None


class Node(NamedTuple):
    """:param external: its position; None for one that is built, ``INSTALLED`` for that one."""

    version: str
    external: int | None
    values: Values


def in_range(version: str, text: str | None) -> bool:
    if text is None:
        return True
    low, colon, high = text.partition(":")
    if not colon:
        return version == low
    return (not low or version >= low) and (not high or version <= high)


def nodes_of(package: Package) -> Iterator[Node]:
    """Yield everything that a node of a package can be."""
    subsets: list[Values] = [frozenset()]
    if package.default:
        subsets = [frozenset(v) for n in (1, 2) for v in itertools.combinations(VALUES, n)]
    if package.buildable:
        for version, values in itertools.product(package.versions, subsets):
            yield Node(version, None, values)
    for position, external in enumerate(package.externals):
        for values in subsets if external.values is None else [external.values]:
            yield Node(external.version, position, values)
    if package.installed is not None:
        yield Node(package.installed.version, INSTALLED, package.installed.values)


def rank(world: World, chosen: dict[str, Node], provider: str) -> tuple[int, ...] | None:
    """Return how good a graph is, by the documented criteria; None when something forbids it."""
    graph: dict[str, Node] = {}
    named: set[tuple[str, str]] = set()
    dependents = 0
    queue = ["a"]
    if not in_range(chosen["a"].version, world.root):
        return None
    while queue:
        name = queue.pop()
        if name in graph:
            continue
        node = graph[name] = chosen[name]
        for need in world.packages[name].needs if node.external is None else ():
            if not in_range(node.version, need.when):
                continue
            target = provider if need.name == "v" else need.name
            if not _fits(world, chosen.get(target), target, need):
                return None
            dependents += need.name == "v" and target == world.order[1]
            if need.value:
                named.add((target, need.value))
            queue.append(target)
    return _cost(world, graph, named, provider, dependents)


def _fits(world: World, below: Node | None, target: str, need: Need) -> bool:
    """Return whether what *need* leads to is what it asks for."""
    if below is None or (need.value and need.value not in below.values):
        return False
    versions = world.packages[target].provides if need.name == "v" else need.versions
    return in_range(below.version, versions)


def _cost(
    world: World,
    graph: dict[str, Node],
    named: set[tuple[str, str]],
    provider: str,
    dependents: int,
) -> tuple[int, ...]:
    root = assumed = variants = versions = builds = old_versions = 0
    for name, node in graph.items():
        package = world.packages[name]
        changed = node.values - package.default - {v for n, v in named if n == name}
        penalty = len(changed) + len(package.default - node.values)
        index = package.versions.index(node.version)
        if node.external is not None:
            if node.external != INSTALLED:
                assumed += penalty if _asked_about(world) else _is_special(package, node.external)
            old_versions += index * 100 + max(node.external, 0)
            continue
        builds += 1
        variants += penalty
        if name == "a":
            root += index
        else:
            versions += index
    cost = world.order.index(provider) if provider in graph else 0
    made = provider in graph and graph[provider].external is None
    return (
        root,
        variants,
        cost if made else 0,
        versions,
        builds,
        0 if made else cost,
        dependents,
        assumed,
        old_versions,
        len(graph),
    )


def _asked_about(world: World) -> bool:
    """Return whether anything asks for a value: only then values of externals are weighed."""
    possible = [version for version in VERSIONS if in_range(version, world.root)]
    return any(
        need.value and any(in_range(version, need.when) for version in possible)
        for need in world.packages["a"].needs
    )


def _is_special(package: Package, position: int) -> bool:
    """Return whether the configuration says that an external has not the default."""
    return package.externals[position].values not in (None, package.default)


def best(world: World) -> tuple[int, ...] | None:
    names = sorted(world.packages)
    ranks = []
    choices: list[list[Node | None]] = [[*nodes_of(world.packages[n])] or [None] for n in names]
    for nodes in itertools.product(*choices):
        chosen = {name: node for name, node in zip(names, nodes) if node is not None}
        for provider in PROVIDERS:
            found = rank(world, chosen, provider)
            if found is not None:
                ranks.append(found)
    return min(ranks, default=None)


# -- problems --------------------------------------------------------------------------------

ranges = st.sampled_from([None, None, "1", "2", "3", ":2", "2:"])
values = st.frozensets(st.sampled_from(VALUES), min_size=1)


@st.composite
def externals(draw: Any, versions: tuple[str, ...], with_values: bool) -> tuple[External, ...]:
    row = st.builds(
        External, st.sampled_from(versions), st.none() | values if with_values else st.none()
    )
    return tuple(draw(st.lists(row, max_size=2)))


@st.composite
def installed(draw: Any, versions: tuple[str, ...], with_values: bool) -> Installed | None:
    if not draw(st.booleans()):
        return None
    return Installed(draw(st.sampled_from(versions)), draw(values) if with_values else frozenset())


@st.composite
def worlds(draw: Any) -> World:
    need_v = st.builds(Need, st.just("v"), st.none(), st.none(), ranges)
    need_b = st.builds(Need, st.just("b"), ranges, st.none() | st.sampled_from(VALUES), ranges)
    needs = draw(st.lists(need_b, max_size=2, unique_by=lambda need: need.when))
    below_b = tuple(draw(st.lists(need_v, max_size=1)))
    packages = {
        "a": Package(VERSIONS, (*needs, *draw(st.lists(need_v, min_size=1, max_size=1)))),
        "b": Package(
            VERSIONS,
            below_b,
            externals=draw(externals(VERSIONS, True)),
            buildable=draw(st.booleans()),
            default=draw(values),
            installed=None if below_b else draw(installed(VERSIONS, True)),
        ),
    }
    for name in PROVIDERS:
        versions = VERSIONS[: draw(st.integers(1, 2))]
        packages[name] = Package(
            versions,
            provides=draw(ranges),
            externals=draw(externals(versions, False)),
            buildable=draw(st.booleans()),
            installed=draw(installed(versions, False)),
        )
    order = draw(st.permutations(PROVIDERS))
    return World(packages, tuple(order), draw(ranges))


def problem_data(world: World) -> dict[str, Any]:
    rows: dict[str, Any] = {}
    config: dict[str, Any] = {"all": {"providers": {"v": list(world.order)}}}
    for name, package in world.packages.items():
        row: dict[str, Any] = {"versions": list(package.versions)}
        row["depends_on"] = [need.row() for need in package.needs]
        if package.default:
            variant = {"default": sorted(package.default), "values": list(VALUES), "multi": True}
            row["variants"] = {"m": variant}
        if name in PROVIDERS:
            row["provides"] = [["v", f"@{package.provides}" if package.provides else ""]]
        rows[name] = row
        config[name] = {
            "buildable": package.buildable,
            "externals": [
                {"spec": _external_text(name, external), "prefix": f"/{name}{position}"}
                for position, external in enumerate(package.externals)
            ],
        }
    root = "a" + (f"@{world.root}" if world.root else "")
    return {
        "packages": rows,
        "config": config,
        "roots": [root],
        "installed": [
            f"{name}@={p.installed.version}" + _values_text(p.installed.values)
            for name, p in world.packages.items()
            if p.installed is not None
        ],
        "installed_config": {},
    }


def _values_text(values: Values | None) -> str:
    return f" m={','.join(sorted(values))}" if values else ""


def _external_text(name: str, external: External) -> str:
    return f"{name}@{external.version}{_values_text(external.values)}"


def solved_rank(world: World, solution: ConcreteSpec, hashes: set[str]) -> tuple[int, ...] | None:
    """Return the brute force's rank of the solver's graph."""
    found = {node.name: node for node in solution.traverse(("link",))}
    chosen = {name: next(nodes_of(p), None) for name, p in world.packages.items()}
    for name, node in found.items():
        value = node.variants.get("m")
        path = node.external.path if node.external is not None else None
        position = int(path[2:]) if path else None
        if node.dag_hash() in hashes:
            position = INSTALLED
        chosen[name] = Node(
            str(node.version), position, frozenset(value.values) if value else frozenset()
        )
    provider = next((name for name in PROVIDERS if name in found), world.order[0])
    known = {name: node for name, node in chosen.items() if node is not None}
    return rank(world, known, provider)


@settings(
    max_examples=100,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(world=worlds())
def test_providers_externals_and_reuse(world: World, kit: ModuleType) -> None:
    wanted = best(world)
    asked = kit.problem_of(problem_data(world))
    if wanted is None:
        with pytest.raises(UnsatisfiableError):
            kit.concretize(asked)
        return
    solution = kit.concretize(asked)
    kit.check(asked, solution.roots)
    hashes = {spec.dag_hash() for spec in asked.reusable}
    assert solved_rank(world, solution.roots[0], hashes) == wanted
