"""``spack create``: write a new recipe."""

from __future__ import annotations

import argparse

from spack.actions.creating import CreatedRecipe, CreateOptions, Packages, RecipeMaker
from spack.actions.python_releases import Fetchers
from spack.cli.render import message, warning
from spack.cli.repository_option import add_repository_options, chosen_repository
from spack.errors import SpackError, UsageError
from spack.session import Session
from spack.util.text import count_of

DESCRIPTION = """write a new recipe

With --pypi from a project on the package index: its versions with checksums, what they need of
their build and of their users, extras as variants. What the metadata do not say is a comment.

examples:
  spack create --pypi httpx                     packages/py_httpx/package.py
  spack create --pypi httpx --recursive         and recipes for what no repository has
  spack create --pypi httpx --repo ~/my-recipes
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--pypi", metavar="PROJECT", help="from this project on the package index")
    parser.add_argument("-n", "--name", help="of the package (py-PROJECT)")
    add_repository_options(parser)
    parser.add_argument("-f", "--force", action="store_true", help="replace a recipe")
    parser.add_argument(
        "--versions", type=int, default=5, metavar="N", help="the newest N versions (5)"
    )
    parser.add_argument(
        "--extras", metavar="NAMES", help="extras that become variants, with commas between them"
    )
    parser.add_argument(
        "--recursive", action="store_true", help="also recipes of what no repository has"
    )


def run(session: Session, args: argparse.Namespace) -> int | None:
    if not args.pypi:
        raise UsageError("spack create: --pypi is required", hint="see `spack create --help`")
    return _from_index(session, args)


def _from_index(session: Session, args: argparse.Namespace) -> int | None:
    extras = None if args.extras is None else tuple(filter(None, args.extras.split(",")))
    maker = RecipeMaker(
        chosen_repository(session, args),
        Packages(session.recipes),
        Fetchers(session.fetcher(), session.fetcher(checksum=False)),
        CreateOptions(args.versions, extras, args.recursive, args.force),
    )
    failed: list[str] = []

    def report(project: str, error: SpackError) -> None:
        failed.append(project)
        warning(f"cannot make a recipe of {project}: {error.message}")

    for created in maker.all_of(args.pypi, args.name, report):
        _report(created, args.recursive)
    return 1 if failed else None


def _report(created: CreatedRecipe, recursive: bool) -> None:
    draft = created.draft
    message(f"created {created.path} with {count_of(len(draft.releases), 'version')}")
    if created.missing and not recursive:
        warning(
            f"no repository has {', '.join(created.missing)}: "
            "`spack create --pypi NAME`, or --recursive, makes recipes of them"
        )
    if created.for_extras and not recursive:
        warning(f"no repository has what only variants need: {', '.join(created.for_extras)}")
    if created.too_old:
        warning(f"no recipe has a version in these ranges: {', '.join(created.too_old)}")
