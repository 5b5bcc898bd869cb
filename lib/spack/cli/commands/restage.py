"""``spack restage``: unpack the sources of a package again."""

from __future__ import annotations

import argparse

from spack.actions.concretizing import ConcretizeOptions
from spack.actions.stages import need_stage
from spack.actions.staging import report_staging
from spack.cli.render import message
from spack.session import Session
from spack.spec.parser import parse_many

REPORTS = True
DESCRIPTION = """unpack the sources of staged packages again; what was changed there is lost

examples:
  spack restage py-black@25.1.0
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("spec", nargs="+", help="specs that are staged")


def run(session: Session, args: argparse.Namespace) -> None:
    build_options = session.build_options()
    roots = session.concretize(parse_many(args.spec), ConcretizeOptions()).roots
    for root in roots:
        need_stage(build_options, root)
    for root in roots:
        stage = report_staging(build_options, root, session.reporter)
        message(f"{root.short} is in {stage.source_path}")
