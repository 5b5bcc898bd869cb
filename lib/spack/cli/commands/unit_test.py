"""``spack unit-test``: the tests of this spack itself."""

from __future__ import annotations

import argparse
import os

from spack.errors import UsageError
from spack.session import Session

DESCRIPTION = """run the tests of this spack with pytest, in a clone of its repository

The first run makes a virtual environment with the development tools (tests/run).

examples:
  spack unit-test tests/unit/spec
  spack unit-test -k parser tests/unit
  spack unit-test --list tests/unit/spec
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("-H", "--pytest-help", action="store_true", help="show pytest's options")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("-l", "--list", action="store_true", help="list files, run nothing")
    form.add_argument("-L", "--list-long", action="store_true", help="list tests, run nothing")
    form.add_argument("-N", "--list-names", action="store_true", help="list full names of tests")
    parser.add_argument("-s", action="store_true", help="show what tests print")
    parser.add_argument("-k", metavar="EXPRESSION", help="only tests whose names fit")
    parser.add_argument("--showlocals", action="store_true", help="show local variables")
    parser.add_argument("-n", "--numprocesses", metavar="N", help="processes")
    parser.add_argument("pytest_args", nargs=argparse.REMAINDER, help="paths, options of pytest")


def run(session: Session, args: argparse.Namespace) -> int:
    script = session.locations.root / "tests" / "run"
    if not script.is_file():
        raise UsageError(
            f"there are no tests in {session.locations.root}",
            hint="they are in a clone of the repository, not in an installation",
            ref="no-tests",
        )
    words = [str(script), *_words(args)]
    os.execve(words[0], words, dict(session.environ))


def _words(args: argparse.Namespace) -> list[str]:
    """Return the arguments of pytest."""
    if args.pytest_help:
        return ["--help"]
    words = list(args.pytest_args) or ["tests"]
    if args.list or args.list_long or args.list_names:
        words += ["--collect-only", "-qq" if args.list else "-q"]
    words += ["-s"] * args.s + ["--showlocals"] * args.showlocals
    words += ["-k", args.k] if args.k else []
    return words + (["-n", args.numprocesses] if args.numprocesses else [])
