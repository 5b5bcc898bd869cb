"""``spack versions``: the versions of a package."""

from __future__ import annotations

import argparse

from spack.cli.record_text import print_names
from spack.cli.render import message
from spack.session import Session
from spack.spec import Version

DESCRIPTION = """list the versions of a package, newest first: those that its recipe knows

With --remote and --new, those that the package index, or the page with its archives, offers.

examples:
  spack versions py-black
  spack versions --new py-black      newer than what the recipe has
  spack versions --remote py-black   all that is offered and not in the recipe
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("package", help="a package's name")
    parser.add_argument(
        "-j", "--jobs", type=int, metavar="N", help="accepted: one page is read at a time"
    )
    which = parser.add_mutually_exclusive_group()
    which.add_argument("-s", "--safe", action="store_true", help="only those with a checksum")
    which.add_argument("-r", "--remote", action="store_true", help="only those that are offered")
    which.add_argument("-n", "--new", action="store_true", help="only newer ones that are offered")


def run(session: Session, args: argparse.Namespace) -> int | None:
    recipe = session.need_recipe(args.package)
    if args.remote or args.new:
        from spack.actions.remote_versions import newer, remote_files

        files = remote_files(recipe, session.fetcher(checksum=False))
        known = {Version(record.version) for record in recipe.versions}
        files = [file for file in files if file.version not in known]
        if args.new:
            files = newer(files, recipe)
        print_names(session, [str(file.version) for file in files])
        if not files:
            message(f"found no {'newer' if args.new else 'further'} versions of {recipe.name}")
        return None
    for record in sorted(recipe.versions, key=lambda r: Version(r.version), reverse=True):
        if not args.safe or record.sha256 or record.options.get("commit"):
            print(record.version)
    return None
