"""The criteria in ``docs/concretizer.md`` are those of the program, in their order."""

from __future__ import annotations

import re
from pathlib import Path

from spack.solver.concretize import CRITERIA, WIDEN_AFTER

ROOT = Path(__file__).resolve().parents[3]
TEXT = (ROOT / "docs" / "concretizer.md").read_text(encoding="utf-8")


def test_the_table_of_criteria() -> None:
    rows = re.findall(r"^\| (\d+) \| ([^|]+) \|", TEXT, re.M)
    assert {int(level): name.strip() for level, name in rows} == CRITERIA
    assert [int(level) for level, _ in rows] == sorted(CRITERIA, reverse=True)


def test_the_program_has_the_criteria() -> None:
    logic = ROOT / "lib" / "spack" / "solver" / "logic"
    program = "".join((logic / f"{name}.lp").read_text() for name in ("optimize", "duplicates"))
    constants = {name: int(level) for name, level in re.findall(r"#const (\w+) = (\d+)", program)}
    used = re.findall(r"#minimize \{[^@]*@(\w+)", program)
    assert {int(constants.get(name, name)) for name in used} == set(CRITERIA)


def test_the_round_from_which_more_is_expanded() -> None:
    ordinals = {3: "fourth"}
    assert f"from the {ordinals[WIDEN_AFTER]} round on" in TEXT.replace("\n", " ")
