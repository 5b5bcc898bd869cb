"""``spack remove``: remove roots from the active environment."""

from __future__ import annotations

import argparse

from spack.actions.respecifying import remove_roots
from spack.cli.render import message
from spack.errors import UsageError
from spack.session import Session

DESCRIPTION = """remove specs from the active environment's spack.yaml; nothing is uninstalled

examples:
  spack -e work remove py-black
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("-l", "--list-name", default="", metavar="LIST", help="a definition")
    parser.add_argument("-a", "--all", action="store_true", help="all specs of the environment")
    parser.add_argument("-f", "--force", action="store_true", help="from the lock file too")
    parser.add_argument("spec", nargs="*", help="specs")


def run(session: Session, args: argparse.Namespace) -> None:
    environment = session.need_environment("remove")
    if bool(args.spec) == args.all:
        raise UsageError("spack remove: name specs, or give --all", hint="spack remove SPEC")
    with environment.lock():
        texts = [x.text for x in environment.user_specs()] if args.all else list(args.spec)
        remove_roots(environment, texts, args.list_name, from_lock=args.force)
    message(f"removed from {environment.name}: {', '.join(texts) or 'nothing'}")
