"""``spack versions``: the versions of a package."""

from __future__ import annotations

import argparse

from spack.session import Session
from spack.spec import Version

DESCRIPTION = """list the versions that a recipe knows, newest first"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("package", help="a package's name")
    parser.add_argument("-s", "--safe", action="store_true", help="only those with a checksum")


def run(session: Session, args: argparse.Namespace) -> None:
    recipe = session.need_recipe(args.package)
    for record in sorted(recipe.versions, key=lambda r: Version(r.version), reverse=True):
        if not args.safe or record.sha256 or record.options.get("commit"):
            print(record.version)
