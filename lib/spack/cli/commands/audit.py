"""``spack audit``: recipes compared with what their sources say."""

from __future__ import annotations

import argparse

from spack.actions.metadata import audit, cached_archive
from spack.cli.render import message
from spack.errors import SpackError, UsageError
from spack.session import Session

DESCRIPTION = """compare recipes of Python packages with the metadata of their source archives

What an archive requires of its build ([build-system] requires) and its users (Requires-Dist,
Requires-Python) is compared with the recipe's depends_on, for each Python that both admit. Only
versions whose archive is in the source cache are examined; `spack fetch` downloads them.

Exit code 1 if anything is missing, superfluous, or bounded wrongly.

examples:
  spack audit packages                 all recipes of the registered repositories
  spack audit packages py-black        one
  spack audit packages --narrow        also where a recipe excludes versions without need
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("subject", choices=("packages",), help="what to look at")
    parser.add_argument("--narrow", action="store_true", help="also bounds that are too narrow")
    parser.add_argument("name", nargs="*", help="only these packages")


def run(session: Session, args: argparse.Namespace) -> int:
    recipes = session.recipes
    for name in args.name:
        if not recipes.exists(name):
            suggestions = ", ".join(recipes.suggestions(name))
            raise UsageError(
                f"there is no recipe for {name}",
                hint=f"did you mean {suggestions}?" if suggestions else None,
            )
    cache = session.fetcher().cache
    looked_at, findings = 0, 0
    for name in args.name or recipes.names():
        recipe = recipes.get(name)
        if recipe is None or not recipe.attributes.get("pypi"):
            continue
        try:
            archives = {
                row.version: cached_archive(cache, recipe, row.version) for row in recipe.versions
            }
            for version, found in audit(recipe, recipes.get, archives.get):
                looked_at += 1
                for finding in found:
                    if finding.kind != "narrow" or args.narrow:
                        findings += 1
                        print(f"{name}@{version}: {finding.kind}: {finding}")
        except SpackError as error:
            findings += 1
            print(f"{name}: {error}")
    message(f"{looked_at} archives looked at, {findings} findings", color=session.options.color)
    return 1 if findings else 0
