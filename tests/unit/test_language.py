"""The language of the code: idioms that kits/language.py replaces, and names with one meaning."""

from __future__ import annotations

import pytest

from kits import counts, language, picture
from kits.language import ROOT, hits, logic_hits, python_hits, searched_files

ENGINE = counts.parse()


@pytest.mark.parametrize(
    "part",
    ["lib", "packages", "etc", "docs", "README.md", "CONTRIBUTING.md", "CHANGELOG.md"],
)
def test_no_banned_idioms(part: str) -> None:
    files = [path for path in searched_files() if path.relative_to(ROOT).parts[0] == part]
    assert files
    assert list(map(str, hits(files))) == []


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ('"""Bring what nobody vouches for."""\n', ["Bring", "nobody", "vouch"]),
        ("x = 1  # made anew\n", ["anew"]),
        ("def _aside(told): ...\n", ["_aside", "told"]),
        ("in_place = changed_in_place  # changed in place\n", []),
        ("raise_('there is no recipe; it is no longer there')\n", []),
        ("raise_(f'{x} is no link type')\n", ["is no l"]),
    ],
)
def test_the_scanner_finds_comments_strings_and_names(source: str, found: list[str]) -> None:
    assert sorted(hit.text for hit in python_hits("x.py", source)) == sorted(found)


def test_the_scanner_reads_comments_of_logic_programs() -> None:
    assert [hit.text for hit in logic_hits("x.lp", "ghost(X).  % a ghost\n")] == ["ghost"]


def test_every_exception_is_used() -> None:
    texts = {
        path.relative_to(ROOT).as_posix(): path.read_text("utf-8") for path in searched_files()
    }
    unused = [
        (end, text)
        for end, text, _ in language.ALLOWED
        if not any(path.endswith(end) and text in content for path, content in texts.items())
    ]
    assert unused == []


def test_one_class_name_is_one_class() -> None:
    assert counts.duplicate_classes(ENGINE) == []


def test_one_module_name_is_one_module() -> None:
    assert counts.duplicate_modules(ENGINE) == []


def test_modules_do_not_import_each_other_in_cycles() -> None:
    """Imports for type checking count: they are what a reader follows."""
    assert counts.cycles(ENGINE) == []


def test_calls_with_many_arguments_are_by_keyword() -> None:
    assert counts.positional_calls(ENGINE) == []


def test_contributing_shows_the_layers_as_they_import_each_other() -> None:
    assert picture.shown() == picture.draw(), "run `python3 tests/kits/picture.py --write`"
