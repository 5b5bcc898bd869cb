"""``spack maintainers``: which users maintain which packages."""

from __future__ import annotations

import argparse

from spack.actions.recipe_queries import maintained
from spack.cli.record_text import print_names
from spack.errors import UsageError
from spack.session import Session

DESCRIPTION = """list the maintainers of packages, or the packages of maintainers

The exit code is 1 if there are none.

examples:
  spack maintainers py-black
  spack maintainers --by-user adamjstewart
  spack maintainers --unmaintained
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    group = parser.add_mutually_exclusive_group()
    group.add_argument("--maintained", action="store_true", help="list maintained packages")
    group.add_argument("--unmaintained", action="store_true", help="list unmaintained packages")
    parser.add_argument("-a", "--all", action="store_true", help="one line for each")
    parser.add_argument("--by-user", action="store_true", help="the packages of users")
    parser.add_argument("package_or_user", nargs="*", help="packages, or users with --by-user")


def run(session: Session, args: argparse.Namespace) -> int:
    recipes, names = session.recipes, args.package_or_user
    if args.maintained or args.unmaintained:
        found = [x for x, users in maintained(recipes).items() if bool(users) == args.maintained]
        print_names(session, found)
        return 0 if found else 1
    if not (names or args.all):
        what = "a user" if args.by_user else "a package"
        raise UsageError(f"spack maintainers: {what} or --all is needed", hint="name one")
    for name in () if args.by_user else names:
        session.need_recipe(name)
    table = maintained(recipes, None if args.by_user or not names else names)
    if args.by_user:
        table = _by_user(table, {name.lower() for name in names})
    if args.all:
        for key, values in table.items():
            if values:
                print(f"{key}: {', '.join(values)}")
    else:
        print_names(session, sorted({value for values in table.values() for value in values}))
    return 0 if any(table.values()) else 1


def _by_user(table: dict[str, list[str]], users: set[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for package, names in table.items():
        for name in names:
            if not users or name.lower() in users:
                found.setdefault(name, []).append(package)
    return {user: found[user] for user in sorted(found)}
