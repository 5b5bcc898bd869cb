"""``spack blame``: the authors of a recipe."""

from __future__ import annotations

import argparse
import os
import time
from pathlib import Path

from spack.actions.recipe_history import Author, authors_of
from spack.cli.output import add_output_options, print_output
from spack.cli.render import table
from spack.session import Session

DESCRIPTION = """show the authors of a recipe, or of another file in git, by their lines

examples:
  spack blame py-black
  spack blame --git py-black        line by line
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    order = parser.add_mutually_exclusive_group()
    order.add_argument("-t", "--time", action="store_true", help="the latest change first")
    order.add_argument(
        "-p", "--percent", action="store_true", help="the most lines first (default)"
    )
    order.add_argument("-g", "--git", action="store_true", help="what `git blame` prints")
    add_output_options(order)
    parser.add_argument("package_or_file", help="a package, or a path")


def run(session: Session, args: argparse.Namespace) -> int | None:
    path = session.cwd / args.package_or_file
    if not path.is_file():
        path = Path(session.need_recipe(args.package_or_file).path)
    if args.git:
        os.chdir(path.parent)
        os.execvpe("git", ["git", "blame", path.name], dict(session.environ))
    authors = authors_of(path, session.environ)
    if args.time:
        authors.sort(key=lambda author: -author.last)
    total = sum(author.lines for author in authors)
    if print_output(args, lambda: [author._asdict() for author in authors]):
        return None
    rows = [("LAST_COMMIT", "LINES", "%", "AUTHOR", "EMAIL")]
    rows += [_row(author, total) for author in authors]
    print(table([*rows, ("", str(total), "100.0", "", "")], indent=0))
    return None


def _row(author: Author, total: int) -> tuple[str, str, str, str, str]:
    day = time.strftime("%Y-%m-%d", time.gmtime(author.last))
    share = f"{100 * author.lines / total:.1f}"
    return (day, str(author.lines), share, author.name, author.email)
