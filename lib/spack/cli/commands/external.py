"""``spack external``: software that the machine has."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from spack.actions.external_detection import detect_by_recipes, detectable_recipes
from spack.actions.recipe_queries import recipes_of, tags_of
from spack.cli.event_text import without_headers
from spack.cli.render import message, warning
from spack.config.externals import merge_externals
from spack.config.scopes import user_config_path
from spack.errors import UsageError
from spack.host.detection import DETECTABLE, Detected, detect
from spack.session import Session
from spack.util import yaml

DESCRIPTION = """detect software of this machine and write it into packages.yaml

Without any configuration, Python, compilers and build tools are detected when a spec needs them;
`find` makes that permanent and open to your changes. Entries that are there stay. Further packages
are recognised by their recipes (`executables`, `libraries`), whose code is run for that.

examples:
  spack external find                      Python, compilers and tools
  spack external find --all                everything that recipes can recognise
  spack external find openmpi hdf5
  spack external find python gcc
  spack external find --path /opt/tools/bin cmake
  spack external list                      what can be detected
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    verbs = parser.add_subparsers(dest="verb", metavar="find|list")
    find = verbs.add_parser("find", help="detect and write packages.yaml")
    find.add_argument("--not-buildable", action="store_true", help="never build these packages")
    find.add_argument(
        "-p", "--path", action="append", default=[], metavar="DIR", help="search only here"
    )
    find.add_argument("--scope", metavar="FILE", help="the packages.yaml to write")
    find.add_argument("-n", "--dry-run", action="store_true", help="only show what is found")
    find.add_argument("--all", action="store_true", help="all that recipes can recognise")
    find.add_argument(
        "--exclude", metavar="PACKAGE", action="append", default=[], help="leave this out"
    )
    find.add_argument(
        "-t", "--tag", metavar="TAG", action="append", default=[], help="only with this tag"
    )
    find.add_argument(
        "-j", "--jobs", type=int, metavar="N", help="accepted: programs are asked one by one"
    )
    find.add_argument("package", nargs="*", help="only these packages")
    verbs.add_parser("list", aliases=["ls"], help="list what can be detected")


def run(session: Session, args: argparse.Namespace) -> int | None:
    if args.verb in ("list", "ls"):
        print("\n".join(_known(session)))
        return None
    if args.verb != "find":
        raise UsageError("spack external: find or list?", hint="see `spack external --help`")
    found = _found(session, args)
    if not found:
        warning("nothing was found", session.options.color)
        return 1
    if args.dry_run:
        _show(found)
        return None
    folder = Path(user_config_path(session.environ, session.home))
    location = session.cwd / args.scope if args.scope else folder / "packages.yaml"
    location.parent.mkdir(parents=True, exist_ok=True)
    document = yaml.round_trip(location)
    added = merge_externals(document, found, False if args.not_buildable else None)
    if added:
        document.save()
        message(f"added to {location}:")
        _show(added)
    else:
        message(f"{location} has everything that was found")
    return None


def _known(session: Session) -> list[str]:
    """Return the names of packages that can be detected: by the table, or by their recipes."""
    table = {name for name in DETECTABLE if session.recipes.exists(name)}
    return sorted(table | set(detectable_recipes(recipes_of(session.recipes))))


def _found(session: Session, args: argparse.Namespace) -> list[Detected]:
    """Return what is found of the packages that the arguments name.

    :raises UsageError: one of them cannot be detected.
    """
    known = _known(session)
    unknown = [name for name in args.package if name not in known]
    if unknown:
        raise UsageError(
            f"cannot detect {', '.join(unknown)}",
            hint="`spack external list` shows known packages; write more into packages.yaml",
            ref="not-detectable",
        )
    # Without names, libraries and applications are left to be built.
    every = known if args.all or args.tag else [name for name in DETECTABLE if name in known]
    names = args.package or every
    if args.tag:
        tagged = {
            x.name for x in recipes_of(session.recipes, names) if set(tags_of(x)) & set(args.tag)
        }
        names = [name for name in names if name in tagged]
    names = [name for name in names if name not in args.exclude]
    # Directories, or prefixes with such directories.
    given = [x for path in args.path for x in (path, os.path.join(path, "bin")) if os.path.isdir(x)]
    paths = given if args.path else session.search_path
    table = [name for name in names if name in DETECTABLE]
    found = detect(
        table,
        paths,
        session.run_program,
        str(session.cache / "host"),
        unusable=lambda x: warning(without_headers(x.executable), session.options.color),
    )
    by_recipes = [name for name in names if name not in DETECTABLE]
    if by_recipes:
        asked = detect_by_recipes(session.recipes, by_recipes, paths, session.environ)
        found += asked.found
        for name, reason in asked.failed:
            warning(f"the recipe of {name} cannot look for it: {reason}", session.options.color)
    return found


def _show(found: list[Detected]) -> None:
    for item in found:
        print(f"    {item.spec_text}  {item.executable or item.prefix}")
