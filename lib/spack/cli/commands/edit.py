"""``spack edit``: open recipes, and files of this spack, in the user's editor."""

from __future__ import annotations

import argparse
from pathlib import Path

from spack.cli.editor import edit
from spack.cli.repository_option import add_repository_options, named_repository
from spack.errors import UsageError
from spack.recipe.package_names import directory_name
from spack.repo import Repository
from spack.session import Session

DESCRIPTION = """open the recipe of a package in your editor (VISUAL, EDITOR)

Without a name, the directory of recipes is opened.

examples:
  spack edit py-black
  spack edit --command find              a file of this spack
  spack edit --repo ~/my-recipes py-mine
"""

#: Option -> directory below this installation, and the files that a name may mean there.
_AREAS = {
    "build_system": ("lib/spack/build_systems", ("{}.py",)),
    "command": ("lib/spack/cli/commands", ("{}.py",)),
    "docs": ("docs", ("{}", "{}.md")),
    "module": ("lib/spack", ("{}", "{}.py")),
    "test": ("tests", ("{}", "{}.py", "unit/{}.py", "integration/test_{}.py")),
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    area = parser.add_mutually_exclusive_group()
    for words, text in (
        (("-b", "--build-system"), "a build system"),
        (("-c", "--command"), "a command"),
        (("-d", "--docs"), "a page of the documentation"),
        (("-t", "--test"), "a test"),
        (("-m", "--module"), "a module"),
    ):
        area.add_argument(*words, action="store_true", help=f"edit {text} of this spack")
    add_repository_options(parser)
    parser.add_argument("package", nargs="*", help="names")


def run(session: Session, args: argparse.Namespace) -> int:
    area = next((name for name in _AREAS if getattr(args, name)), None)
    if area is not None:
        directory, patterns = _AREAS[area]
        paths = [_file(session.locations.root / directory, patterns, x) for x in args.package]
        return edit(paths or [session.locations.root / directory], session.environ)
    repository = named_repository(session, args)
    paths = [_recipe(session, repository, name) for name in args.package]
    if not paths:
        paths = [(repository or session.recipes.repositories[0]).packages]
    return edit(paths, session.environ)


def _file(directory: Path, patterns: tuple[str, ...], name: str) -> Path:
    tries = [directory / pattern.format(x) for pattern in patterns for x in (name, _module(name))]
    for path in tries:
        if path.is_file():
            return path
    raise UsageError(
        f"there is no {name} in {directory}",
        hint=f"`ls {directory}` shows what there is",
        ref="edit-unknown",
    )


def _module(name: str) -> str:
    return name.replace("-", "_").replace(".", "/") if not name.endswith(".py") else name


def _recipe(session: Session, repository: Repository | None, name: str) -> Path:
    if repository is None:
        # A recipe that cannot be loaded can be edited too.
        return session.recipes.repository_of(name).recipe_file(name)
    path = repository.recipe_file(name)
    if not path.is_file():
        raise UsageError(
            f"the repository {repository.namespace} has no {directory_name(name)}/package.py",
            hint=f"its recipes are in {repository.packages}",
            ref="recipe-unknown",
        )
    return path
