"""``spack gc``: remove what nothing needs."""

from __future__ import annotations

import argparse
import sys

from spack.cli.prompt import confirm
from spack.cli.render import message
from spack.install.removal import collect, unneeded
from spack.session import Session
from spack.util.text import count_of

REPORTS = True
DESCRIPTION = """remove packages that are neither explicit nor needed

Kept are packages that were installed explicitly, the roots of all environments that still
exist, and what those need at run time. Build dependencies go unless --keep-build is given.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("-b", "--keep-build", action="store_true", help="keep build dependencies")
    parser.add_argument("-n", "--dry-run", action="store_true", help="only show what would go")
    parser.add_argument("-y", "--yes-to-all", action="store_true", help="do not ask")


def run(session: Session, args: argparse.Namespace) -> int:
    database = session.store.database
    removal = unneeded(
        database.records(),
        database.links(),
        session.environment_roots(),
        keep_build=args.keep_build,
    )
    if not removal.records:
        message("there is nothing to remove")
        return 0
    message("these packages are needed by nothing:")
    for record in removal.records:
        print(f"    {record.short}")
    if args.dry_run:
        return 0
    if not (args.yes_to_all or confirm("remove them?", sys.stdin, sys.stdout)):
        message("nothing was removed")
        return 1
    removed = collect(
        session.store,
        removal,
        session.reporter,
        session.environment_roots(),
        keep_build=args.keep_build,
    )
    message(f"{count_of(len(removed), 'package')} removed")
    return 0
