"""``spack external``: software that the machine has."""

from __future__ import annotations

import argparse
from pathlib import Path

from spack.actions.recipe_queries import recipes_of, tags_of
from spack.cli.render import message, warning
from spack.config.externals import merge_externals
from spack.config.scopes import user_config_path
from spack.errors import UsageError
from spack.host.detection import DETECTABLE, Detected, detect
from spack.session import Session
from spack.util import yaml

DESCRIPTION = """detect software of this machine and write it into packages.yaml

Without any configuration, Python, compilers and build tools are detected when a spec needs them;
`find` makes that permanent and open to your changes. Entries that are there stay.

examples:
  spack external find                      everything that can be detected
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
    find.add_argument("--all", action="store_true", help="all that can be detected (the default)")
    find.add_argument(
        "--exclude", metavar="PACKAGE", action="append", default=[], help="leave this out"
    )
    find.add_argument(
        "-t", "--tag", metavar="TAG", action="append", default=[], help="only with this tag"
    )
    find.add_argument("package", nargs="*", help="only these packages")
    verbs.add_parser("list", aliases=["ls"], help="list what can be detected")


def run(session: Session, args: argparse.Namespace) -> int | None:
    if args.verb in ("list", "ls"):
        print("\n".join(name for name in DETECTABLE if session.recipes.exists(name)))
        return None
    if args.verb != "find":
        raise UsageError("spack external: find or list?", hint="see `spack external --help`")
    unknown = [name for name in args.package if name not in DETECTABLE]
    if unknown:
        raise UsageError(
            f"cannot detect {', '.join(unknown)}",
            hint="`spack external list` shows known packages; write more into packages.yaml",
            ref="not-detectable",
        )
    names = args.package or [name for name in DETECTABLE if session.recipes.exists(name)]
    if args.tag:
        tagged = {
            x.name for x in recipes_of(session.recipes, names) if set(tags_of(x)) & set(args.tag)
        }
        names = [name for name in names if name in tagged]
    names = [name for name in names if name not in args.exclude]
    paths = args.path or session.search_path
    found = detect(names, paths, session.run_program, str(session.cache / "host"))
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


def _show(found: list[Detected]) -> None:
    for item in found:
        print(f"    {item.spec_text}  {item.executable or item.prefix}")
