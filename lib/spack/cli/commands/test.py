"""``spack test``: the tests of installed packages."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import Any, Callable

from spack.actions import installed
from spack.actions.package_tests import (
    PackageOutcome,
    SuiteOptions,
    SuiteResults,
    has_tests,
    junit_report,
    list_suites,
    need_suites,
    remove_suites,
    run_suite,
)
from spack.actions.recipe_queries import recipes_of
from spack.cli.prompt import confirm
from spack.cli.record_text import print_names
from spack.cli.render import message
from spack.errors import UsageError
from spack.session import Session
from spack.spec import Spec
from spack.spec.parser import parse_many
from spack.util.text import count_of

DESCRIPTION = """run the tests that recipes have for installed packages, and show their results

The tests are the `test_…` methods of a recipe; those of Python packages import their modules.

examples:
  spack test run py-black
  spack test run --alias nightly           everything that is installed
  spack test results nightly
  spack test results -l nightly -- py-black
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    verbs = parser.add_subparsers(dest="verb", metavar="run|list|find|status|results|remove")
    run_ = verbs.add_parser("run", help="run the tests of installed packages")
    run_.add_argument("--alias", metavar="NAME", help="a name for the results")
    run_.add_argument(
        "--timeout", type=float, metavar="SECONDS", help="that the tests of one package may take"
    )
    run_.add_argument("--log-format", choices=("junit",), help="write a report in this format")
    run_.add_argument("--log-file", metavar="FILE", help="the report (junit.xml of the suite)")
    for words, text in (
        (("--fail-fast",), "stop at the first failure"),
        (("--fail-first",), "stop after the first package that fails"),
        (("--externals",), "external packages too"),
        (("-x", "--explicit"), "only what was asked for"),
        (("--keep-stage",), "keep the directories in which the tests ran"),
        (("--clean",), "keep your environment out"),
        (("--dirty",), "let your environment in"),
    ):
        run_.add_argument(*words, action="store_true", help=text)
    run_.add_argument("specs", metavar="SPEC", nargs="*", help="installed packages; all by default")
    listed = verbs.add_parser("list", help="list packages that have tests")
    listed.add_argument("-a", "--all", action="store_true", help="of all packages, not installed")
    listed.add_argument("tag", nargs="*", help="only packages with one of these tags")
    for verb, text in (("find", "list suites"), ("status", "show how suites went, in short")):
        sub = verbs.add_parser(verb, help=text)
        sub.add_argument("names", metavar="SUITE", nargs="*", help="these suites (all)")
    results = verbs.add_parser("results", help="show results")
    results.add_argument("-l", "--logs", action="store_true", help="with what the tests printed")
    results.add_argument("-f", "--failed", action="store_true", help="only of what failed")
    results.add_argument(
        "names", metavar="SUITE [-- SPEC]", nargs="*", help="suites (all), and packages of them"
    )
    remove = verbs.add_parser("remove", help="remove results")
    remove.add_argument("-y", "--yes-to-all", action="store_true", help="do not ask")
    remove.add_argument("names", metavar="SUITE", nargs="*", help="these suites (all)")


def run(session: Session, args: argparse.Namespace) -> int | None:
    if args.verb is None:
        raise UsageError("spack test: a subcommand is required", hint="see `spack test --help`")
    return _VERBS[args.verb](session, args)


def _run(session: Session, args: argparse.Namespace) -> int | None:
    if args.clean and args.dirty:
        raise UsageError("spack test run: --clean or --dirty, not both", hint="leave one out")
    among = session.environment.hashes() if session.environment else None
    specs = parse_many(args.specs)
    records = installed.find(
        session.store, specs, explicit=True if args.explicit else None, among=among
    )
    for spec in specs:
        installed.several(session.store, [spec], all_matches=True)
    if not args.externals:
        records = [record for record in records if not record.external]
    if not records:
        message("no installed packages to test")
        return None
    nodes = session.store.database.specs(record.hash for record in records)
    suite = run_suite(
        list(nodes.values()),
        session.build_options(dirty=True if args.dirty else False if args.clean else None),
        session.settings.config.test_stage,
        options=SuiteOptions(
            args.alias, args.fail_fast or args.fail_first, args.keep_stage, args.timeout
        ),
        on_outcome=_show_outcome,
    )
    if args.log_format or args.log_file:
        report = session.cwd / args.log_file if args.log_file else suite.path / "junit.xml"
        report.write_text(junit_report(suite), encoding="utf-8")
        message(f"wrote {report}")
    message(f"test suite {suite.name}: {_summary(suite)}")
    for outcome in suite.failed:
        print(f"    {outcome.package}: {outcome.log}")
    return 1 if suite.failed else None


def _show_outcome(outcome: PackageOutcome) -> None:
    tests = "".join(f"\n    {state:<8} {test}" for test, state in outcome.tests)
    why = f": {outcome.error}" if outcome.error else ""
    message(f"{outcome.package} {outcome.status}{why}{tests}")


def _summary(suite: SuiteResults) -> str:
    counts: dict[str, int] = {}
    for outcome in suite.outcomes:
        counts[outcome.status] = counts.get(outcome.status, 0) + 1
    words = {"PASSED": "passed", "FAILED": "failed", "NO-TESTS": "without tests"}
    parts = [f"{count} {words.get(status, status.lower())}" for status, count in counts.items()]
    return f"{', '.join(parts)} of {count_of(len(suite.outcomes), 'package')}"


def _list(session: Session, args: argparse.Namespace) -> int | None:
    names = None
    if not args.all:
        names = sorted({record.name for record in installed.find(session.store, [])})
    known = [name for name in names or () if session.recipes.exists(name)]
    found = [
        recipe.name
        for recipe in recipes_of(session.recipes, None if args.all else known)
        if has_tests(recipe) and _has_tag(recipe.attributes.get("tags"), args.tag)
    ]
    if sys.stdout.isatty():
        what = "packages" if args.all else "installed packages"
        message(f"{len(found)} {what} with tests:")
    print_names(session, found)
    return None


def _has_tag(tags: Any, wanted: Sequence[str]) -> bool:
    return not wanted or bool(set(wanted) & set(tags or ()))


def _find(session: Session, args: argparse.Namespace) -> int | None:
    suites = need_suites(session.settings.config.test_stage, args.names)
    if not suites:
        message("no test suites")
    print_names(session, [suite.name for suite in suites])
    return None


def _status(session: Session, args: argparse.Namespace) -> int | None:
    suites = need_suites(session.settings.config.test_stage, args.names)
    if not suites:
        message("no test suites")
    for suite in suites:
        message(f"test suite {suite.name}: {_summary(suite)}")
    return None


def _results(session: Session, args: argparse.Namespace) -> int | None:
    root = session.settings.config.test_stage
    names, queries = args.names, []
    known = {suite.name for suite in list_suites(root)}
    if "--" in names:
        at = names.index("--")
        names, queries = names[:at], names[at + 1 :]
    elif names and names[-1] not in known and any(name in known for name in names):
        queries = [name for name in names if name not in known]
        names = [name for name in names if name in known]
    specs = parse_many(queries)
    suites = need_suites(root, names)
    if not suites:
        message("no test suites")
    for suite in suites:
        message(f"results for test suite {suite.name}:")
        for outcome in suite.outcomes:
            if (args.failed and outcome.status != "FAILED") or not _is_of(outcome, specs):
                continue
            print(f"    {outcome.package} {outcome.status}")
            if args.logs:
                _print_log(outcome)
    return None


def _is_of(outcome: PackageOutcome, specs: Sequence[Spec]) -> bool:
    named = Spec.parse(outcome.package.partition("/")[0].replace("@", "@="))
    return not specs or any(named.satisfies(spec) for spec in specs)


def _print_log(outcome: PackageOutcome) -> None:
    try:
        with open(outcome.log, encoding="utf-8", errors="replace") as stream:
            for line in stream:
                print(f"        {line.rstrip()}")
    except FileNotFoundError:
        print(f"        {outcome.error or 'there is no log'}")


def _remove(session: Session, args: argparse.Namespace) -> int | None:
    suites = need_suites(session.settings.config.test_stage, args.names)
    if not suites:
        message("no test suites to remove")
        return None
    names = ", ".join(suite.name for suite in suites)
    if not (args.yes_to_all or confirm(f"remove {names}?", sys.stdin, sys.stdout)):
        return 1
    remove_suites(suites)
    message(f"removed {count_of(len(suites), 'test suite')}")
    return None


_VERBS: dict[str, Callable[[Session, argparse.Namespace], int | None]] = {
    "run": _run,
    "list": _list,
    "find": _find,
    "status": _status,
    "results": _results,
    "remove": _remove,
}
