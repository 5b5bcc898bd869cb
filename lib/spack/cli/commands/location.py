"""``spack location``: where something is."""

from __future__ import annotations

import argparse
import os

from spack.actions import installed
from spack.errors import UsageError
from spack.session import Session
from spack.spec.parser import parse_many

DESCRIPTION = """print the directory of an installed package, a recipe, or this installation

In an environment, only what it consists of is looked at.

examples:
  cd $(spack location -i py-black)
  spack location --package-dir py-black    the directory of its recipe
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    what = parser.add_mutually_exclusive_group()
    what.add_argument("-i", "--install-dir", action="store_true", help="prefix (the default)")
    what.add_argument("-p", "--package-dir", action="store_true", help="directory of the recipe")
    what.add_argument("-r", "--spack-root", action="store_true", help="this installation")
    what.add_argument("--store", action="store_true", help="the install tree")
    what.add_argument("-b", "--build-stage", action="store_true", help="where builds are staged")
    parser.add_argument("--first", action="store_true", help="the first of several that match")
    parser.add_argument("spec", nargs="*", help="an installed package; a name with -p")


def run(session: Session, args: argparse.Namespace) -> None:
    if args.spack_root:
        print(session.locations.root)
    elif args.store:
        print(session.store.root)
    elif args.build_stage:
        print(session.stage_root)
    else:
        specs = parse_many(args.spec)
        if len(specs) != 1:
            raise UsageError("spack location: one spec is needed", hint="spack location -i SPEC")
        if args.package_dir:
            print(os.path.dirname(session.need_recipe(specs[0].name or "").path))
        else:
            among = session.environment.hashes() if session.environment else None
            print(installed.one(session.store, specs[0], among=among, first=args.first).prefix)
