"""``spack list``: what could be installed."""

from __future__ import annotations

import argparse
import fnmatch
import shutil
import sys
from typing import Any

from spack.actions.recipe_queries import dependency_names, maintained, recipes_of, tags_of
from spack.cli.output import to_json
from spack.cli.render import columns, message
from spack.session import Session
from spack.spec import Version

DESCRIPTION = """list the packages of all repositories, or those whose name matches

A pattern without * or ? matches anywhere in the name.

examples:
  spack list
  spack list py-hatch
  spack list 'py-*' -d yaml         also looks into descriptions
  spack list --tag build-tools
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("filter", metavar="PATTERN", nargs="*", help="names, or patterns: * and ?")
    parser.add_argument("-d", "--search-description", action="store_true", help="and descriptions")
    parser.add_argument(
        "-r",
        "-N",
        "--repo",
        "--namespace",
        metavar="NAMESPACE",
        action="append",
        default=[],
        help="only of this repository",
    )
    parser.add_argument("-t", "--tag", action="append", default=[], help="only with this tag")
    parser.add_argument("-v", "--virtuals", action="store_true", help="virtual packages too")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--count", action="store_true", help="print only how many there are")
    form.add_argument(
        "--format", choices=("name_only", "version_json"), help="names, or JSON with versions"
    )


def run(session: Session, args: argparse.Namespace) -> int:
    patterns = [
        pattern if set(pattern) & set("*?[") else f"*{pattern}*"
        for pattern in map(str.lower, args.filter)
    ]

    def wanted(name: str) -> bool:
        texts = [name]
        if args.search_description:
            recipe = session.recipes.get(name)
            texts.append(recipe.description.lower() if recipe else "")
        return any(fnmatch.fnmatch(text, pattern) for text in texts for pattern in patterns)

    every = set(session.recipes.names())
    every = {x for x in every if not session.recipes.is_virtual(x)} if not args.virtuals else every
    every |= set(session.recipes.virtual_names()) if args.virtuals else set()
    if args.repo or args.tag:
        every &= _chosen(session, args.repo, args.tag)
    names = [name for name in sorted(every) if not patterns or wanted(name)]
    if args.count:
        print(len(names))
    elif args.format == "version_json":
        print(to_json([_versions(session, name) for name in names]))
    elif sys.stdout.isatty() and args.format is None:
        print(columns(names, shutil.get_terminal_size().columns))
        message(f"{len(names)} packages")
    elif names:
        print("\n".join(names))
    return 0 if names or not patterns else 1


def _chosen(session: Session, namespaces: list[str], tags: list[str]) -> set[str]:
    """Return the names of packages in one of the repositories and with one of the tags."""
    return {
        recipe.name
        for recipe in recipes_of(session.recipes)
        if (not namespaces or recipe.namespace in namespaces)
        and (not tags or set(tags) & set(tags_of(recipe)))
    }


def _versions(session: Session, name: str) -> dict[str, Any]:
    recipe = session.recipes.get(name)
    if recipe is None:
        return {"name": name, "latest_version": None, "versions": []}
    known = sorted((Version(x.version) for x in recipe.versions), reverse=True)
    return {
        "name": name,
        "latest_version": str(known[0]) if known else None,
        "versions": [str(version) for version in known],
        "homepage": recipe.attributes.get("homepage"),
        "file": recipe.path,
        "maintainers": maintained(session.recipes, [name]).get(name, []),
        "dependencies": sorted(dependency_names(recipe)),
    }
