"""``spack debug``: what a bug report needs."""

from __future__ import annotations

import argparse
import platform

from spack import __version__
from spack.errors import UsageError
from spack.session import Session

DESCRIPTION = """print what a bug report needs

examples:
  spack debug report
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    verbs = parser.add_subparsers(dest="verb", metavar="report")
    verbs.add_parser("report", help="print versions, for the top of a bug report")


def run(session: Session, args: argparse.Namespace) -> None:
    if args.verb is None:
        raise UsageError("spack debug: a subcommand is required", hint="spack debug report")
    host = session.host
    rows = [
        ("Spack", f"spack-venv {__version__}"),
        ("Python", f"{platform.python_implementation()} {platform.python_version()}"),
        ("Platform", f"{host.platform}-{host.os}-{host.target}"),
        ("Kernel", platform.release()),
        *(
            ("Repository", f"{x.namespace} v{x.api[0]}.{x.api[1]} {x.root}")
            for x in session.recipes.repositories
        ),
        ("Install tree", str(session.store.root)),
    ]
    for label, text in rows:
        print(f"* **{label}:** {text}")
