"""``spack compilers``: the compilers that can be used."""

from __future__ import annotations

import argparse

from spack.cli.render import message
from spack.session import Session
from spack.spec.languages import LANGUAGE_NAMES

DESCRIPTION = """list the compilers that packages can be built with

They are configured as externals in packages.yaml, or detected.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("verb", nargs="?", choices=("list", "find"), help=argparse.SUPPRESS)


def run(session: Session, args: argparse.Namespace) -> int:
    names = sorted(
        {name for virtual in LANGUAGE_NAMES for name in session.recipes.providers(virtual)}
    )
    count = 0
    for name in names:
        settings = session.packages.get(name)
        for entry in settings.externals if settings is not None else ():
            count += 1
            print(entry.spec)
            for language, path in entry.extra_attributes.get("compilers", {}).items():
                print(f"    {language:<8} {path}")
    if not count:
        message("no compilers were found; install one, or see `spack external find --help`")
        return 1
    return 0
