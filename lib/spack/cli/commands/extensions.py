"""``spack extensions``: what extends a package."""

from __future__ import annotations

import argparse

from spack.actions import installed
from spack.actions.recipe_queries import extendable, extensions_of
from spack.actions.relatives import extensions_installed, relatives
from spack.cli.record_text import print_names, print_records
from spack.cli.render import message
from spack.errors import StoreError, UsageError
from spack.session import Session
from spack.spec import Spec
from spack.spec.parser import parse_many
from spack.store import InstallRecord
from spack.util.text import count_of

DESCRIPTION = """list the packages that extend another, such as python

Without a package, those that can be extended.

examples:
  spack extensions
  spack extensions --show packages python
  spack extensions -l --show installed python@3.11
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("-l", "--long", action="store_true", help="show 7 characters of hashes")
    parser.add_argument("-L", "--very-long", action="store_true", help="show whole hashes")
    parser.add_argument("-d", "--deps", action="store_true", help="show dependencies")
    parser.add_argument("-p", "--paths", action="store_true", help="show prefixes")
    parser.add_argument(
        "-s",
        "--show",
        choices=("packages", "installed", "all"),
        default="all",
        help="recipes, what is installed, or both",
    )
    parser.add_argument("spec", nargs="*", help="an extendable package")


def run(session: Session, args: argparse.Namespace) -> None:
    if not args.spec:
        print_names(session, extendable(session.recipes), indent=4)
        return
    specs = parse_many(args.spec)
    if len(specs) != 1 or not specs[0].name:
        raise UsageError("spack extensions: one package is needed", hint="spack extensions python")
    spec = specs[0]
    if not session.need_recipe(spec.name or "").attributes.get("extendable"):
        raise UsageError(
            f"{spec.name} is not an extendable package",
            hint="`spack extensions` lists those that are",
            ref="not-extendable",
        )
    names = extensions_of(session.recipes, spec.name or "")
    if args.show != "installed":
        message(f"{spec}: {count_of(len(names), 'extension')}")
        print_names(session, names)
    if args.show != "packages":
        _show_installed(session, args, spec, names)


def _show_installed(
    session: Session, args: argparse.Namespace, spec: Spec, names: list[str]
) -> None:
    among = session.environment.hashes() if session.environment else None
    records: list[InstallRecord] = []
    try:
        record = installed.one(session.store, spec, among=among)
    except StoreError as error:
        if error.ref != "not-installed":
            raise
    else:
        records = extensions_installed(session.store, record, names)
        if among is not None:
            records = [x for x in records if x.hash in among]
    if not records:
        message("none installed")
        return
    message(f"{len(records)} installed:")
    if args.deps:
        below = {
            y.hash: y
            for x in records
            for y in relatives(
                session.store, x, above=False, transitive=True, types=("link", "run")
            )
        }
        records = installed.find(session.store, [], among={x.hash for x in records} | set(below))
    length = 32 if args.very_long else 7 if args.long else 0
    print_records(session, records, length=length, paths=args.paths)
