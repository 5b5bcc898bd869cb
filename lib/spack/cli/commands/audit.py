"""``spack audit``: recipes compared with what their sources say."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Callable

from spack.actions.library_copies import installed_copies, library_copies
from spack.actions.metadata import audit, cached_archive
from spack.actions.querying import Selection, select
from spack.actions.recipe_queries import recipes_of
from spack.actions.url_statistics import insecure_addresses
from spack.actions.verifying import check_externals
from spack.cli.render import message
from spack.errors import SpackError, UsageError
from spack.host.detection import DETECTABLE
from spack.session import Session
from spack.spec import RUN_TIME, parse_many, traverse_all
from spack.util.text import count_of

DESCRIPTION = """compare recipes of Python packages with the metadata of their source archives

What an archive requires of its build ([build-system] requires) and its users (Requires-Dist,
Requires-Python) is compared with the recipe's depends_on, for each Python that both admit. Only
versions whose archive is in the source cache are examined; `spack fetch` downloads them.

Exit code 1 if anything is missing, superfluous, or bounded wrongly.

examples:
  spack audit packages                 all recipes of the registered repositories
  spack audit packages py-black        one
  spack audit configs                  configuration, and whether externals are there
  spack audit libraries                several OpenMP runtimes or BLAS, of wheels in one process
  spack audit packages --narrow        also where a recipe excludes versions without need
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    verbs = parser.add_subparsers(
        dest="verb", metavar="packages|packages-https|configs|externals|libraries|list"
    )
    packages = verbs.add_parser("packages", help="compare recipes with their sources")
    packages.add_argument("--narrow", action="store_true", help="also bounds that are too narrow")
    packages.add_argument("name", nargs="*", help="only these packages")
    verbs.add_parser("configs", help="read all configuration, and report what is wrong")
    externals = verbs.add_parser("externals", help="look whether configured externals are there")
    externals.add_argument("--list", action="store_true", help="list what can be detected")
    externals.add_argument("name", nargs="*", help="only of these packages")
    libraries = verbs.add_parser(
        "libraries", help="look for copies of one library that wheels add to one process"
    )
    libraries.add_argument(
        "spec", nargs="*", help="only what these installed packages load; in an environment all"
    )
    https = verbs.add_parser("packages-https", help="look for addresses that are not encrypted")
    https.add_argument("--all", action="store_true", help="of all packages (the default)")
    https.add_argument("name", nargs="*", help="only of these packages")
    verbs.add_parser("list", help="list the audits")


def run(session: Session, args: argparse.Namespace) -> int | None:
    if args.verb is None:
        raise UsageError("spack audit: a subcommand is required", hint="see `spack audit --help`")
    return _VERBS[args.verb](session, args)


def _list(session: Session, args: argparse.Namespace) -> int | None:
    print("\n".join(name for name in _VERBS if name != "list"))
    return None


def _configs(session: Session, args: argparse.Namespace) -> int | None:
    sections = sorted(session.settings.sections)
    message(f"{count_of(len(sections), 'section')} read: {', '.join(sections)}")
    return _externals(session, argparse.Namespace(list=False, name=[]))


def _externals(session: Session, args: argparse.Namespace) -> int | None:
    if args.list:
        print("\n".join(DETECTABLE))
        return None
    rows = [
        (name, settings)
        for name, settings in session.settings.packages.items()
        if not args.name or name in args.name
    ]
    found = check_externals(rows, session.recipes)
    for finding in found:
        print(f"{finding.subject}: {finding.text}")
    message(f"{count_of(len(found), 'finding')} on externals")
    return 1 if found else None


def _packages(session: Session, args: argparse.Namespace) -> int | None:
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


def _libraries(session: Session, args: argparse.Namespace) -> int | None:
    store, environment = session.store, session.environment
    found: list[str]
    if environment is not None and not args.spec:
        nodes = traverse_all(environment.roots(), RUN_TIME)
        found = list(library_copies(nodes, lambda node: Path(store.prefix(node))))
    else:
        specs = parse_many(args.spec)
        records = select(store, None, Selection(specs, explicit=None if specs else True))
        roots = store.database.specs([record.hash for record in records]).values()
        found = list(installed_copies(roots, lambda node: Path(store.prefix(node))))
    for line in found:
        print(line)
    message(f"{count_of(len(found), 'finding')} on libraries")
    return 1 if found else None


def _https(session: Session, args: argparse.Namespace) -> int | None:
    names = None if args.all or not args.name else args.name
    for name in names or ():
        session.need_recipe(name)
    rows = [(x.name, insecure_addresses(x)) for x in recipes_of(session.recipes, names)]
    found = [(name, url) for name, urls in rows for url in urls]
    for name, url in found:
        print(f"{name}: {url}")
    message(f"{count_of(len(found), 'URL')} not encrypted")
    return 1 if found else None


_VERBS: dict[str, Callable[[Session, argparse.Namespace], int | None]] = {
    "packages": _packages,
    "packages-https": _https,
    "configs": _configs,
    "externals": _externals,
    "libraries": _libraries,
    "list": _list,
}
