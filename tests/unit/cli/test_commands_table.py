"""The table of Spack's commands in the documentation."""

from __future__ import annotations

import pytest

from kits.commands_table import DIFFERS, MISSING, PAGE, counts, notes_in, rows, updated, upstream


@pytest.fixture(scope="module")
def page() -> str:
    return PAGE.read_text(encoding="utf-8")


def test_the_table_is_what_the_parsers_say(page: str) -> None:
    assert page == updated(page), "run tests/kits/commands_table.py --write"


def test_every_command_of_upstream_has_a_row(page: str) -> None:
    names = set(notes_in(page))
    assert set(upstream()["commands"]) < names
    assert "spack" in names


def test_what_differs_says_how_or_why(page: str) -> None:
    silent = [row.name for row in rows(notes_in(page)) if row.status != "same" and not row.note]
    assert silent == [], f"write a note for what is {DIFFERS} or {MISSING}"


def test_counts(page: str, capsys: pytest.CaptureFixture[str]) -> None:
    found = counts(page)
    assert sum(found["commands"].values()) == len(upstream()["commands"])
    assert found["options of commands"]["here"] > found["options of commands"][MISSING]
    with capsys.disabled():
        print("", *(f"{what}: {dict(numbers)}" for what, numbers in found.items()), sep="\n")
