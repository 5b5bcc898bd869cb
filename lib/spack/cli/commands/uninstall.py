"""``spack uninstall``: remove installed packages."""

from __future__ import annotations

import argparse
import sys

from spack.actions import installed
from spack.cli.prompt import confirm
from spack.cli.render import message
from spack.install.removal import plan_removal, refuse_roots, remove
from spack.session import Session
from spack.spec.parser import parse_many
from spack.util.text import count_of

REPORTS = True
DESCRIPTION = """remove installed packages

Refuses while something that stays, or an environment, needs them, and names it.

examples:
  spack uninstall py-black             asks first
  spack uninstall -y --all py-black    every installed py-black
  spack uninstall --dependents click   and all that needs it
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("spec", nargs="+", help="what to remove; /HASH names one exactly")
    parser.add_argument("-a", "--all", action="store_true", help="all that match, not just one")
    parser.add_argument("-R", "--dependents", action="store_true", help="and what needs them")
    parser.add_argument("-f", "--force", action="store_true", help="even if something needs them")
    parser.add_argument("-y", "--yes-to-all", action="store_true", help="do not ask")


def run(session: Session, args: argparse.Namespace) -> int:
    store = session.store
    records = installed.several(store, parse_many(args.spec), all_matches=args.all)
    database = store.database
    removal = plan_removal(
        database.records(),
        database.links(),
        [record.hash for record in records],
        dependents=args.dependents,
        force=args.force,
    )
    if not args.force:
        refuse_roots(removal, session.environment_roots())
    message("these packages will be removed:")
    for record in removal.records:
        print(f"    {record.short}")
    if not (args.yes_to_all or confirm("remove them?", sys.stdin, sys.stdout)):
        message("nothing was removed")
        return 1
    removed = remove(store, removal, session.reporter)
    message(f"{count_of(len(removed), 'package')} removed")
    return 0
