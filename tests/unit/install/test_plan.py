from __future__ import annotations

from typing import Any

import pytest

from kits.specs import MakeSpec
from spack.cli.event_text import plan_lines
from spack.errors import InstallError
from spack.install.plan import BUILD, EXTERNAL, REUSE, PlanOptions, make_plan


@pytest.fixture
def dag(spec: MakeSpec) -> Any:
    python = spec("python@3.11", external="/usr")
    tool = spec("tool")
    backend = spec("backend", (tool, ("run",)), (python, ("run",)))
    library = spec("library", (backend, ("build",)), (python, ("run",)))
    root = spec("root", (backend, ("build",)), (library, ("run",)), (python, ("run",)))
    return {s.name: s for s in (python, tool, backend, library, root)}


def kinds(plan: Any) -> Any:
    return {step.spec.name: step.kind for step in plan.steps}


def hashes(dag: Any, *names: Any) -> Any:
    return {dag[name].dag_hash() for name in names}


def test_everything_is_built_after_what_it_needs(dag: Any) -> None:
    plan = make_plan([dag["root"]], set())
    assert kinds(plan) == {
        "python": EXTERNAL,
        "tool": BUILD,
        "backend": BUILD,
        "library": BUILD,
        "root": BUILD,
    }
    done: set[str] = set()
    for step in plan.steps:
        assert done.issuperset(step.requires)
        done.add(step.hash)
    assert [step.spec.name for step in plan.steps if step.explicit] == ["root"]


def test_build_dependencies_of_what_is_installed_are_not_needed(dag: Any) -> None:
    installed = hashes(dag, "library", "root")
    plan = make_plan([dag["root"]], installed)
    assert kinds(plan) == {"python": EXTERNAL, "library": REUSE, "root": REUSE}
    plan = make_plan([dag["root"]], hashes(dag, "library"))
    assert kinds(plan)["backend"] == BUILD and kinds(plan)["library"] == REUSE


def test_a_missing_run_dependency_of_an_installed_node_is_built(dag: Any) -> None:
    plan = make_plan([dag["root"]], hashes(dag, "root"))
    assert kinds(plan) == {
        "python": EXTERNAL,
        "tool": BUILD,
        "backend": BUILD,
        "library": BUILD,
        "root": REUSE,
    }


def test_only_dependencies(dag: Any) -> None:
    plan = make_plan([dag["root"]], set(), PlanOptions(only="dependencies"))
    assert "root" not in kinds(plan) and kinds(plan)["library"] == BUILD
    assert not any(step.explicit for step in plan.steps)
    plan = make_plan([dag["root"], dag["library"]], set(), PlanOptions(only="dependencies"))
    assert "root" not in kinds(plan) and kinds(plan)["library"] == BUILD


def test_only_package_names_all_that_is_missing(dag: Any) -> None:
    with pytest.raises(InstallError) as caught:
        make_plan([dag["root"]], hashes(dag, "tool"), PlanOptions(only="package"))
    assert "library@1.0/" in caught.value.message and "backend@1.0/" in caught.value.message
    assert "tool" not in caught.value.message and caught.value.hint
    installed = hashes(dag, "tool", "backend", "library")
    plan = make_plan([dag["root"]], installed, PlanOptions(only="package"))
    assert [step.spec.name for step in plan.builds] == ["root"]


def test_overwrite(dag: Any) -> None:
    everything = hashes(dag, *dag)
    plan = make_plan([dag["root"]], everything, PlanOptions(overwrite=hashes(dag, "library")))
    assert [(step.spec.name, step.overwrite) for step in plan.builds] == [("library", True)]
    assert kinds(plan)["backend"] == REUSE, "building again needs what builds"


def test_test_dependencies_are_needed_where_tests_run(spec: MakeSpec) -> None:
    checker = spec("checker")
    low = spec("low", (checker, ("test",)))
    top = spec("top", low, (checker, ("test",)))
    assert "checker" not in kinds(make_plan([top], set()))
    plan = make_plan([top], set(), PlanOptions(tests=frozenset({"top"})))
    by_name = {step.spec.name: step for step in plan.steps}
    assert checker.dag_hash() in by_name["top"].requires and by_name["top"].tests
    assert checker.dag_hash() not in by_name["low"].requires
    everywhere = make_plan([top], set(), PlanOptions(tests=frozenset({"*"})))
    assert checker.dag_hash() in everywhere.by_hash[low.dag_hash()].requires


def test_heights_and_dependents(spec: MakeSpec) -> None:
    a = spec("a")
    b = spec("b", a)
    c = spec("c", b)
    lone = spec("lone")
    plan = make_plan([c, lone], set())
    assert {s.spec.name: s.height for s in plan.steps} == {"a": 3, "b": 2, "c": 1, "lone": 1}
    assert plan.dependents(a.dag_hash()) == (b.dag_hash(), c.dag_hash())
    assert plan.dependents(lone.dag_hash()) == ()


def test_chains_are_weighed_by_what_compiles(spec: MakeSpec) -> None:
    gcc = spec("gcc", external="/usr")
    compiled = spec("compiled", (gcc, ("build",), ("c",)))
    uses_gcc = spec("uses-gcc", (gcc, ("build",)))
    long_chain = spec("z2", spec("z1", spec("z0")))
    plan = make_plan([spec("top", compiled), uses_gcc, long_chain], set())
    steps = {step.spec.name: step for step in plan.steps}
    assert [name for name, step in steps.items() if step.heavy] == ["compiled"]
    assert steps["compiled"].height > steps["z0"].height > steps["uses-gcc"].height
    assert not make_plan([compiled], {compiled.dag_hash()}).by_hash[compiled.dag_hash()].heavy


def test_two_versions_of_one_package_in_one_plan(spec: MakeSpec) -> None:
    old, new = spec("setuptools@44"), spec("setuptools@63")
    top = spec("top", (new, ("build",)), (spec("low", (old, ("build",))), ("run",)))
    assert len([s for s in make_plan([top], set()).builds if s.spec.name == "setuptools"]) == 2


def test_plans_are_reproducible_and_can_be_read(dag: Any) -> None:
    plan = make_plan([dag["root"]], hashes(dag, "tool"))
    assert plan == make_plan([dag["root"]], hashes(dag, "tool"))
    text = "\n".join(plan_lines(plan))
    assert f"[-] build    {dag['root'].short}" in text and "[+] present  tool@1.0" in text
    assert "[e] external python@3.11" in text


def test_a_deep_dag_does_not_exhaust_the_stack(spec: MakeSpec) -> None:
    node = spec("n0")
    for number in range(1, 3000):
        node = spec(f"n{number}", node)
    plan = make_plan([node], set())
    assert len(plan.steps) == 3000 and plan.steps[0].height == 3000
