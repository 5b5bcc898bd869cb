"""``spack compilers``: the compilers that can be used."""

from __future__ import annotations

import argparse

from spack.cli.commands import compiler
from spack.cli.scope_option import add_scope_argument
from spack.session import Session

DESCRIPTION = """list the compilers that packages can be built with

They are configured as externals in packages.yaml, or detected. It is `spack compiler list`.

examples:
  spack compilers
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_scope_argument(parser, "only those of this scope")


def run(session: Session, args: argparse.Namespace) -> int | None:
    args.verb = "list"
    return compiler.run(session, args)
