"""The table of Spack's commands in ``docs/commands.md``: what is the same here, what differs.

Names and options are compared with ``upstream_commands.json``, which was read from the parser of
the Spack that it names. Only the last column of the table is written by hand::

    python3 tests/kits/commands_table.py            # count
    python3 tests/kits/commands_table.py --write    # bring the other columns up to date

A command is the *same* if all its options are here and nothing is noted, *not here* if its name is
unknown; else it *differs*.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "commands.md"
UPSTREAM = Path(__file__).with_name("upstream_commands.json")

SAME, DIFFERS, MISSING = "same", "differs", "not here"

_BEGIN, _END = "<!-- table -->", "<!-- end -->"
_HEAD = "| command | here | options that are not here | notes |\n|---|---|---|---|\n"


class CommandRow(NamedTuple):
    """One command or subcommand of upstream's.

    :ivar missing: its options that are not here, each with its longest spelling.
    """

    name: str
    status: str
    missing: tuple[str, ...]
    note: str

    def text(self) -> str:
        options = " ".join(f"`{option}`" for option in self.missing)
        return f"| `{self.name}` | {self.status} | {options} | {self.note} |"


def upstream() -> dict[str, Any]:
    """Return what upstream's parser knows: ``commands`` and ``global``."""
    data: dict[str, Any] = json.loads(UPSTREAM.read_text(encoding="utf-8"))
    return data


def parser_of(command: str) -> argparse.ArgumentParser | None:
    """Return the parser of the command that upstream calls *command*, or None."""
    from spack.cli.main import ALIASES, COMMANDS, help_parser

    name = ALIASES.get(command, command)
    if name not in COMMANDS:
        return None
    parser = argparse.ArgumentParser(prog=command)
    if name == "help":
        return help_parser()
    import_module(f"spack.cli.commands.{name.replace('-', '_')}").add_arguments(parser)
    return parser


def verbs_of(parser: argparse.ArgumentParser) -> Mapping[str, argparse.ArgumentParser]:
    """Return the subcommands of a parser."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            return dict(action.choices)
    return {}


def options_of(parser: argparse.ArgumentParser) -> set[str]:
    """Return all spellings of the options of a parser."""
    return {text for action in parser._actions for text in action.option_strings}


def rows(notes: Mapping[str, str]) -> Iterator[CommandRow]:
    """Yield a row for each of upstream's commands, and for the subcommands of those here."""
    data = upstream()
    from spack.cli.main import global_parser

    yield _row("spack", {"options": data["global"]}, global_parser(), notes)
    for name, entry in sorted(data["commands"].items()):
        yield from _rows(name, entry, parser_of(name), notes)


def _rows(
    name: str, entry: Mapping[str, Any], parser: argparse.ArgumentParser | None, notes: Any
) -> Iterator[CommandRow]:
    verbs = {} if parser is None else verbs_of(parser)
    lacks = not set(entry["subcommands"]) <= set(verbs)
    row = _row(name, entry, parser, notes)
    yield row._replace(status=DIFFERS) if lacks and row.status == SAME else row
    if verbs:
        for verb, below in sorted(entry["subcommands"].items()):
            yield from _rows(f"{name} {verb}", below, verbs.get(verb), notes)


def _row(
    name: str,
    entry: Mapping[str, Any],
    parser: argparse.ArgumentParser | None,
    notes: Mapping[str, str],
) -> CommandRow:
    note = notes.get(name, "")
    if parser is None:
        return CommandRow(name, MISSING, (), note)
    have = options_of(parser)
    lacking = [words for words in entry["options"] if not set(words) <= have]
    missing = tuple(sorted(max(words, key=len) for words in lacking))
    return CommandRow(name, DIFFERS if missing or note else SAME, missing, note)


def notes_in(page: str) -> dict[str, str]:
    """Return the last column of the table in *page* by command."""
    found = {}
    for line in page.splitlines():
        cells = [cell.strip() for cell in line.split("|")]
        if len(cells) == 6 and cells[1].startswith("`"):
            found[cells[1].strip("`")] = cells[4]
    return found


def updated(page: str) -> str:
    """Return *page* with its table up to date."""
    before, _, rest = page.partition(_BEGIN)
    _, _, after = rest.partition(_END)
    lines = "\n".join(row.text() for row in rows(notes_in(page)))
    return f"{before}{_BEGIN}\n{_HEAD}{lines}\n{_END}{after}"


def counts(page: str) -> dict[str, Counter[str]]:
    """Return how many commands, subcommands and options there are of each kind."""
    table = list(rows(notes_in(page)))
    whole = [row for row in table if " " not in row.name and row.name != "spack"]
    parts = [row for row in table if " " in row.name]
    data = upstream()
    every = sum(len(x["options"]) for x in data["commands"].values())
    here = sum(
        len(x["options"]) - len(row.missing)
        for row in whole
        for x in [data["commands"][row.name]]
        if row.status != MISSING
    )
    return {
        "commands": Counter(row.status for row in whole),
        "subcommands": Counter(row.status for row in parts),
        "options of commands": Counter({"here": here, MISSING: every - here}),
    }


def main(words: list[str]) -> int:
    sys.path.insert(0, str(ROOT / "lib"))
    page = PAGE.read_text(encoding="utf-8")
    if "--write" in words:
        page = updated(page)
        PAGE.write_text(page, encoding="utf-8")
    for what, numbers in counts(page).items():
        shown = ", ".join(f"{count} {kind}" for kind, count in sorted(numbers.items()))
        print(f"{what}: {shown}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
