"""``spack fetch``: fetch sources into the cache."""

from __future__ import annotations

import argparse

from spack.actions.staging import StagedSources
from spack.cli.commands.spec import add_concretizer_arguments, concretize_arguments
from spack.install.events import Fetched
from spack.install.plan import PlanOptions, make_plan
from spack.session import Session
from spack.util.report import Failed

REPORTS = True
DESCRIPTION = """fetch the sources of packages into the source cache, verified; nothing is built

examples:
  spack fetch --dependencies py-black     everything that an install would fetch
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("-D", "--dependencies", action="store_true", help="and what they need")
    parser.add_argument("-m", "--missing", action="store_true", help="only what is not installed")
    parser.add_argument("-n", "--no-checksum", action="store_true", help="without known checksums")
    add_concretizer_arguments(parser)
    parser.add_argument("spec", nargs="*", help="specs; the environment's without any")


def run(session: Session, args: argparse.Namespace) -> None:
    roots = concretize_arguments(session, args)
    build_options = session.build_options(checksum=not args.no_checksum)
    everything = args.dependencies or not args.spec
    there = session.store.database.installed_hashes() if args.missing else frozenset()
    plan = make_plan(roots, there, PlanOptions())
    sources = StagedSources(build_options, plan.steps)
    asked = {root.dag_hash() for root in roots}
    for step in plan.builds:
        if everything or step.hash in asked:
            task = session.reporter.task(step.hash, step.spec.short)
            try:
                sources.fetch(step.spec, task)
            except BaseException as error:
                task.fail(Failed(error))
                raise
            task.finish(Fetched())
