"""Results for programs: one table of formats, one function that prints them.

A command calls :func:`add_output_options`, and :func:`print_output` before it prints text for the
user. A new format is a row of :data:`DATA_FORMATS`; every command then has its option.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable
from typing import Any, Callable, NamedTuple, Protocol

__all__ = [
    "DATA_FORMATS",
    "DataFormat",
    "add_output_options",
    "is_for_programs",
    "print_output",
    "to_json",
    "to_yaml",
]


class DataFormat(NamedTuple):
    """A way to write plain data: dicts with text as keys, lists, texts, numbers, booleans, None.

    :ivar name: of the option, without dashes.
    :ivar letter: of the short option, where a command has short ones.
    :ivar text: what is printed for the data, without the last line end.
    """

    name: str
    letter: str
    help: str
    text: Callable[[Any], str]


def to_json(data: Any) -> str:
    """Return *data* as JSON, indented."""
    return json.dumps(data, indent=1)


def to_yaml(data: Any) -> str:
    """Return *data* as YAML in block style; it reads back as the same data.

    Written here: making a writer of ruamel costs more than most commands may take.
    """
    return "\n".join(_block(data)) if data and isinstance(data, (dict, list)) else _scalar(data)


DATA_FORMATS = (
    DataFormat("json", "j", "print JSON", to_json),
    DataFormat("yaml", "y", "print YAML", to_yaml),
)


class OptionGroup(Protocol):
    """A parser, or a group of options that exclude each other."""

    def add_argument(self, *words: str, **settings: Any) -> argparse.Action: ...


def add_output_options(
    group: OptionGroup, *, short: bool = False, template: str | None = None
) -> None:
    """Add an option for each format.

    :param short: with one letter too.
    :param template: help of ``--format``, for commands whose results are specs.
    """
    for row in DATA_FORMATS:
        words = (f"-{row.letter}", f"--{row.name}") if short else (f"--{row.name}",)
        group.add_argument(*words, action="store_true", help=row.help)
    if template is not None:
        group.add_argument("--format", metavar="FORMAT", help=template)


def print_output(
    args: argparse.Namespace,
    data: Callable[[], Any],
    formatted: Callable[[str], Iterable[str]] | None = None,
) -> bool:
    """Print results in the format that the options ask for; return whether they ask for one.

    :param data: returns the results as plain data.
    :param formatted: returns a line for each result in the format of specs that it is given.
    """
    for row in DATA_FORMATS:
        if getattr(args, row.name):
            print(row.text(data()))
            return True
    if formatted is not None and args.format:
        for line in formatted(args.format):
            print(line)
        return True
    return False


def is_for_programs(args: argparse.Namespace) -> bool:
    """Return whether the options ask for one of the formats."""
    return any(getattr(args, row.name) for row in DATA_FORMATS) or bool(args.format)


def _block(data: Any, indent: int = 0) -> list[str]:
    pad = "  " * indent
    lines = []
    if isinstance(data, dict):
        for key, value in data.items():
            if isinstance(value, (dict, list, tuple)) and value:
                lines.append(f"{pad}{_scalar(key)}:")
                lines += _block(value, indent + (1 if isinstance(value, dict) else 0))
            else:
                lines.append(f"{pad}{_scalar(key)}: {_scalar(value)}")
    else:
        for item in data:
            if isinstance(item, (dict, list, tuple)) and item:
                first, *rest = _block(item, indent + 1)
                lines.append(f"{pad}- {first.strip()}")
                lines += rest
            else:
                lines.append(f"{pad}- {_scalar(item)}")
    return lines


_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./$~@+%^=")
_WORDS = frozenset(("true", "false", "null", "yes", "no", "on", "off", "~", ""))


def _scalar(value: Any) -> str:
    """Return a scalar (or an empty collection) in YAML, quoted where YAML would misread it."""
    if value is None or isinstance(value, (bool, int, float, dict, list, tuple)):
        return json.dumps(value)
    text = str(value)
    number = text.replace(".", "", 1).replace("e", "", 1).lstrip("+-").isdigit()
    safe = set(text) <= _PLAIN and text[0] not in "-@%=~" if text else False
    if safe and text.lower() not in _WORDS and not number:
        return text
    # YAML has no pairs of surrogates, which is how JSON writes what is beyond four digits.
    return json.dumps(text, ensure_ascii=not text.isprintable())
