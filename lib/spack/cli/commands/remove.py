"""``spack remove``: remove roots from the active environment."""

from __future__ import annotations

import argparse

from spack.cli.render import message
from spack.session import Session

DESCRIPTION = """remove specs from the active environment's spack.yaml; nothing is uninstalled

examples:
  spack -e work remove py-black
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("-l", "--list-name", default="", metavar="LIST", help="a definition")
    parser.add_argument("spec", nargs="+", help="specs")


def run(session: Session, args: argparse.Namespace) -> None:
    environment = session.need_environment("remove")
    with environment.lock():
        environment.remove(args.spec, args.list_name)
    message(f"removed from {environment.name}: {', '.join(args.spec)}")
