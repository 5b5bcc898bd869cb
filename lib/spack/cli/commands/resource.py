"""``spack resource``: what recipes download besides their sources."""

from __future__ import annotations

import argparse

from spack.actions.recipe_queries import downloads, recipes_of
from spack.cli.render import table
from spack.errors import RecipeError, UsageError
from spack.session import Session

DESCRIPTION = """list the patches and resources that recipes download, by their sha256

examples:
  spack resource list
  spack resource show 2f6a
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    verbs = parser.add_subparsers(dest="verb", metavar="list|show")
    listed = verbs.add_parser("list", help="list all")
    listed.add_argument("--only-hashes", action="store_true", help="only their sha256")
    show = verbs.add_parser("show", help="show one")
    show.add_argument("hash", help="its sha256, or the beginning of it")


def run(session: Session, args: argparse.Namespace) -> int | None:
    if args.verb is None:
        raise UsageError(
            "spack resource: a subcommand is required", hint="see `spack resource --help`"
        )
    found = [row for recipe in recipes_of(session.recipes) for row in downloads(recipe)]
    found.sort()
    if args.verb == "list" and args.only_hashes:
        print("".join(f"{row.sha256}\n" for row in found), end="")
        return None
    if args.verb == "show":
        found = [row for row in found if row.sha256.startswith(args.hash)]
        if not found:
            raise RecipeError(
                f"no patch or resource has a sha256 that begins with {args.hash}",
                hint="`spack resource list` shows all",
                ref="no-resource",
            )
    for row in found:
        print(row.sha256)
        print(table([("url:", row.url), ("applies to:", row.package), ("from:", row.origin)]))
    return None
