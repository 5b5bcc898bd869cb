"""``spack gc``: remove what nothing needs."""

from __future__ import annotations

import argparse
import sys

from spack.actions.collecting import collectable, keep_for
from spack.cli.prompt import confirm
from spack.cli.render import message
from spack.install.removal import collect
from spack.session import Session
from spack.session.module_parts import follow_removals
from spack.spec.parser import parse_many
from spack.util.text import count_of

REPORTS = True
DESCRIPTION = """remove packages that are neither explicit nor needed

Kept are packages that were installed explicitly, the roots of all environments that still
exist, and what those need at run time. Build dependencies go unless --keep-build-dependencies is
given. In an active environment only what belongs to it is removed.

examples:
  spack gc -y
  spack gc -E             also what was installed explicitly and is in no environment
  spack gc py-setuptools  only this
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "-E",
        "--except-any-environment",
        action="store_true",
        help="keep only what some environment needs",
    )
    parser.add_argument(
        "-e",
        "--except-environment",
        metavar="ENV",
        action="append",
        default=[],
        help="keep only what this environment needs; may be repeated",
    )
    parser.add_argument(
        "-b",
        "--keep-build-dependencies",
        "--keep-build",
        action="store_true",
        help="keep build dependencies",
    )
    parser.add_argument("-n", "--dry-run", action="store_true", help="only show what would go")
    parser.add_argument("-y", "--yes-to-all", action="store_true", help="do not ask")
    parser.add_argument("constraint", nargs="*", metavar="SPEC", help="only what satisfies one")


def run(session: Session, args: argparse.Namespace) -> int:
    database = session.store.own  # what upstreams have is their owners'
    if session.environment and not (args.except_any_environment or args.except_environment):
        message(f"restricting garbage collection to environment {session.environment.name}")
    keeping = keep_for(
        database,
        session.environment_roots(),
        within=session.environment,
        only=[session.find_environment(name) for name in args.except_environment],
        any_environment=args.except_any_environment,
        build=args.keep_build_dependencies,
    )
    removal = collectable(database, keeping, parse_many(args.constraint))
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
        keeping.roots,
        keep_build=keeping.build,
        keep_explicit=keeping.explicit,
    )
    follow_removals(session, (record.hash for record in removed))
    message(f"{count_of(len(removed), 'package')} removed")
    return 0
