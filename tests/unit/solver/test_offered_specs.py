"""Of packages that are installed hundreds of times the best are offered, and others when needed."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Any, Callable

import pytest

from kits.specs import make_spec
from spack.errors import UnsatisfiableError
from spack.solver import Problem
from spack.solver.concretize import concretize
from spack.solver.spec_pool import SpecPool
from spack.spec import ConcreteSpec
from unit.solver.kit import problem_of

#: How often `low`, and `tool` that links to it, are installed.
COPIES = 100


class ManySpecs(SpecPool):
    """Specs that are offered as a store offers them: as many as are asked for."""

    def __init__(self, specs: Sequence[ConcreteSpec]) -> None:
        super().__init__(specs)
        self.asked: dict[str, int] = {}

    def best(
        self, name: str, best_first: Callable[[Collection[str]], Sequence[str]], most: int
    ) -> tuple[list[ConcreteSpec], int]:
        self.asked[name] = most
        found = list(self.named(name))
        if len(found) > most:
            order = best_first({str(spec.version) for spec in found})
            known = [x for x in found if str(x.version) in order]
            found = sorted(known, key=lambda x: order.index(str(x.version)))[:most]
        return found, max(0, len(self.named(name)) - most)


def installed() -> list[ConcreteSpec]:
    """Return `tool@1` to `tool@100`, each with `low` of its own version."""
    specs = []
    for number in range(1, COPIES + 1):
        low = make_spec(f"low@{number}", target="x86_64_v3", namespace="test")
        specs.append(make_spec(f"tool@{number}", low, target="x86_64_v3", types=("link",)))
    return specs


def problem(*roots: str, **packages: Any) -> Problem:
    recipes: dict[str, Any] = {
        "low": {"versions": ["101", "100"]},
        "tool": {"versions": ["101", "100"], "depends_on": [["low", "link"]]},
        **packages,
    }
    return problem_of({"packages": recipes, "roots": list(roots)})


def named(specs: Sequence[ConcreteSpec]) -> dict[str, str]:
    return {node.name: str(node.version) for spec in specs for node in spec.traverse(("link",))}


@pytest.mark.parametrize(
    ("roots", "packages", "expected", "most"),
    [
        (["tool"], {}, {"tool": "100", "low": "100"}, 20),
        (["low"], {}, {"low": "100"}, 20),
        (["tool@7"], {}, {"tool": "7", "low": "7"}, 20),
        (["tool@:9"], {}, {"tool": "9", "low": "9"}, 20),
        (["tool", "low"], {}, {"tool": "100", "low": "100"}, 20),
        (["tool ^low@30"], {}, {"tool": "30", "low": "30"}, 80),
        (
            ["top"],
            {"top": {"versions": ["1"], "depends_on": [["tool@:5", "link"]]}},
            {"top": "1", "tool": "5", "low": "5"},
            320,
        ),
    ],
)
def test_the_answer_is_that_of_all_specs(
    roots: list[str], packages: dict[str, Any], expected: dict[str, str], most: int
) -> None:
    specs = installed()
    asked = problem(*roots, **packages)
    pool = ManySpecs(specs)
    answer = concretize(replace(asked, reusable=pool)).roots
    assert named(answer) == expected
    assert named(concretize(replace(asked, reusable=tuple(specs))).roots) == expected
    there = {spec.dag_hash() for spec in specs}
    reused = [node for spec in answer for node in spec.traverse() if node.name == "tool"]
    assert {node.dag_hash() for node in reused} <= there
    assert max(pool.asked[name] for name in pool.asked if name in ("tool", "low")) == most


def test_a_spec_is_named_by_its_hash_however_old_it_is() -> None:
    oldest = installed()[0]
    asked = problem(f"tool/{oldest.dag_hash(7)}")
    answer = concretize(replace(asked, reusable=ManySpecs(installed()))).roots
    assert answer[0] == oldest


def test_what_can_only_be_reused_is_looked_for_among_all() -> None:
    unbuildable = {"versions": ["200"], "depends_on": [["missing", "link"]]}
    asked = problem("top", tool=unbuildable, top={"depends_on": [["tool@2", "link"]]})
    assert named(concretize(replace(asked, reusable=ManySpecs(installed()))).roots)["tool"] == "2"


def test_what_nothing_satisfies_is_refused() -> None:
    with pytest.raises(UnsatisfiableError):
        concretize(replace(problem("tool ^low@500"), reusable=ManySpecs(installed())))


def test_what_links_to_something_that_was_removed_is_not_reused() -> None:
    class Holes(ManySpecs):
        """Everything but the newest `low`."""

        def best(
            self, name: str, best_first: Callable[[Collection[str]], Sequence[str]], most: int
        ) -> tuple[list[ConcreteSpec], int]:
            found, rest = super().best(name, best_first, most)
            return [x for x in found if x.name != "low" or str(x.version) != "100"], rest

        def by_hash(self, prefix: str) -> Sequence[ConcreteSpec]:
            found = super().by_hash(prefix)
            return [x for x in found if x.name != "low" or str(x.version) != "100"]

    answer = concretize(replace(problem("tool"), reusable=Holes(installed()))).roots
    assert named(answer) == {"tool": "99", "low": "99"}
    few = replace(problem("tool"), reusable=Holes(installed()[-3:]))
    assert named(concretize(few).roots) == {"tool": "99", "low": "99"}
