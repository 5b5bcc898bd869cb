"""``spack logs``: the output of a build."""

from __future__ import annotations

import argparse
import shutil
import sys

from spack.actions import installed
from spack.session import Session
from spack.spec.parser import parse_many

DESCRIPTION = """print the build log of an installed package, or of the last build that failed

examples:
  spack logs py-black
  spack logs --path py-black      only where it is
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("-p", "--path", action="store_true", help="print only the file's path")
    parser.add_argument("spec", nargs=1, help="a package")


def run(session: Session, args: argparse.Namespace) -> None:
    log = installed.build_log(session.store, parse_many(args.spec)[0])
    if args.path:
        print(log)
        return
    with open(log, encoding="utf-8", errors="replace") as stream:
        shutil.copyfileobj(stream, sys.stdout)
