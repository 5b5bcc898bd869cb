"""``spack dependents``: what depends on a package."""

from __future__ import annotations

import argparse

from spack.actions import installed
from spack.actions.recipe_queries import possible_dependents
from spack.actions.relatives import relatives
from spack.cli.record_text import print_names, print_records
from spack.errors import UsageError
from spack.session import Session
from spack.spec.parser import parse_many

DESCRIPTION = """list what may depend on a package, or what depends on an installed one

examples:
  spack dependents py-click
  spack dependents --installed --transitive py-click
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "-i", "--installed", action="store_true", help="those of an installed package"
    )
    parser.add_argument("-t", "--transitive", action="store_true", help="indirect ones too")
    parser.add_argument("spec", nargs="+", help="a package")


def run(session: Session, args: argparse.Namespace) -> int | None:
    specs = parse_many(args.spec)
    if len(specs) != 1 or not (specs[0].name or args.installed):
        raise UsageError("spack dependents: one package is needed", hint="spack dependents PACKAGE")
    if args.installed:
        among = session.environment.hashes() if session.environment else None
        record = installed.one(session.store, specs[0], among=among)
        records = relatives(session.store, record, above=True, transitive=args.transitive)
        if records:
            print_records(session, records)
        else:
            print("No dependents")
        return None
    names = possible_dependents(session.recipes, specs[0].name or "", transitive=args.transitive)
    if names:
        print_names(session, names)
    else:
        print("No dependents")
    return None
