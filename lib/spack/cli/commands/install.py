"""``spack install``: build what is missing."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from contextlib import nullcontext
from typing import TYPE_CHECKING

from spack.actions.developing import outdated
from spack.actions.environments import install_environment
from spack.actions.installing import InstallOptions, install, stopped_builds, with_requests
from spack.cli.commands.spec import add_concretizer_arguments, concretize_options
from spack.cli.event_text import plan_lines
from spack.cli.render import message
from spack.errors import InstallError, SpackError, UsageError
from spack.install.plan import Plan, PlanOptions
from spack.session import Session
from spack.spec import ConcreteSpec
from spack.spec.parser import parse_many
from spack.util.frozen import replace

if TYPE_CHECKING:
    from spack.actions.binary_installs import CachedInstalls, CachePolicy
    from spack.install.install_report import InstallReport
    from spack.install.timeline import TimelineRecorder

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
  spack install --timeline black.html py-black   what ran when, what waited for what
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
    parser.add_argument(
        "--source", action="store_true", help="keep the sources in share/NAME/src of the prefix"
    )
    parser.add_argument(
        "-u", "--until", metavar="PHASE", help="stop after this phase; nothing is installed"
    )
    clean = parser.add_mutually_exclusive_group()
    clean.add_argument("--clean", action="store_true", help="keep your environment out of builds")
    clean.add_argument("--dirty", action="store_true", help="let your environment into builds")
    parser.add_argument("-v", "--verbose", action="store_true", help="show what builds print")
    parser.add_argument(
        "--show-log-on-error", action="store_true", help="show the whole log of a failed build"
    )
    parser.add_argument(
        "--strict-metadata",
        action="store_true",
        help="fail if a recipe and the metadata of its sources differ",
    )
    add = parser.add_mutually_exclusive_group()
    add.add_argument("--add", action="store_true", help="add to the environment (the default)")
    add.add_argument("--no-add", action="store_true", help="leave the environment's specs alone")
    parser.add_argument(
        "--only-concrete", action="store_true", help="the environment's lock file as it is"
    )
    _add_cache_arguments(parser)
    _add_engine_arguments(parser)
    parser.add_argument("--log-format", choices=("junit",), help="write a report in this format")
    parser.add_argument("--log-file", metavar="FILE", help="the report (junit.xml)")
    parser.add_argument(
        "--timeline", metavar="FILE", help="write a page (HTML) of what ran when, and why"
    )
    parser.add_argument("--dry-run", action="store_true", help="show what would be done")
    parser.add_argument("-y", "--yes-to-all", action="store_true", help="do not ask")
    add_concretizer_arguments(parser)
    parser.add_argument("spec", nargs="*", help="what to install")


def _add_cache_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what chooses between builds and caches of binaries."""
    cache = parser.add_mutually_exclusive_group()
    cache.add_argument("--use-cache", action="store_true", help="look into caches (the default)")
    cache.add_argument("--no-cache", action="store_true", help="build everything from sources")
    cache.add_argument("--cache-only", action="store_true", help="build nothing")
    cache.add_argument(
        "--use-buildcache",
        metavar="POLICY",
        default="auto",
        help="auto (the default), never, or only (build nothing), also "
        "package:POLICY,dependencies:POLICY",
    )


def _add_engine_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what lets a batch system run the builds."""
    parser.add_argument(
        "--on",
        choices=("slurm",),
        help="let this batch system build the environment on the nodes of a cluster",
    )
    parser.add_argument(
        "--node-store",
        metavar="DIR",
        default="",
        help="of --on: the install tree of each node, '$TMPDIR/store' for one; they exchange "
        "through a mirror with autopush. Without it the nodes are asked whether they share the "
        "configured one",
    )
    parser.add_argument(
        "--submit-option",
        metavar="OPTION",
        action="append",
        default=[],
        help="of --on: a further option of the command that submits, --partition=debug for one",
    )


def run(session: Session, args: argparse.Namespace) -> None:
    reports: list[InstallReport] = []
    recorder = _recorder(session) if args.timeline else None
    try:
        _run(session, args, reports, recorder)
    finally:
        new = [step.hash for report in reports for step in report.installed]
        if new:
            from spack.session.module_parts import follow_installs  # start-up: nothing to do

            follow_installs(session, new)
        if args.log_format or args.log_file:
            from spack.actions.install_junit import install_junit  # start-up: few ask for it

            name = args.log_file or "junit.xml"
            _write_report(session, "--log-file", name, install_junit(reports))
        if recorder is not None:
            from spack.cli.timeline_page import timeline_page

            active = f" -e {session.environment.name}" if session.environment else ""
            page = timeline_page(
                recorder.timeline(), " ".join([f"spack{active} install", *args.spec])
            )
            _write_report(session, "--timeline", args.timeline, page)


def _recorder(session: Session) -> TimelineRecorder:
    from spack.install.timeline import TimelineRecorder  # start-up: few ask for it

    return TimelineRecorder(session.reporter)


def _write_report(session: Session, option: str, name: str, text: str) -> None:
    path = session.cwd / name
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(
            f"cannot write {path}: {error.strerror}", hint=f"name another file: {option} FILE"
        ) from error


def _run(
    session: Session,
    args: argparse.Namespace,
    reports: list[InstallReport],
    recorder: TimelineRecorder | None,
) -> None:
    try:
        _install(session, args, reports, recorder)
    except InstallError as error:
        stopped = stopped_builds(error) if args.until else ()
        for end in stopped:
            message(f"{end.message}; {end.hint}", color=session.options.color)
        if stopped:
            return
        if args.show_log_on_error:
            for path in _logs(error):
                show_log(path)
        raise


def _until(session: Session, args: argparse.Namespace) -> dict[str, str]:
    """Return the packages whose builds stop early, each with its last phase."""
    if not args.until:
        return {}
    texts = list(args.spec)
    if session.environment is not None and not texts:
        texts = [item.text for item in session.environment.user_specs()]
    return {spec.name: args.until for spec in parse_many(texts) if spec.name}


def _logs(error: BaseException) -> list[str]:
    """Return the logs of the failed builds that *error* is about."""
    found = []
    if isinstance(error, SpackError):
        found += [str(error.facts["log"])] if error.facts.get("log") else []
        for cause in error.causes:
            found += _logs(cause)
    return list(dict.fromkeys(found))


def show_log(path: str) -> None:
    """Print a log on standard error."""
    sys.stdout.flush()
    sys.stderr.write(f"==> {path}\n")
    with open(path, encoding="utf-8", errors="replace") as stream:
        sys.stderr.writelines(stream)


def _policy(args: argparse.Namespace) -> CachePolicy:
    """Return how caches are used.

    :raises UsageError: the policy of ``--use-buildcache`` cannot be read.
    """
    # start-up: `install` with nothing to do
    from spack.actions.binary_installs import CachePolicy, read_policy

    policy = read_policy(args.use_buildcache)
    if args.no_cache:
        return CachePolicy("never", "never")
    return CachePolicy("only", "only") if args.cache_only else policy


def _caches(session: Session, policy: CachePolicy) -> CachedInstalls | None:
    """Return the caches that the install uses; nothing is imported where there are none."""
    if not policy.needs_caches and not any(x.binary for x in session.settings.mirrors):
        return None
    from spack.session.binary_parts import cached_installs  # start-up: see above

    return cached_installs(session, policy)


def install_options(
    session: Session,
    args: argparse.Namespace | None = None,
    caches: CachedInstalls | None = None,
) -> InstallOptions:
    """Return how an install goes about it.

    :param args: of the command line; None is as without any.
    """
    given = args if args is not None else _defaults()
    config = session.settings.config
    return InstallOptions(
        store=session.store,
        build_options=lambda: with_requests(
            session.build_options(
                checksum=not given.no_checksum,
                dirty=True if given.dirty else False if given.clean else None,
                strict_metadata=given.strict_metadata,
                verbose=given.verbose or session.options.verbose,
            ),
            keep_source=given.source,
            until=_until(session, given),
        ),
        reporter=session.reporter,
        jobs=given.jobs or config.build_jobs,
        concurrent=given.concurrent_packages or config.concurrent_packages,
        fail_fast=given.fail_fast,
        keep_stage=given.keep_stage,
        caches=caches,
    )


def _defaults() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    return parser.parse_args([])


def _install(
    session: Session,
    args: argparse.Namespace,
    reports: list[InstallReport],
    recorder: TimelineRecorder | None,
) -> None:
    work = install_options(session, args, _caches(session, _policy(args)))
    if any(entry.autopush for entry in session.settings.mirrors):
        from spack.session.binary_parts import pushing  # start-up: few mirrors are pushed to

        work = replace(work, pushed=pushing(session))
    work = replace(work, on_report=reports.append, reporter=recorder or work.reporter)
    environment = session.environment
    if args.on:
        from spack.cli.cluster_option import cluster_work  # start-up: seldom

        work = cluster_work(session, args, work)
    if args.only_concrete and (environment is None or args.spec):
        raise UsageError(
            "spack install: --only-concrete installs what an environment's lock file has",
            hint="spack -e NAME-OR-DIR install --only-concrete, without specs",
        )
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
