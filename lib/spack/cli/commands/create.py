"""``spack create``: write a new recipe."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from spack.actions.creating import (
    CreatedRecipe,
    CreateOptions,
    Packages,
    RecipeMaker,
    Wanted,
    refuse_existing,
    write_recipe,
)
from spack.actions.creating_from_url import UrlRecipe, recipe_from_url, recipe_without_url
from spack.actions.python_releases import Fetchers
from spack.actions.recipe_templates import TEMPLATES
from spack.cli.editor import edit
from spack.cli.render import message, warning
from spack.cli.repository_option import add_repository_options, chosen_repository
from spack.errors import SpackError, UsageError
from spack.host.platform import platform_name
from spack.session import Session
from spack.spec import Spec
from spack.util.project_names import normalized
from spack.util.text import count_of

DESCRIPTION = """write a new recipe

With --pypi from a project on the package index: its versions with checksums, what they need of
their build and of their users, extras as variants. What the metadata do not say is a comment.
With a URL the build system is guessed from the archive, and the recipe opened in your editor.

examples:
  spack create --pypi httpx                     packages/py_httpx/package.py
  spack create --pypi httpx --recursive         and recipes for what no repository has
  spack create --pypi httpx --repo ~/my-recipes
  spack create https://example.org/foo-1.2.tar.gz
  spack create --template bundle --name my-tools
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("url", nargs="?", help="of an archive")
    parser.add_argument("--pypi", metavar="PROJECT", help="from this project on the package index")
    parser.add_argument("-n", "--name", help="of the package (from the project, or the URL)")
    parser.add_argument(
        "-t",
        "--template",
        choices=sorted(TEMPLATES),
        metavar="NAME",
        help=f"the build system (guessed): {', '.join(sorted(TEMPLATES))}",
    )
    add_repository_options(parser)
    parser.add_argument("-f", "--force", action="store_true", help="replace a recipe")
    parser.add_argument("--skip-editor", action="store_true", help="do not open an editor")
    parser.add_argument("-b", "--batch", action="store_true", help="accepted: nothing is asked")
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
    if args.pypi and (args.url or args.template):
        raise UsageError(
            "--pypi and a URL or a template are one too many",
            hint="`spack create --pypi PROJECT` takes all from the index",
            ref="create-source",
        )
    return _from_index(session, args) if args.pypi else _from_template(session, args)


def _from_template(session: Session, args: argparse.Namespace) -> int | None:
    repository = chosen_repository(session, args)
    made = _made(session, args)
    refuse_existing(repository, made.name, args.force)
    path = write_recipe(repository, made.name, made.text)
    if args.url and made.template == "generic" and not args.template:
        warning("no file of the archive shows how it is built")
    elif args.url and not args.template:
        message(f"it looks like a package of the build system {made.template}")
    message(f"created {path} with {count_of(len(made.versions), 'version')}")
    if not args.skip_editor and sys.stdin.isatty():
        return edit([Path(path)], session.environ)
    return None


def _made(session: Session, args: argparse.Namespace) -> UrlRecipe:
    if not args.url or args.template == "bundle":
        return recipe_without_url(args.name or "example", args.template or "generic")
    return recipe_from_url(
        args.url,
        Fetchers(session.fetcher(), session.fetcher(checksum=False)),
        Packages(session.recipes),
        count=args.versions,
        name=args.name,
        template=args.template,
    )


def _from_index(session: Session, args: argparse.Namespace) -> int | None:
    extras = None if args.extras is None else tuple(filter(None, args.extras.split(",")))
    maker = RecipeMaker(
        chosen_repository(session, args),
        Packages(session.recipes),
        Fetchers(session.fetcher(), session.fetcher(checksum=False)),
        CreateOptions(
            args.versions,
            extras,
            args.recursive,
            args.force,
            platform_name(),
            pythons=known_pythons(session),
        ),
    )
    failed: list[str] = []

    def report(project: str, error: SpackError) -> None:
        failed.append(project)
        warning(f"cannot make a recipe of {project}: {error.message}")

    for created in maker.all_of([Wanted(normalized(args.pypi))], args.name, report):
        _report(created, args.recursive)
    return 1 if failed else None


def known_pythons(session: Session) -> tuple[str, ...]:
    """Return the versions of Python that packages can be built for on this machine."""
    settings = session.packages.get("python")
    entries = settings.externals if settings is not None else ()
    found = (Spec.parse(entry.spec).versions.concrete_range_as_version for entry in entries)
    return tuple(dict.fromkeys(str(version) for version in found if version is not None))


def _report(created: CreatedRecipe, recursive: bool) -> None:
    draft = created.draft
    message(f"created {created.path} with {count_of(len(draft.releases), 'version')}")
    if created.missing and not recursive:
        warning(
            f"no repository has {', '.join(created.missing)}: "
            "`spack create --pypi NAME`, or --recursive, makes recipes of them"
        )
    if created.conditional and not recursive:
        names = ", ".join(created.conditional)
        warning(f"no repository has what only variants and other platforms need: {names}")
    if created.too_old:
        warning(
            f"no recipe has a version in these ranges: {', '.join(created.too_old)}: "
            "`spack checksum -a NAME VERSION` adds one"
        )
