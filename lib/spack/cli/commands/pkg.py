"""``spack pkg``: recipes and their history."""

from __future__ import annotations

import argparse
from typing import Callable

from spack.actions.concretizing import ConcretizeOptions
from spack.actions.recipe_history import RecipeHistory
from spack.cli.record_text import print_names
from spack.errors import UsageError
from spack.repo import Repository
from spack.session import Session
from spack.spec.parser import parse_many

DESCRIPTION = """show which recipes came, changed and left between revisions of git; print recipes

The repository is the first one, or that of --namespace.

examples:
  spack pkg list HEAD
  spack pkg added v1.0 HEAD
  spack pkg source py-black
  spack pkg grep -l PEP517
"""

_REVISIONS = (
    ("diff", "compare packages of two revisions"),
    ("added", "list packages that came"),
    ("changed", "list packages that changed"),
    ("removed", "list packages that left"),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("-N", "--namespace", help="of this repository")
    verbs = parser.add_subparsers(dest="verb", metavar="VERB")
    add = verbs.add_parser("add", help="add recipes to git's index")
    add.add_argument("packages", nargs="+", help="names")
    listed = verbs.add_parser("list", help="list the packages of a revision")
    listed.add_argument("rev", nargs="?", default="HEAD", help="a revision (HEAD)")
    for verb, text in _REVISIONS:
        sub = verbs.add_parser(verb, help=text)
        sub.add_argument("rev1", nargs="?", default="HEAD^", help="the older revision (HEAD^)")
        sub.add_argument("rev2", nargs="?", default="HEAD", help="the newer one (HEAD)")
        if verb == "changed":
            sub.add_argument(
                "-t", "--type", default="C", help="of A (added), R (removed), C (changed)"
            )
    # Every option is one of grep.
    grep = verbs.add_parser("grep", prefix_chars="\0", add_help=False, help="search with grep")
    grep.add_argument("grep_args", nargs=argparse.REMAINDER, help="arguments of grep")
    source = verbs.add_parser("source", help="print a recipe")
    source.add_argument("spec", nargs="+", help="a package")
    digest = verbs.add_parser("hash", help="print the hash of a recipe's content")
    digest.add_argument("spec", nargs="+", help="a package")


def run(session: Session, args: argparse.Namespace) -> int | None:
    if args.verb is None:
        raise UsageError("spack pkg: a subcommand is required", hint="see `spack pkg --help`")
    return _VERBS[args.verb](session, args)


def _repository(session: Session, namespace: str | None) -> Repository:
    repositories = session.recipes.repositories
    found = [x for x in repositories if namespace in (None, x.namespace)]
    if not found:
        raise UsageError(
            f"there is no repository {namespace}",
            hint="there are " + ", ".join(x.namespace for x in repositories),
            ref="repo-unknown",
        )
    return found[0]


def _history(session: Session, args: argparse.Namespace) -> RecipeHistory:
    return RecipeHistory(_repository(session, args.namespace), session.environ)


def _add(session: Session, args: argparse.Namespace) -> int | None:
    history = _history(session, args)
    missing = [name for name in args.packages if not history.repository.exists(name)]
    if missing:
        raise UsageError(
            f"the repository {history.repository.namespace} has no {', '.join(missing)}",
            hint=f"its recipes are in {history.repository.packages}",
            ref="recipe-unknown",
        )
    history.stage(args.packages)
    return None


def _list(session: Session, args: argparse.Namespace) -> int | None:
    print_names(session, _history(session, args).names(args.rev))
    return None


def _changes(session: Session, args: argparse.Namespace) -> int | None:
    changes = _history(session, args).changes(args.rev1, args.rev2)
    if args.verb == "diff":
        for sign, names in (("-", changes.removed), ("+", changes.added)):
            if names:
                print(f"{args.rev1 if sign == '-' else args.rev2}:")
                print("".join(f"  {sign} {name}\n" for name in names), end="")
        return None
    kinds = {"added": "A", "removed": "R"}.get(args.verb) or args.type.upper()
    if set(kinds) - set("ARC"):
        raise UsageError("spack pkg changed: --type has letters of A, R, C", hint="--type AC")
    rows = {"A": changes.added, "R": changes.removed, "C": changes.changed}
    print_names(session, sorted(name for kind in set(kinds) for name in rows[kind]))
    return None


def _grep(session: Session, args: argparse.Namespace) -> int | None:
    import subprocess  # start-up: only here

    packages = _repository(session, args.namespace).packages
    files = sorted(packages.glob("*/package.py"))
    words = ["xargs", "-0", "grep", "-H", *args.grep_args]
    listed = "\0".join(map(str, files))
    done = subprocess.run(words, input=listed, text=True, env=dict(session.environ), check=False)
    return 0 if done.returncode == 0 else 1


def _source(session: Session, args: argparse.Namespace) -> int | None:
    for spec in parse_many(args.spec):
        with open(session.need_recipe(spec.name or "").path, encoding="utf-8") as stream:
            print(stream.read(), end="")
    return None


def _hash(session: Session, args: argparse.Namespace) -> int | None:
    for root in session.concretize(parse_many(args.spec), ConcretizeOptions()).roots:
        print(root.package_hash or "none")
    return None


_VERBS: dict[str, Callable[[Session, argparse.Namespace], int | None]] = {
    "add": _add,
    "list": _list,
    **dict.fromkeys((verb for verb, _ in _REVISIONS), _changes),
    "grep": _grep,
    "source": _source,
    "hash": _hash,
}
