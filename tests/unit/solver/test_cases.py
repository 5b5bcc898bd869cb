"""Every scenario of ``tests/cases/solver``: solved, compared, checked, and solved once more."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from spack.errors import SpackError
from spack.spec import ConcreteSpec, dump
from spack.util.yaml import load

CASES = Path(__file__).resolve().parents[2] / "cases" / "solver"
FILES = sorted(CASES.glob("*.yaml"))


def scenario(path: Path) -> dict[str, Any]:
    data: dict[str, Any] = load(path).data
    return data


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_case(path: Path, kit: ModuleType) -> None:
    data = scenario(path)
    assert set(data) >= {"description", "roots", "expected", "explanation"}
    problem = kit.problem_of(data)
    expected = data["expected"]
    if "error" in expected:
        with pytest.raises(SpackError) as caught:
            kit.concretize(problem)
        check_error(caught.value, expected["error"])
        return
    solution = kit.concretize(problem)
    kit.check(problem, solution.roots)
    check_expected(solution.roots, expected)
    if "held_back" in expected:
        found = {older.name: f"{older.newer} {older.needs}" for older in solution.held_back}
        assert found == expected["held_back"]
    if "rounds" in expected:
        assert solution.stats.rounds <= expected["rounds"]
    if "looked_up" in expected:
        assert sorted(set(problem.wheels.looked_up)) == expected["looked_up"]
    if "not_loaded" in expected:
        assert not set(expected["not_loaded"]) & problem.recipes.loaded
    again = kit.concretize(problem)
    assert dump(again.roots) == dump(solution.roots), "not deterministic"


def check_error(error: SpackError, expected: dict[str, Any]) -> None:
    causes = [cause for cause in error.causes if isinstance(cause, SpackError)]
    text = "\n".join([error.message, error.long_message or "", *(x.message for x in causes)])
    assert error.hint or (causes and all(cause.hint for cause in causes))
    if "ref" in expected:
        assert error.ref == expected["ref"], text
    for part in expected.get("says", ()):
        assert part in text, text
    for part in expected.get("silent", ()):
        assert part not in text, text
    if "hint" in expected:
        assert error.hint and expected["hint"] in error.hint
    if "causes" in expected:
        assert len(error.causes) == expected["causes"], text


def check_expected(roots: tuple[ConcreteSpec, ...], expected: dict[str, Any]) -> None:  # noqa: C901 - one assertion for each key of a scenario
    nodes: dict[str, list[ConcreteSpec]] = {}
    for root in roots:
        for node in root.traverse(("build", "link", "run", "test")):
            if node not in nodes.setdefault(node.name, []):
                nodes[node.name].append(node)
    for name, wanted in (expected.get("nodes") or {}).items():
        if wanted is None:
            assert name not in nodes, f"{name} should not be there"
            continue
        assert name in nodes, f"{name} is missing, there are {sorted(nodes)}"
        texts = wanted if isinstance(wanted, list) else [wanted]
        assert len(nodes[name]) == len(texts), nodes[name]
        for text in texts:
            assert any(matches(node, text) for node in nodes[name]), (
                f"{text}: {[n.format('{name}{@version}{variants} {arch}') for n in nodes[name]]}"
            )
    for index, texts in (expected.get("satisfies") or {}).items():
        for text in [texts] if isinstance(texts, str) else texts:
            assert roots[int(index)].satisfies(text), f"{roots[int(index)]}: {text}"
    for index, texts in (expected.get("violates") or {}).items():
        for text in [texts] if isinstance(texts, str) else texts:
            assert not roots[int(index)].satisfies(text), f"{roots[int(index)]}: {text}"
    for parent, edges in (expected.get("edges") or {}).items():
        for child, description in edges.items():
            found = [e for e in nodes[parent][0].edges if e.spec.name == child]
            assert len(found) == 1, nodes[parent][0].edges
            types, _, virtuals = description.partition(" ")
            assert ",".join(sorted(found[0].deptypes)) == types
            assert ",".join(found[0].virtuals) == virtuals
    for name, wanted_flags in (expected.get("flags") or {}).items():
        flags = {kind: " ".join(texts) for kind, texts in nodes[name][0].flags.items()}
        assert flags == wanted_flags
    if "count" in expected:
        assert sum(map(len, nodes.values())) == expected["count"], sorted(nodes)


def matches(node: ConcreteSpec, text: str) -> bool:
    """Whether *node* is as *text* says: a spec, ``external`` or ``built``, in any order."""
    words = str(text).split()
    if "external" in words and node.external is None:
        return False
    if "built" in words and node.external is not None:
        return False
    rest = " ".join(word for word in words if word not in ("external", "built"))
    return node.satisfies(rest if not rest[:1].isdigit() else f"@={rest}")


def test_cases_are_many() -> None:
    assert len(FILES) >= 50
