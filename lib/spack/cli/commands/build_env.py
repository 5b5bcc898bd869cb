"""``spack build-env``: the environment that a package is built in."""

from __future__ import annotations

import argparse
import os
import shlex

from spack.actions.build_environment import build_environment
from spack.cli.commands.spec import add_concretizer_arguments, concretize_options
from spack.session import Session
from spack.spec.parser import parse_many

DESCRIPTION = """run a command in the build environment of a package, or print its variables

What the package needs for its build must be installed: `spack install --only dependencies SPEC`.

examples:
  spack build-env py-black
  spack build-env py-pyyaml -- bash
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_concretizer_arguments(parser)
    kind = parser.add_mutually_exclusive_group()
    kind.add_argument("--clean", action="store_true", help="keep your environment out")
    kind.add_argument("--dirty", action="store_true", help="let your environment in")
    parser.add_argument("spec", nargs=1, help="a package")
    parser.add_argument("command", nargs=argparse.REMAINDER, help="a command, after --")


def run(session: Session, args: argparse.Namespace) -> None:
    root = session.concretize(parse_many(args.spec), concretize_options(args)).roots[0]
    dirty = True if args.dirty else False if args.clean else None
    variables = build_environment(session.build_options(dirty=dirty, keep_venv=True), root)
    command = args.command[1:] if args.command[:1] == ["--"] else args.command
    if not command:
        for name, value in sorted(variables.items()):
            print(f"{name}={shlex.quote(value)}; export {name}")
        return
    os.execvpe(command[0], command, dict(variables))
