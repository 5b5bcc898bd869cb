"""``spack undevelop``: build packages of the environment from their released sources again."""

from __future__ import annotations

import argparse

from spack.cli.render import message
from spack.errors import UsageError
from spack.session import Session
from spack.spec.parser import parse_many

DESCRIPTION = """build packages of the active environment from their released sources again

They are taken out of `develop:` in spack.yaml; their directories stay as they are.

examples:
  spack -e work undevelop py-foo
  spack -e work undevelop --all
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("-a", "--all", action="store_true", help="everything that is developed")
    parser.add_argument("spec", nargs="*", help="packages")


def run(session: Session, args: argparse.Namespace) -> None:
    environment = session.need_environment("undevelop")
    names = [spec.name or str(spec) for spec in parse_many(args.spec)]
    if bool(names) == args.all:
        raise UsageError(
            "say which packages, or --all",
            hint="spack undevelop py-foo",
            ref="undevelop",
        )
    with environment.lock():
        names = names or [row.name for row in environment.develop_specs(session.variables)]
        if names:
            environment.undevelop(names)
    message(f"no longer developed: {', '.join(names) or 'nothing was'}")
