"""``spack list``: what could be installed."""

from __future__ import annotations

import argparse
import fnmatch
import shutil
import sys

from spack.cli.render import columns, message
from spack.session import Session

DESCRIPTION = """list the packages of all repositories, or those whose name matches

A pattern without * or ? matches anywhere in the name.

examples:
  spack list
  spack list py-hatch
  spack list 'py-*' -d yaml         also looks into descriptions
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("pattern", nargs="*", help="names, or patterns with * and ?")
    parser.add_argument("-d", "--search-description", action="store_true", help="and descriptions")
    parser.add_argument("--count", action="store_true", help="print only how many there are")


def run(session: Session, args: argparse.Namespace) -> int:
    patterns = [
        pattern if set(pattern) & set("*?[") else f"*{pattern}*"
        for pattern in map(str.lower, args.pattern)
    ]

    def wanted(name: str) -> bool:
        texts = [name]
        if args.search_description:
            recipe = session.recipes.get(name)
            texts.append(recipe.description.lower() if recipe else "")
        return any(fnmatch.fnmatch(text, pattern) for text in texts for pattern in patterns)

    names = [name for name in session.recipes.names() if not patterns or wanted(name)]
    if args.count:
        print(len(names))
    elif sys.stdout.isatty():
        print(columns(names, shutil.get_terminal_size().columns))
        message(f"{len(names)} packages")
    elif names:
        print("\n".join(names))
    return 0 if names or not patterns else 1
