"""``spack install``: build what is missing."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from contextlib import nullcontext

from spack.actions.developing import outdated
from spack.actions.environments import install_environment
from spack.actions.installing import InstallOptions, install
from spack.cli.commands.spec import add_concretizer_arguments, concretize_options
from spack.cli.event_text import plan_lines
from spack.cli.render import message
from spack.errors import UsageError
from spack.install.plan import Plan, PlanOptions
from spack.session import Session
from spack.spec import ConcreteSpec
from spack.spec.parser import parse_many

REPORTS = True
DESCRIPTION = """build and install packages with all they need, or the active environment

Without specs and with an active environment, the environment is concretized if it has changed,
what is missing is built, and its views are made. With specs and an active environment, they are
added to it first. With --dry-run nothing is written, and specs are looked at by themselves.

examples:
  spack install py-black
  spack install -p 4 -j 8 py-black     four builds at once, eight processes in all
  spack -e DIR install                 the environment in DIR
  spack install --dry-run py-black     only what would be done
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("-j", "--jobs", type=_count, metavar="N", help="processes of all builds")
    parser.add_argument(
        "-p", "--concurrent-packages", type=_count, metavar="N", help="builds at one time"
    )
    parser.add_argument(
        "--only",
        choices=("package", "dependencies"),
        help="only the packages themselves, or only what they need",
    )
    parser.add_argument("--fail-fast", action="store_true", help="stop at the first failure")
    parser.add_argument("--keep-stage", action="store_true", help="keep stages of good builds")
    parser.add_argument(
        "-n", "--no-checksum", action="store_true", help="take sources without a known checksum"
    )
    parser.add_argument("--overwrite", action="store_true", help="build them again")
    parser.add_argument("--dirty", action="store_true", help="let your environment into builds")
    parser.add_argument(
        "--strict-metadata",
        action="store_true",
        help="fail if a recipe and the metadata of its sources differ",
    )
    parser.add_argument("--no-add", action="store_true", help="leave the environment's specs alone")
    parser.add_argument("--dry-run", action="store_true", help="show what would be done")
    parser.add_argument("-y", "--yes-to-all", action="store_true", help="do not ask")
    add_concretizer_arguments(parser)
    parser.add_argument("spec", nargs="*", help="what to install")


def run(session: Session, args: argparse.Namespace) -> None:
    config = session.settings.config
    work = InstallOptions(
        store=session.store,
        build_options=lambda: session.build_options(
            checksum=not args.no_checksum,
            dirty=args.dirty,
            strict_metadata=args.strict_metadata,
        ),
        reporter=session.reporter,
        jobs=args.jobs or config.build_jobs,
        concurrent=args.concurrent_packages or config.concurrent_packages,
        fail_fast=args.fail_fast,
        keep_stage=args.keep_stage,
    )
    environment = session.environment
    if environment is not None and not (args.spec and (args.no_add or args.dry_run)):
        given = parse_many(args.spec) if args.spec else []
        with nullcontext() if args.dry_run else environment.lock():
            if given:
                environment.add(args.spec)
            install_environment(
                session.environment_work(environment),
                work,
                concretize_options(args, environment),
                only=args.only or "all",
                again=lambda root: (
                    bool(args.overwrite)
                    and (not given or any(root.satisfies(spec) for spec in given))
                ),
                dry_run=args.dry_run,
            )
        return
    if not args.spec:
        raise UsageError(
            "there is nothing to install: no package is named, and no environment is active",
            hint="spack install PACKAGE, or spack -e NAME-OR-DIR install",
            ref="nothing-to-install",
        )
    asked = concretize_options(args)
    roots = session.concretize(parse_many(args.spec), asked).roots
    again = frozenset(root.dag_hash() for root in roots) if args.overwrite else frozenset()
    options = PlanOptions(
        only=args.only or "all",
        overwrite=again
        | outdated(roots, session.store, session.excluded_directories, session.reporter),
        tests=asked.tested,
    )
    plan = install(roots, options, work, dry_run=args.dry_run)
    _report_findings(session, roots, plan, args.dry_run)


def _report_findings(
    session: Session, roots: Sequence[ConcreteSpec], plan: Plan, dry: bool
) -> None:
    if dry:
        print("\n".join(plan_lines(plan)))
        return
    sys.stdout.flush()
    for root in roots:
        record = session.store.database.record(root.dag_hash())
        if record is not None:
            message(f"{record.short} is in {record.prefix}", color=session.options.color)


def _count(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("give a number of 1 or more")
    return number
