"""``spack patch``: unpack and patch the sources of a package."""

from __future__ import annotations

import argparse

from spack.actions.stages import patched
from spack.cli.commands.spec import add_concretizer_arguments, concretize_arguments
from spack.cli.render import message
from spack.install.events import Staged
from spack.session import Session
from spack.util.report import Failed

REPORTS = True
DESCRIPTION = """fetch and unpack the sources of packages, and apply the patches of their recipes

What a recipe's own `patch()` does is done by builds only.

examples:
  spack patch py-black@25.1.0
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("-n", "--no-checksum", action="store_true", help="without known checksums")
    add_concretizer_arguments(parser)
    parser.add_argument("spec", nargs="*", help="specs; the environment's without any")


def run(session: Session, args: argparse.Namespace) -> None:
    roots = concretize_arguments(session, args)
    build_options = session.build_options(checksum=not args.no_checksum)
    for root in roots:
        task = session.reporter.task(root.dag_hash(), root.short)
        try:
            stage = patched(build_options, root, task)
        except BaseException as error:
            task.fail(Failed(error))
            raise
        task.finish(Staged(stage.path))
        count = len(stage.patches)
        noun = "patch" if count == 1 else "patches"
        message(f"{root.short}: {count} {noun} applied in {stage.source_path}")
