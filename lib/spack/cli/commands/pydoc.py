"""``spack pydoc``: documentation of the Python modules of spack."""

from __future__ import annotations

import argparse
import pydoc

from spack.errors import UsageError
from spack.session import Session

DESCRIPTION = """show the documentation of a module, class or function of spack

examples:
  spack pydoc spack.package
  spack pydoc spack.spec.Spec
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("entity", help="a dotted name")


def run(session: Session, args: argparse.Namespace) -> None:
    name = args.entity if args.entity.startswith("spack") else f"spack.{args.entity}"
    try:
        text = pydoc.plain(pydoc.render_doc(name))
    except ImportError as error:
        raise UsageError(
            f"there is no documentation of {args.entity}",
            hint="name a module, such as spack.package",
            ref="pydoc",
        ) from error
    pydoc.pager(text)
