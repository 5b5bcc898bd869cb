"""Lists of installed packages and of names, in the shapes that several commands share."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from itertools import groupby

from spack.cli.render import Colors, columns, terminal_width, use_color
from spack.errors import UsageError
from spack.session import Session
from spack.spec import DEPTYPES
from spack.store import InstallRecord

__all__ = ["add_deptype_argument", "deptypes_of", "print_names", "print_records"]


def print_names(session: Session, names: Sequence[str], indent: int = 0) -> None:
    """Print names in columns on a terminal, else one a line, for programs."""
    if not names:
        return
    if sys.stdout.isatty():
        print(columns(names, terminal_width(session.environ), indent))
    else:
        print("\n".join(" " * indent + name for name in names))


def print_records(
    session: Session, records: Sequence[InstallRecord], *, length: int = 7, paths: bool = False
) -> None:
    """Print installed packages by architecture.

    :param length: how many characters of the hashes are shown.
    """
    paint = Colors(use_color(sys.stdout, session.options.color)).paint
    for architecture, group in groupby(records, key=lambda record: record.architecture):
        print(paint(f"-- {architecture} " + "-" * max(4, 60 - len(architecture)), "dim"))
        for record in group:
            parts = [paint(record.hash[:length], "hash")] if length else []
            parts.append(record.name + paint(f"@{record.version}", "version"))
            parts += [record.prefix] if paths else []
            print(" ".join(parts))


def add_deptype_argument(parser: argparse.ArgumentParser) -> None:
    """Add ``--deptype``."""
    parser.add_argument(
        "--deptype",
        metavar="TYPES",
        default="all",
        help=f"dependency types to follow, of {','.join(DEPTYPES)} (all)",
    )


def deptypes_of(text: str) -> tuple[str, ...]:
    """Return the types that ``--deptype`` names.

    :raises UsageError: one of them is unknown.
    """
    words = [word for word in text.replace(" ", "").split(",") if word]
    if "all" in words or not words:
        return tuple(DEPTYPES)
    unknown = [word for word in words if word not in DEPTYPES]
    if unknown:
        raise UsageError(
            f"unknown dependency type: {', '.join(unknown)}",
            hint=f"the types are {', '.join(DEPTYPES)} and all",
            ref="deptype",
        )
    return tuple(words)
