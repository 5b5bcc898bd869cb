"""The pages in ``docs/reference``: commands from their parsers, keys from their tables.

::

    python3 tests/kits/reference_pages.py            # names the pages that are out of date
    python3 tests/kits/reference_pages.py --write

They are written from what the program itself reads, so that they cannot say something else; a test
compares them.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "lib"), str(ROOT / "tests")]

from kits.commands_table import parser_of  # noqa: E402
from kits.key_meanings import default_of, meaning_of  # noqa: E402
from kits.package_api_page import build_systems_page, package_api_page  # noqa: E402
from spack.config.keys import ByKey  # noqa: E402
from spack.config.schema import Either, Kind, ListOf, MapOf, Record  # noqa: E402
from spack.config.unsupported import IDLE, MANIFEST_ONLY  # noqa: E402

PAGES = ROOT / "docs" / "reference"

_NOTE = "<!-- Written by tests/kits/reference_pages.py --write -->"


def commands_page() -> str:
    """Return every command with its arguments and options, from the parsers."""
    from spack.cli.main import COMMANDS, global_parser

    lines = [
        "# Commands",
        _NOTE,
        "`spack help COMMAND` prints the same, with examples.",
        "[Commands beside Spack's](../commands.md) says what differs from Spack.",
        "",
        "## spack",
        "",
        "Options before the command:",
        "",
        *_arguments(global_parser()),
    ]
    for name, (_, text) in sorted(COMMANDS.items()):
        parser = parser_of(name)
        assert parser is not None, name
        lines += ["", f"## {name}", "", _sentence(text), *_below(f"spack {name}", parser, 3)]
    return "\n".join(lines) + "\n"


def _below(name: str, parser: argparse.ArgumentParser, level: int) -> Iterator[str]:
    lines = list(_arguments(parser))
    if lines:
        yield from ("", *lines)
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            texts = {choice.dest: choice.help or "" for choice in action._choices_actions}
            done = set()
            for verb, below in action.choices.items():
                if id(below) in done:  # another name of one that is shown
                    continue
                done.add(id(below))
                yield from ("", f"{'#' * level} {name} {verb}")
                names = [x for x, other in action.choices.items() if other is below and x != verb]
                text = next((t for d, t in texts.items() if d.split(" ")[0] == verb), "")
                if names:
                    text += f" (also: {', '.join(names)})"
                if text:
                    yield from ("", _sentence(text))
                yield from _below(f"{name} {verb}", below, level + 1)


def _arguments(parser: argparse.ArgumentParser) -> Iterator[str]:
    """Yield the rows of a table; nothing for a parser without arguments."""
    rows = []
    for action in parser._actions:
        if isinstance(action, (argparse._SubParsersAction, argparse._HelpAction)):
            continue
        if action.help == argparse.SUPPRESS:
            continue
        rows.append(f"| {_usage(action)} | {_cell(_help(parser, action))} |")
    if rows:
        yield from ("| argument | |", "|---|---|", *rows)


def _usage(action: argparse.Action) -> str:
    """Return how an argument is written: its spellings, then its value."""
    value = ""
    if action.nargs != 0:
        value = action.metavar if isinstance(action.metavar, str) else action.dest
        if action.choices is not None and action.metavar is None:
            value = "{" + ",".join(map(str, action.choices)) + "}"
    if not action.option_strings:
        value = {"*": f"[{value} ...]", "?": f"[{value}]", "+": f"{value} ..."}.get(
            str(action.nargs), value
        )
        return f"`{_cell(value)}`"
    spelled = ", ".join(f"`{option}`" for option in action.option_strings)
    return f"{spelled} `{_cell(value)}`" if value else spelled


def _help(parser: argparse.ArgumentParser, action: argparse.Action) -> str:
    text = action.help or ""
    if "%" not in text:
        return text
    values = {**vars(action), "prog": parser.prog}
    return text % values


def _sentence(text: str) -> str:
    text = text.strip()
    return f"{text[:1].upper()}{text[1:]}{'' if text.endswith('.') else '.'}"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def configuration_page() -> str:
    """Return every key of every section with what may be written, from the tables of keys."""
    from spack.config.keys import ENVIRONMENT, SECTIONS

    assert isinstance(ENVIRONMENT, Record)
    manifest = ENVIRONMENT.fields["spack"]
    assert isinstance(manifest, Record)
    lines = [
        "# Configuration",
        _NOTE,
        "Each section is in `SECTION.yaml` of a scope, or below `spack:` in an environment.",
        "`spack config get SECTION` shows what is in force, `spack config blame SECTION` where it",
        "comes from; the defaults are those of `etc/`. `NAME` is a name of",
        "your choice, `[]` an item of a list. Keys without an effect are Spack's, and accepted so",
        "that one file serves both programs.",
    ]
    for name, kind in sorted(SECTIONS.items()):
        only = IDLE.get(name)
        note = ["In environments only.", ""] if only and only.instead == MANIFEST_ONLY else []
        lines += ["", f"## {name}", "", *note, *_keys((name,), kind)]
    for name in sorted(set(manifest.fields) - set(SECTIONS)):
        lines += ["", f"## {name} (in environments)", "", *_keys((name,), manifest.fields[name])]
    return "\n".join(lines) + "\n"


def _keys(path: tuple[str, ...], kind: Kind) -> Iterator[str]:
    yield from ("| key | value | default | meaning |", "|---|---|---|---|")
    for key, values in _values(path, kind).items():
        default = default_of(key)
        cells = [
            f"`{key}`",
            _cell(" or ".join(values)),
            f"`{_cell(default)}`" if default else "",
            _cell(_note(key) or meaning_of(key)),
        ]
        yield f"| {' | '.join(cells)} |"


def _values(path: tuple[str, ...], kind: Kind) -> dict[str, list[str]]:
    """Return what may be written at each key below *path*."""
    found: dict[str, list[str]] = {}
    for keys, expected in _leaves(path, kind, ()):
        values = found.setdefault(":".join(keys), [])
        if expected not in values:
            values.append(expected)
    return found


def _note(key: str) -> str:
    """Return what is said of a key without an effect."""
    words = ["*" if x == "NAME" else "-" if x == "[]" else x for x in key.split(":")]
    paths = [":".join(words[: end + 1]) for end in range(len(words))]
    idle = next((IDLE[x] for x in paths if x in IDLE), None)
    if idle is None or idle.instead == MANIFEST_ONLY:
        return ""
    return f"no effect: {idle.instead}"


def effective_keys() -> Iterator[str]:
    """Yield the keys of all sections that have an effect."""
    from spack.config.keys import ENVIRONMENT, SECTIONS

    assert isinstance(ENVIRONMENT, Record)
    manifest = ENVIRONMENT.fields["spack"]
    assert isinstance(manifest, Record)
    for name, kind in {**manifest.fields, **SECTIONS}.items():
        yield from (key for key in _values((name,), kind) if not _note(key))


def _leaves(
    path: tuple[str, ...], kind: Kind, above: tuple[Kind, ...]
) -> Iterator[tuple[tuple[str, ...], str]]:
    """Yield the keys below *path* that have a value of their own, each with what it may be."""
    from spack.config.keys import SECTIONS

    if any(kind is other for other in above):
        yield path, "the same again"
        return
    within = (*above, kind)
    parts = None if isinstance(kind, Record) and set(SECTIONS) <= set(kind.fields) else _parts(kind)
    if parts is None:
        whole = isinstance(kind, Record)
        yield path, "sections of the configuration" if whole else kind.expected
        return
    for keys, part in parts:
        yield from _leaves((*path, *keys), part, within)


def _parts(kind: Kind) -> list[tuple[tuple[str, ...], Kind]] | None:
    """Return the kinds inside of *kind* with the keys that lead there, or None if it has none."""
    if isinstance(kind, Either):
        return [((), part) for part in kind.kinds]
    if isinstance(kind, ListOf):
        return [(("[]",), kind.item)]
    if isinstance(kind, MapOf):
        return [*(((key,), value) for key, value in kind.special.items()), (("NAME",), kind.value)]
    if isinstance(kind, Record):
        return [((key,), value) for key, value in kind.fields.items()]
    return [((), kind.having), ((), kind.lacking)] if isinstance(kind, ByKey) else None


def exit_codes_page() -> str:
    """Return the exit codes, as the command's own documentation has them."""
    from spack.cli import main

    text = (main.__doc__ or "").partition("Exit codes: ")[2].strip()
    rows = [" ".join(x.split()).rstrip(".") for x in text.split(";")]
    pairs = [row.split(" ", 1) for row in rows[:-1]]
    lines = ["# Exit codes", _NOTE, "", "| code | |", "|---|---|"]
    lines += [f"| {code} | {meaning} |" for code, meaning in pairs]
    lines += [f"| more | {rows[-1]} |", ""]
    return "\n".join(lines)


WRITERS: Mapping[str, Callable[[], str]] = {
    "commands": commands_page,
    "configuration": configuration_page,
    "build-systems": lambda: build_systems_page(_NOTE),
    "exit-codes": exit_codes_page,
    "package-api": lambda: package_api_page(_NOTE),
}


def pages() -> dict[Path, str]:
    """Return what each page should be."""
    return {PAGES / f"{name}.md": writer() for name, writer in WRITERS.items()}


def outdated() -> list[Path]:
    """Return the pages that are not what they should be."""
    return [
        path
        for path, text in pages().items()
        if not path.exists() or path.read_text(encoding="utf-8") != text
    ]


def main(words: list[str]) -> int:
    found = outdated()
    for path in found:
        print(path.relative_to(ROOT))
        if "--write" in words:
            path.parent.mkdir(exist_ok=True)
            path.write_text(pages()[path], encoding="utf-8")
    return 1 if found and "--write" not in words else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
