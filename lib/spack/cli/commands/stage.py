"""``spack stage``: unpack the sources of a package."""

from __future__ import annotations

import argparse
import os
from dataclasses import replace
from pathlib import Path

from spack.actions.staging import report_staging
from spack.cli.commands.spec import add_concretizer_arguments, concretize_arguments
from spack.cli.render import message
from spack.errors import UsageError
from spack.session import Session

REPORTS = True
DESCRIPTION = """fetch and unpack the sources of a package, and say where they are

examples:
  spack stage py-black@25.1.0
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("-n", "--no-checksum", action="store_true", help="without known checksums")
    parser.add_argument("-p", "--path", metavar="DIR", help="unpack into this directory instead")
    parser.add_argument(
        "-s", "--skip-installed", action="store_true", help="leave out what is installed"
    )
    parser.add_argument(
        "-e", "--exclude", metavar="SPEC", action="append", default=[], help="leave this out"
    )
    add_concretizer_arguments(parser)
    parser.add_argument("spec", nargs="*", help="specs; the environment's without any")


def run(session: Session, args: argparse.Namespace) -> None:
    there = session.store.database.installed_hashes() if args.skip_installed else frozenset()
    roots = [
        root
        for root in concretize_arguments(session, args)
        if root.dag_hash() not in there and not any(root.satisfies(x) for x in args.exclude)
    ]
    build_options = session.build_options(checksum=not args.no_checksum)
    if args.path:
        path = Path(os.path.abspath(session.cwd / args.path))
        if len(roots) != 1 or (path.exists() and any(path.iterdir())):
            raise UsageError(
                "spack stage: --path takes one package, and an empty or new directory",
                hint="name one spec, and another directory",
                ref="stage-path",
            )
        build_options = replace(build_options, stage_root=path.parent, stage_name=path.name)
    for root in roots:
        stage = report_staging(build_options, root, session.reporter)
        message(f"{root.short} is in {stage.path}/spack-src")
