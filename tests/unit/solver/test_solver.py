"""The parts of the solver one by one, and what holds of every solution."""

from __future__ import annotations

import math
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from spack.errors import RecipeError, SpackError, UnsatisfiableError
from spack.solver import driver
from spack.solver.cycles import cycles, reachable
from spack.solver.quoting import quote, unquote

HERE = Path(__file__).parent
CASES = HERE.parents[1] / "cases" / "solver"

SCRIPT = """
import sys
sys.path[:0] = sys.argv[1:3]
from dataclasses import replace
from pathlib import Path
import kit
from spack.util.yaml import load
for path in sys.argv[3:]:
    problem = kit.problem_of(load(Path(path)).data)
    try:
        print(*(root.dag_hash() for root in kit.concretize(problem).roots))
    except Exception as error:
        print(error.message, error.long_message)
"""

MANY = [
    "build-tools-own-and-run",
    "compiler-versions",
    "lazy-option-needed",
    "reuse-whole-closure",
    "root-dependency-absent",
    "two-roots-clash",
    "variant-disjoint-sets",
    "virtual-condition-on-provider",
]


def test_equal_problems_have_equal_solutions_in_every_process(root: Path) -> None:
    texts = set()
    for seed in ("0", "1", "77"):
        command = [sys.executable, "-c", SCRIPT, str(root / "lib"), str(HERE)]
        command += [str(CASES / f"{name}.yaml") for name in MANY]
        environ = {**os.environ, "PYTHONHASHSEED": seed}
        done = subprocess.run(command, env=environ, capture_output=True, text=True, check=True)
        assert len(done.stdout.split()) > len(MANY)
        texts.add(done.stdout)
    assert len(texts) == 1


def test_the_order_of_directives_does_not_matter_for_what_is_chosen(kit: ModuleType) -> None:
    needs = [["b@2:", "run"], ["d", "run", "+x"], ["b@:3", "run"]]
    packages = {
        "b": {"versions": ["1", "2", "3", "4"]},
        "d": {},
        "a": {"variants": {"x": True}, "depends_on": needs},
    }
    data = {"packages": packages, "roots": ["a"]}
    first = kit.concretize(kit.problem_of(data)).roots[0]
    turned = {**packages, "a": {"variants": {"x": True}, "depends_on": needs[::-1]}}
    second = kit.concretize(kit.problem_of({"packages": turned, "roots": ["a"]})).roots[0]
    assert first.dag_hash() == second.dag_hash()
    assert str(first.lookup("b").version) == "3"


def test_statistics(kit: ModuleType) -> None:
    data = {"packages": {"a": {"depends_on": [["b", "run"]]}, "b": {}}, "roots": ["a"]}
    stats = kit.concretize(kit.problem_of(data)).stats
    assert stats.rounds == 1
    assert stats.optimal
    assert stats.expanded == 2
    assert ("builds", 2) in stats.cost
    assert set(stats.seconds) >= {"encode", "ground", "solve", "decode", "total"}


def test_facts_of_unneeded_packages_are_not_loaded(kit: ModuleType) -> None:
    packages: dict[str, Any] = {"a": {"depends_on": [["p0", "run"]]}}
    for number in range(200):
        packages[f"p{number}"] = {
            "variants": {"more": False},
            "depends_on": [[f"p{number + 1}", "run", "+more"]] if number < 199 else [],
        }
    problem = kit.problem_of({"packages": packages, "roots": ["a"]})
    kit.concretize(problem)
    assert problem.recipes.loaded <= {"a", "p0", "compiler-wrapper"}


def test_shared_nodes_are_one_object(kit: ModuleType) -> None:
    packages = {
        "a": {"depends_on": [["b", "run"], ["d", "run"]]},
        "b": {"depends_on": [["d", "run"]]},
        "d": {},
    }
    found = kit.concretize(kit.problem_of({"packages": packages, "roots": ["a"]})).roots[0]
    by_edge = [edge.spec for node in found.traverse() for edge in node.edges]
    assert len({id(spec) for spec in by_edge if spec.name == "d"}) == 1


def test_externals_keep_what_is_known_of_them(kit: ModuleType) -> None:
    data = {"packages": {"a": {"depends_on": [["c", "build"]]}}, "roots": ["a"]}
    gcc = kit.concretize(kit.problem_of(data)).roots[0].lookup("gcc")
    assert gcc.external_path == "/usr"
    assert gcc.extra_attributes["compilers"] == {"c": "/usr/bin/gcc"}
    assert gcc.package_hash is None


def test_built_nodes_carry_the_hash_of_their_recipe(kit: ModuleType) -> None:
    problem = kit.problem_of({"packages": {"a": {}}, "roots": ["a"]})
    found = kit.concretize(problem).roots[0]
    assert found.package_hash == problem.recipes.get("a").content_hash
    assert found.namespace == "test"


def test_causes_are_data(kit: ModuleType) -> None:
    packages: dict[str, Any] = {"a": {"depends_on": [["b@2:", "run"]]}, "b": {"versions": ["1"]}}
    with pytest.raises(UnsatisfiableError) as caught:
        kit.concretize(kit.problem_of({"packages": packages, "roots": ["a"]}))
    kinds = [cause.facts["kind"] for cause in caught.value.causes]
    assert kinds == ["dependency", "domain"]
    assert caught.value.causes[0].facts["origin"] == "packages/a/package.py:12"
    assert caught.value.facts["roots"] == ["a"]


def test_a_long_contradiction_is_minimal(kit: ModuleType) -> None:
    """A chain of twenty dependencies ends in a clash; two hundred other ones do not matter."""
    packages: dict[str, Any] = {
        "a": {"depends_on": [[f"s{n}@1:", "run"] for n in range(200)] + [["p0", "run"]]}
    }
    packages.update({f"s{number}": {"versions": ["2", "1"]} for number in range(200)})
    for number in range(20):
        packages[f"p{number}"] = {"depends_on": [[f"p{number + 1}", "run"]]}
    packages["p20"] = {"depends_on": [["s7@3:", "run"]]}
    with pytest.raises(UnsatisfiableError) as caught:
        kit.concretize(kit.problem_of({"packages": packages, "roots": ["a"]}))
    blamed = [cause.facts["text"] for cause in caught.value.causes]
    assert len(blamed) == 23
    assert {"s7@3:", "p0", "p20"} <= set(blamed)


def test_unknown_names_of_several_roots(kit: ModuleType) -> None:
    data = {"packages": {"py-black": {}}, "roots": ["py-blak"]}
    with pytest.raises(RecipeError) as caught:
        kit.concretize(kit.problem_of(data))
    assert caught.value.facts["near"] == ["py-black"]


def test_the_time_is_bounded_as_a_whole(kit: ModuleType) -> None:
    """A chain that the first guess does not see, and a bound that is over before its end."""
    packages: dict[str, Any] = {"end": {}, "a": {"depends_on": [["p0", "run"]]}}
    for number in range(300):
        packages[f"p{number}"] = {"depends_on": [[f"p{number + 1}", "run"]]}
    packages["p300"] = {"depends_on": [["end", "run"]]}
    problem = kit.problem_of({"packages": packages, "roots": ["a"]})
    with pytest.raises(SpackError) as caught:
        kit.concretize(replace(problem, seconds=0.0001))
    assert caught.value.message == "cannot concretize within 0.0001 s"
    assert caught.value.ref == "concretizer-timeout"
    assert caught.value.hint and "concretizer:timeout" in caught.value.hint
    assert kit.concretize(replace(problem, seconds=60.0)).stats.optimal


def test_atoms_with_strange_strings_are_read() -> None:
    for text in ("a b", 'say "hi"', "back\\slash", "two\nlines", "f(x,1)", "", "\\n", "ünï"):
        facts = [f"asked({quote(text)},1). g(1). package({quote(text)})."]
        facts += [f"can_build({quote(text)}). bver({quote(text)},0)."]
        assert driver.optimize(facts, False, math.inf).atoms["build"] == [(text, 0)]
        assert unquote(quote(text)[1:-1]) == text


def test_cycles() -> None:
    edges = {"a": {"b"}, "b": {"d", "e"}, "d": {"b"}, "e": {"e"}, "f": set()}
    assert sorted(sorted(group) for group in cycles(edges)) == [["b", "d"], ["e"]]
    assert reachable({"d"}, edges) == {"d", "b", "e"}


@pytest.mark.parametrize("text", ["a@1.3", "a@9", "a@0.1"])
def test_suggested_versions(text: str, kit: ModuleType) -> None:
    data = {"packages": {"a": {"versions": ["1.0", "1.2", "1.4", "2.0"]}}, "roots": [text]}
    with pytest.raises(UnsatisfiableError) as caught:
        kit.concretize(kit.problem_of(data))
    suggestions = caught.value.facts["near"]
    assert "2.0" in suggestions
