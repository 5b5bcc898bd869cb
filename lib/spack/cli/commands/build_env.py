"""``spack build-env``: the environment that a package is built in."""

from __future__ import annotations

import argparse
import os
import pickle
import shlex
from pathlib import Path

from spack.actions.build_environment import build_environment
from spack.actions.concretizing import ConcretizeOptions
from spack.cli.commands.spec import add_concretizer_arguments, concretize_options
from spack.errors import UsageError
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
    add_environment_options(parser)


def add_environment_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that environments of builds and of tests have."""
    kind = parser.add_mutually_exclusive_group()
    kind.add_argument("--clean", action="store_true", help="keep your environment out")
    kind.add_argument("--dirty", action="store_true", help="let your environment in")
    parser.add_argument("--dump", metavar="FILE", help="write commands of a shell into a file")
    parser.add_argument("--pickle", metavar="FILE", help="write a pickled dictionary into a file")
    parser.add_argument("spec", nargs=1, help="a package")
    parser.add_argument("command", nargs=argparse.REMAINDER, help="a command, after --")


def run(session: Session, args: argparse.Namespace) -> None:
    show_environment(session, args, concretize_options(args))


def show_environment(
    session: Session, args: argparse.Namespace, options: ConcretizeOptions
) -> None:
    """Print the variables, write them into files, or run the command that is given."""
    root = session.concretize(parse_many(args.spec), options).roots[0]
    dirty = True if args.dirty else False if args.clean else None
    variables = build_environment(
        session.build_options(dirty=dirty, keep_venv=True), root, tests=bool(options.tests)
    )
    command = args.command[1:] if args.command[:1] == ["--"] else args.command
    lines = "".join(f"{x}={shlex.quote(y)}; export {x}\n" for x, y in sorted(variables.items()))
    if args.dump:
        _write(session.cwd / args.dump, lines.encode())
    if args.pickle:
        _write(session.cwd / args.pickle, pickle.dumps(dict(variables)))
    if not command:
        print("" if args.dump or args.pickle else lines, end="")
        return
    os.execvpe(command[0], command, dict(variables))


def _write(path: Path, data: bytes) -> None:
    try:
        path.write_bytes(data)
    except OSError as error:
        raise UsageError(
            f"cannot write {path}: {error.strerror}", hint="name another file", ref="dump-file"
        ) from error
