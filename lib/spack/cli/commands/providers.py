"""``spack providers``: the providers of a virtual package."""

from __future__ import annotations

import argparse

from spack.errors import RecipeError
from spack.session import Session

DESCRIPTION = """list the packages that provide a virtual package; all virtual packages without one

examples:
  spack providers
  spack providers c cxx
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("virtual", nargs="*", help="virtual packages")


def run(session: Session, args: argparse.Namespace) -> None:
    recipes = session.recipes
    if not args.virtual:
        print("\n".join(recipes.virtual_names()))
        return
    for virtual in args.virtual:
        if not recipes.is_virtual(virtual):
            raise RecipeError(
                f"{virtual} is not a virtual package",
                hint="`spack providers` lists the virtual packages",
                ref="not-virtual",
            )
        if len(args.virtual) > 1:
            print(f"{virtual}:")
        indent = "    " if len(args.virtual) > 1 else ""
        for name in recipes.providers(virtual):
            print(indent + name)
