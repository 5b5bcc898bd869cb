"""``spack mark``: whether a package counts as asked for."""

from __future__ import annotations

import argparse

from spack.actions.relatives import mark
from spack.cli.render import message
from spack.errors import UsageError
from spack.session import Session
from spack.spec.parser import parse_many

DESCRIPTION = """mark installed packages as asked for (explicit) or as dependencies (implicit)

`spack gc` keeps what is explicit.

examples:
  spack mark -e py-click
  spack mark -i --all py-wheel
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("-a", "--all", action="store_true", help="all that match, not just one")
    kind = parser.add_mutually_exclusive_group(required=True)
    kind.add_argument("-e", "--explicit", action="store_true", help="as asked for")
    kind.add_argument("-i", "--implicit", action="store_true", help="as dependencies")
    parser.add_argument("spec", nargs="*", help="installed packages")


def run(session: Session, args: argparse.Namespace) -> None:
    if not args.spec and not args.all:
        raise UsageError(
            "spack mark: a package is needed", hint="name one, or mark everything with --all"
        )
    changed = mark(session.store, parse_many(args.spec), args.explicit, all_matches=args.all)
    word = "explicit" if args.explicit else "implicit"
    for record in changed:
        message(f"{record.short} is {word} now")
    if not changed:
        message(f"already {word}")
