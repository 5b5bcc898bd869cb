"""``spack dependencies``: what a package depends on."""

from __future__ import annotations

import argparse

from spack.actions import installed
from spack.actions.recipe_queries import possible_dependencies
from spack.actions.relatives import relatives
from spack.cli.record_text import (
    add_deptype_argument,
    deptypes_of,
    print_names,
    print_records,
)
from spack.errors import UsageError
from spack.session import Session
from spack.spec.parser import parse_many

DESCRIPTION = """list what a package may depend on, or what an installed one depends on

examples:
  spack dependencies py-black
  spack dependencies --transitive --deptype run py-black
  spack dependencies --installed py-black
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "-i", "--installed", action="store_true", help="those of an installed package"
    )
    parser.add_argument("-t", "--transitive", action="store_true", help="indirect ones too")
    add_deptype_argument(parser)
    parser.add_argument(
        "-V", "--no-expand-virtuals", action="store_true", help="name virtuals, not providers"
    )
    parser.add_argument("spec", nargs="+", help="a package")


def run(session: Session, args: argparse.Namespace) -> int | None:
    specs = parse_many(args.spec)
    if len(specs) != 1 or not (specs[0].name or args.installed):
        raise UsageError(
            "spack dependencies: one package is needed", hint="spack dependencies PACKAGE"
        )
    types = deptypes_of(args.deptype)
    if args.installed:
        among = session.environment.hashes() if session.environment else None
        record = installed.one(session.store, specs[0], among=among)
        records = relatives(
            session.store, record, above=False, transitive=args.transitive, types=types
        )
        if records:
            print_records(session, records)
        else:
            print("No dependencies")
        return None
    names = possible_dependencies(
        session.recipes,
        specs[0].name or "",
        transitive=args.transitive,
        expand_virtuals=not args.no_expand_virtuals,
        types=types,
    )
    if names:
        print_names(session, names)
    else:
        print("No dependencies")
    return None
