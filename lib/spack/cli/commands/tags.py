"""``spack tags``: the tags of packages."""

from __future__ import annotations

import argparse
import sys

from spack.actions import installed
from spack.actions.recipe_queries import tagged
from spack.cli.record_text import print_names
from spack.cli.render import message
from spack.errors import UsageError
from spack.session import Session
from spack.util.text import count_of

DESCRIPTION = """list the tags of packages, or the packages that have a tag

examples:
  spack tags
  spack tags build-tools
  spack tags --installed --all
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("-i", "--installed", action="store_true", help="of installed packages only")
    parser.add_argument("-a", "--all", action="store_true", help="the packages of every tag")
    parser.add_argument("tag", nargs="*", help="the packages that have it")


def run(session: Session, args: argparse.Namespace) -> None:
    if args.all and args.tag:
        raise UsageError("spack tags: name tags or give --all, not both", hint="leave one out")
    found = tagged(session.recipes)
    if args.installed:
        names = {record.name for record in installed.find(session.store, [])}
        if not names:
            message("no installed packages")
            return
        found = {tag: [x for x in packages if x in names] for tag, packages in found.items()}
        found = {tag: packages for tag, packages in found.items() if packages}
    if not found:
        message("no tagged packages")
    elif not args.tag and not args.all:
        if sys.stdout.isatty():
            print(f"{count_of(len(found), 'package tag')}:")
        print_names(session, list(found), indent=4)
    else:
        for tag in sorted(set(args.tag)) or list(found):
            print(f"{tag}:")
            print_names(session, found.get(tag) or ["None"], indent=4)
            print()
