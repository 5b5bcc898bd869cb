"""``spack reindex``: rebuild the database from the prefixes."""

from __future__ import annotations

import argparse

from spack.cli.render import message, warning
from spack.install.rebuild_database import reindex
from spack.session import Session
from spack.util.text import count_of

DESCRIPTION = """rebuild the database from what each prefix says of itself

Safe at any time; needed when the database was lost or is damaged.

examples:
  spack reindex
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add no arguments."""


def run(session: Session, args: argparse.Namespace) -> None:
    result = reindex(session.store)
    for prefix, reason in result.problems:
        warning(f"{prefix} is left out: {reason}", session.options.color)
    if result.damaged is not None:
        warning(f"the damaged database is kept as {result.damaged}", session.options.color)
    message(f"{count_of(len(result.records), 'package')} in the database")
