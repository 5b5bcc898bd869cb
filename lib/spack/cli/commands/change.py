"""``spack change``: change a root of the active environment in place."""

from __future__ import annotations

import argparse

from spack.actions.respecifying import change_roots
from spack.cli.render import message
from spack.errors import UsageError
from spack.session import Session
from spack.spec import Spec
from spack.spec.parser import parse_many

DESCRIPTION = """change specs of the active environment's spack.yaml where they are

What the given spec says replaces what the spec in the file says of the same; the rest stays.

examples:
  spack -e work change py-black@25
  spack -e work change --match-spec 'py-black@24' 'py-black+d'
  spack -e work change --all --match-spec '+mpi' '~mpi'
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("-l", "--list-name", default="specs", metavar="LIST", help="a definition")
    parser.add_argument("--match-spec", metavar="SPEC", help="change what satisfies it")
    parser.add_argument("-a", "--all", action="store_true", help="change all that match")
    parser.add_argument("spec", nargs="+", help="what the specs are to say")


def run(session: Session, args: argparse.Namespace) -> None:
    environment = session.need_environment("change")
    match = Spec.parse(args.match_spec) if args.match_spec else None
    definition = "" if args.list_name == "specs" else args.list_name
    with environment.lock():
        for spec in parse_many(args.spec):
            if not spec.name and match is None:
                raise UsageError(
                    f"'{spec}' names no package", hint="name one, or say which: --match-spec SPEC"
                )
            for before, after in change_roots(
                environment, spec, match=match, definition=definition, several=args.all
            ):
                message(f"changed {before} to {after}")
