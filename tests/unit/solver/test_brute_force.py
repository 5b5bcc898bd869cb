"""Random small problems, solved by trying everything: the same answers, equally good.

The brute force knows nothing of the solver: it takes each package at each version with each
value of its one variant, keeps what the directives allow, and ranks it as the criteria say.
Dependencies are for running, so that one instance of each package must do.
"""

from __future__ import annotations

import itertools
from types import ModuleType
from typing import Any, NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from spack.errors import UnsatisfiableError

NAMES = ("a", "b", "d", "e")
VERSIONS = ("3", "2", "1")


class Condition(NamedTuple):
    """A constraint on a node: allowed versions, the variant's value, something below."""

    versions: str | None = None
    variant: bool | None = None
    below: tuple[str, str] | None = None

    def text(self) -> str:
        variant = {None: "", True: "+v", False: "~v"}[self.variant]
        below = f" ^{self.below[0]}@{self.below[1]}" if self.below else ""
        return (f"@{self.versions}" if self.versions else "") + variant + below


class Need(NamedTuple):
    name: str
    what: Condition
    when: Condition


class Package(NamedTuple):
    versions: tuple[str, ...]
    default: bool
    needs: tuple[Need, ...]
    conflicts: tuple[Condition, ...]


Choice = dict[str, tuple[str, bool]]


def in_range(version: str, text: str | None) -> bool:
    if text is None:
        return True
    low, colon, high = text.partition(":")
    if not colon:
        return version == low
    return (not low or version >= low) and (not high or version <= high)


class World:
    """One choice of version and variant for every package."""

    def __init__(self, packages: dict[str, Package], choice: Choice) -> None:
        self.packages = packages
        self.choice = choice

    def below(self, name: str) -> set[str]:
        """Everything below a package."""
        found: set[str] = set()
        queue = [name]
        while queue:
            for need in self.edges[queue.pop()]:
                if need.name not in found:
                    found.add(need.name)
                    queue.append(need.name)
        return found

    def holds(self, name: str, condition: Condition) -> bool:
        version, variant = self.choice[name]
        if not in_range(version, condition.versions):
            return False
        if condition.variant is not None and variant is not condition.variant:
            return False
        if condition.below is None:
            return True
        target, versions = condition.below
        return target in self.below(name) and in_range(self.choice[target][0], versions)

    def graph(self) -> dict[str, list[Need]]:
        """Return the edges of this choice: those that follow from other ones, beginning with none.

        Conditions on what is below may look at what they fetch: no edge is its own reason.
        """
        self.edges: dict[str, list[Need]] = {name: [] for name in self.packages}
        grown = True
        while grown:
            grown = False
            for name, package in self.packages.items():
                for need in package.needs:
                    if need not in self.edges[name] and self.holds(name, need.when):
                        self.edges[name].append(need)
                        grown = True
        return self.edges

    def rank(self, root: Condition) -> tuple[int, ...] | None:
        """How good the graph is; None when something forbids it."""
        edges = self.graph()
        if not self.holds("a", root):
            return None
        nodes = self.below("a") | {"a"}
        if any(name in self.below(name) for name in nodes):
            return None
        named = {("a", root.variant)}
        for name in nodes:
            for need in edges[name]:
                if not self.holds(need.name, need.what):
                    return None
                named.add((need.name, need.what.variant))
            if any(self.holds(name, c) for c in self.packages[name].conflicts):
                return None
        cost = [0, 0, 0, 0, 0]
        for name in nodes:
            version, variant = self.choice[name]
            weight = self.packages[name].versions.index(version)
            changed = variant is not self.packages[name].default and (name, variant) not in named
            if name == "a":
                cost[0] += weight
                cost[1] += changed
            else:
                cost[2] += changed
                cost[3] += weight
            cost[4] += 1
        return tuple(cost)


def choices(packages: dict[str, Package]) -> list[Choice]:
    parts = [
        [(name, (version, variant)) for version in row.versions for variant in (True, False)]
        for name, row in packages.items()
    ]
    return [dict(part) for part in itertools.product(*parts)]


def best(packages: dict[str, Package], root: Condition) -> tuple[int, ...] | None:
    ranks = []
    for choice in choices(packages):
        rank = World(packages, choice).rank(root)
        if rank is not None:
            ranks.append(rank)
    return min(ranks) if ranks else None


# -- problems --------------------------------------------------------------------------------

ranges = st.sampled_from(["1", "2", "3", ":1", ":2", "2:", "3:"])


def conditions(below: list[str]) -> st.SearchStrategy[Condition]:
    nothing = st.none()
    return st.builds(
        Condition,
        st.one_of(nothing, ranges),
        st.one_of(nothing, st.booleans()),
        st.one_of(nothing, nothing, st.tuples(st.sampled_from(below), ranges))
        if below
        else nothing,
    )


@st.composite
def problems(draw: Any) -> tuple[dict[str, Package], Condition]:
    packages = {}
    for name in NAMES:
        others = [other for other in NAMES if other not in (name, "a")]
        needs = draw(
            st.lists(
                st.builds(
                    Need,
                    st.sampled_from(others),
                    st.builds(
                        Condition,
                        st.one_of(st.none(), ranges),
                        st.one_of(st.none(), st.none(), st.booleans()),
                        st.none(),
                    ),
                    conditions(others),
                ),
                max_size=3,
                unique_by=lambda need: (need.name, need.when),
            )
        )
        conflicts = draw(
            st.lists(conditions(others).filter(lambda c: any(c)), max_size=1 if name != "a" else 2)
        )
        count = draw(st.integers(1, 3)) if name != "a" else 3
        packages[name] = Package(
            VERSIONS[:count], draw(st.booleans()), tuple(needs), tuple(conflicts)
        )
    return packages, draw(conditions([n for n in NAMES if n != "a"]))


def problem_data(packages: dict[str, Package], root: Condition) -> dict[str, Any]:
    rows = {}
    for name, package in packages.items():
        rows[name] = {
            "versions": list(package.versions),
            "variants": {"v": package.default},
            "depends_on": [
                [need.name + need.what.text(), "run", need.when.text()] for need in package.needs
            ],
            "conflicts": [[conflict.text(), ""] for conflict in package.conflicts],
        }
    return {"packages": rows, "roots": ["a" + root.text()], "options": {"reuse": False}}


def solved_rank(
    packages: dict[str, Package], root: Condition, solution: Any
) -> tuple[int, ...] | None:
    """Return the brute force's rank of the solver's graph."""
    nodes = {node.name: node for node in solution.traverse(("build", "link", "run"))}
    choice = {
        name: (
            (str(nodes[name].version), nodes[name].variants["v"].value is True)
            if name in nodes
            else (package.versions[0], package.default)
        )
        for name, package in packages.items()
    }
    world = World(packages, choice)
    edges = world.graph()
    for name, node in nodes.items():
        assert {need.name for need in edges[name]} == {edge.spec.name for edge in node.edges}
    return world.rank(root)


@settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(problem=problems())
def test_as_good_as_brute_force(
    problem: tuple[dict[str, Package], Condition], kit: ModuleType
) -> None:
    packages, root = problem
    wanted = best(packages, root)
    asked = kit.problem_of(problem_data(packages, root))
    if wanted is None:
        with pytest.raises(UnsatisfiableError) as caught:
            kit.concretize(asked)
        assert caught.value.hint
        return
    solution = kit.concretize(asked)
    kit.check(asked, solution.roots)
    assert solved_rank(packages, root, solution.roots[0]) == wanted
