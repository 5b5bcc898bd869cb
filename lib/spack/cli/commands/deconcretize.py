"""``spack deconcretize``: let parts of an environment be decided again."""

from __future__ import annotations

import argparse
import sys

from spack.actions.respecifying import deconcretize, to_deconcretize
from spack.cli.prompt import confirm
from spack.cli.render import message
from spack.errors import UsageError
from spack.session import Session
from spack.spec.parser import parse_many

DESCRIPTION = """take specs out of the active environment's lock file

The next `concretize` decides them again; the rest of the lock holds.

examples:
  spack -e work deconcretize py-black
  spack -e work deconcretize --all --root py-click
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--root", action="store_true", help="only roots that match themselves")
    parser.add_argument("-a", "--all", action="store_true", help="all roots that match")
    parser.add_argument("-y", "--yes-to-all", action="store_true", help="do not ask")
    parser.add_argument("spec", nargs="*", help="what is decided again, and what needs it")


def run(session: Session, args: argparse.Namespace) -> int | None:
    environment = session.need_environment("deconcretize")
    if not (args.spec or args.all):
        raise UsageError(
            "spack deconcretize: a spec is needed", hint="name one, or give --all for everything"
        )
    with environment.lock():
        specs = parse_many(args.spec) or parse_many("@:")
        roots = to_deconcretize(environment, specs, roots_only=args.root)
        if len(roots) > len(specs) and not args.all:
            raise UsageError(
                f"{' '.join(args.spec)} matches {len(roots)} specs: "
                + ", ".join(root.spec for root in roots),
                hint="name one of them, or take all with --all",
                ref="ambiguous-spec",
            )
        names = ", ".join(root.spec for root in roots)
        if not args.yes_to_all and not confirm(f"deconcretize {names}?", sys.stdin, sys.stdout):
            return 1
        deconcretize(environment, roots)
    message(f"deconcretized {names}")
    return None
