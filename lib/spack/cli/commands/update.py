"""``spack update``: new versions for recipes."""

from __future__ import annotations

import argparse
import difflib
import sys

from spack.actions.creating import Packages
from spack.actions.python_releases import Fetchers
from spack.actions.updating import RecipeUpdate, updated_recipe
from spack.cli.render import message, warning
from spack.errors import SpackError, UsageError
from spack.session import Session
from spack.util.text import count_of

DESCRIPTION = """add the newest versions to recipes, and what has changed in what they need

The newest version that the recipe has is compared with newer ones of the package index, and only
what differs between them is written: new versions and dependencies are added, conditions of
dependencies that are no longer needed get an end. All other lines stay. The changes are printed.

examples:
  spack update py-black
  spack update --dry-run py-black py-click      only print the changes
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("-n", "--dry-run", action="store_true", help="write nothing")
    parser.add_argument(
        "--versions", type=int, default=5, metavar="N", help="at most the newest N (5)"
    )
    parser.add_argument("package", nargs="+", help="names of packages")


def run(session: Session, args: argparse.Namespace) -> int | None:
    fetchers = Fetchers(session.fetcher(), session.fetcher(checksum=False))
    packages = Packages(session.recipes)
    failed = 0
    for name in args.package:
        recipe = session.need_recipe(name)
        try:
            update = updated_recipe(recipe, packages, fetchers, args.versions)
        except SpackError as error:
            if len(args.package) == 1:
                raise
            failed += 1
            warning(f"cannot update {name}: {error.message}")
            continue
        _print(name, update)
        if not args.dry_run:
            _write(update)
    return 1 if failed else None


def _print(name: str, update: RecipeUpdate) -> None:
    if not update.added:
        message(f"found no newer versions of {name}")
        return
    message(f"{name}: {count_of(len(update.added), 'new version')}")
    path = str(update.path)
    lines = difflib.unified_diff(
        update.before.splitlines(keepends=True), update.after.splitlines(keepends=True), path, path
    )
    sys.stdout.writelines(lines)
    for text in update.by_hand:
        warning(f"{name}: left to you: {text}")


def _write(update: RecipeUpdate) -> None:
    if update.after == update.before:
        return
    try:
        update.path.write_text(update.after, encoding="utf-8")
    except OSError as error:
        raise UsageError(
            f"cannot write {update.path}: {error.strerror or error}",
            hint="copy the recipe into a repository that can be written: see `spack repo list`",
            ref="repo-unwritable",
        ) from error
