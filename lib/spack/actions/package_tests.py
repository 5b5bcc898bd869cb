"""Test suites: the tests of installed packages, run later, and their results.

A suite is a directory below ``config:test_stage``::

    <suite>/results.json          what was tested, and how it went
    <suite>/<package>.txt         what the tests printed
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from spack.actions.build_dispatch import build_variables, repository_rows
from spack.actions.build_isolation import isolation_of
from spack.build import sandbox, worker_process
from spack.build.job import TEST, BuildJob
from spack.build.options import BuildOptions
from spack.errors import RecipeError, SpackError, UsageError
from spack.fetch.stage import Stage
from spack.recipe.records import Recipe
from spack.spec import DEPTYPES, ConcreteSpec, dump
from spack.store.layout import path_part
from spack.util.filesystem import atomic_write, remove_tree
from spack.util.hashing import sha256_hex
from spack.util.json_input import parse_json

__all__ = [
    "PackageOutcome",
    "SuiteOptions",
    "SuiteResults",
    "defined_tests",
    "has_tests",
    "junit_report",
    "list_suites",
    "need_suites",
    "remove_suites",
    "run_suite",
]

PASSED, FAILED, NO_TESTS, SKIPPED = "PASSED", "FAILED", "NO-TESTS", "SKIPPED"

_RESULTS = "results.json"

#: Characters that XML cannot have.
_NOT_XML = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

#: A definition of a test in a recipe.
_TEST = re.compile(r"^    def (test_\w+)\(", re.MULTILINE)


class PackageOutcome(NamedTuple):
    """How the tests of one package went.

    :ivar status: ``PASSED``, ``FAILED``, ``NO-TESTS`` or ``SKIPPED`` (all its tests were).
    :ivar tests: each test and its outcome.
    :ivar error: why no test could be run.
    """

    package: str
    hash: str
    status: str
    tests: tuple[tuple[str, str], ...] = ()
    log: str = ""
    error: str = ""


class SuiteOptions(NamedTuple):
    """How a suite is run.

    :ivar alias: the suite's name; by default a hash.
    :ivar fail_fast: stop after the first package that fails.
    :ivar timeout: seconds that the tests of one package may take.
    """

    alias: str | None = None
    fail_fast: bool = False
    keep_stage: bool = False
    timeout: float | None = None


class SuiteResults(NamedTuple):
    """The results of one run."""

    name: str
    path: Path
    outcomes: tuple[PackageOutcome, ...] = ()

    @property
    def failed(self) -> tuple[PackageOutcome, ...]:
        """The packages whose tests failed."""
        return tuple(x for x in self.outcomes if x.status == FAILED)


def defined_tests(recipe: Recipe) -> list[str]:
    """Return the names of the tests that a recipe defines, by its text."""
    try:
        text = Path(recipe.path).read_text(encoding="utf-8")
    except OSError:
        return []
    return _TEST.findall(text)


def has_tests(recipe: Recipe) -> bool:
    """Return whether a recipe defines tests, or is a Python package: their modules are imported."""
    python = str(recipe.attributes.get("build_system", "")).startswith("python_")
    return python or bool(defined_tests(recipe))


def run_suite(
    specs: Sequence[ConcreteSpec],
    build_options: BuildOptions,
    root: Path,
    *,
    options: SuiteOptions,
    on_outcome: Callable[[PackageOutcome], None] = lambda outcome: None,
) -> SuiteResults:
    """Run the tests of installed nodes, one after the other.

    :param root: directory of all suites.
    :param on_outcome: called after each package.
    :raises UsageError: there is a suite of that name.
    """
    store = build_options.store
    text = "\n".join([*(x.dag_hash() for x in specs), str(store.clock())])
    name = options.alias or sha256_hex(text)[:32]
    suite = SuiteResults(name, root / name)
    if suite.path.exists():
        raise UsageError(
            f"there is already a test suite {suite.name}",
            hint=f"spack test remove {suite.name}, or choose another --alias",
            ref="test-suite",
        )
    suite.path.mkdir(parents=True)
    outcomes: list[PackageOutcome] = []
    for spec in specs:
        outcome = _run_one(spec, build_options, suite.path, options)
        outcomes.append(outcome)
        on_outcome(outcome)
        _write(suite._replace(outcomes=tuple(outcomes)))
        if options.fail_fast and outcome.status == FAILED:
            break
    return suite._replace(outcomes=tuple(outcomes))


def _run_one(
    spec: ConcreteSpec,
    build_options: BuildOptions,
    suite: Path,
    options: SuiteOptions,
) -> PackageOutcome:
    name = path_part(f"{spec.name}-{spec.version}-{spec.dag_hash(7)}")
    log = suite / f"{name}.txt"
    stage = suite / f"{name}.stage"
    outcome = PackageOutcome(spec.short, spec.dag_hash(), FAILED, log=str(log))
    late = threading.Event()
    timer = threading.Timer(options.timeout or 0, late.set)
    if options.timeout is not None:
        timer.start()
    try:
        job = _job(spec, build_options, stage, log)
        result = worker_process.run(
            job,
            build_variables(build_options, spec, stage),
            interpreter=build_options.interpreter,
            cancelled=late,
        )
    except worker_process.Cancelled:
        return outcome._replace(error=f"not finished after {options.timeout:g} seconds")
    except SpackError as error:
        return outcome._replace(error=error.message)
    finally:
        timer.cancel()
        if not options.keep_stage:
            Stage(stage, stage).destroy()
    if result.failure is not None:
        return outcome._replace(error=result.failure.message)
    states = {status for _, status in result.tests}
    status = NO_TESTS if not states else SKIPPED if states == {"skipped"} else PASSED
    return outcome._replace(
        status=FAILED if "failed" in states else status,
        tests=tuple((test, state) for test, state in result.tests),
    )


def _job(spec: ConcreteSpec, build_options: BuildOptions, stage: Path, log: Path) -> BuildJob:
    store = build_options.store
    roots = [root for _, root in build_options.recipes.with_roots()]
    writable = sandbox.writable_locations(
        (str(stage),),
        str(stage / "prefix"),
        (str(store.layout.root), *build_options.library_path, *roots),
        build_options.writable,
    )
    prevented = build_options.effective_write_policy == sandbox.PREVENT
    prefixes = {x.dag_hash(): str(store.prefix(x)) for x in spec.traverse(DEPTYPES)}
    return BuildJob(
        spec=dump([spec]),
        hash=spec.dag_hash(),
        prefixes=prefixes,
        stage_path=str(stage),
        source_path=None,
        log_path=str(log),
        result_path=str(stage / "spack-test-result.json"),
        repositories=repository_rows(build_options.recipes),
        run_tests=True,
        task=TEST,
        library_path=build_options.library_path,
        writable=writable if prevented else None,
        isolation=isolation_of(build_options, spec, prefixes.values()),
    )


def junit_report(suite: SuiteResults) -> str:
    """Return the results as JUnit's XML: a test suite for each package, a case for each test."""
    from xml.etree import ElementTree  # start-up: only for this report

    root = ElementTree.Element("testsuites", name=suite.name)
    for outcome in suite.outcomes:
        rows = outcome.tests or ((outcome.package, "failed"),) if outcome.error else outcome.tests
        states = [state for _, state in rows]
        counts = {"tests": len(rows), "failures": states.count("failed")}
        counts["skipped"] = states.count("skipped")
        texts = {key: str(value) for key, value in counts.items()}
        element = ElementTree.SubElement(root, "testsuite", {"name": outcome.package, **texts})
        for name, state in rows:
            case = ElementTree.SubElement(element, "testcase", classname=outcome.package, name=name)
            if state == "failed":
                ElementTree.SubElement(case, "failure", message=outcome.error or "see the log")
            elif state == "skipped":
                ElementTree.SubElement(case, "skipped")
        ElementTree.SubElement(element, "system-out").text = _log_text(outcome)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ElementTree.tostring(root, "unicode") + "\n"


def _log_text(outcome: PackageOutcome) -> str:
    try:
        text = Path(outcome.log).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return outcome.error
    return _NOT_XML.sub("?", text)


def _write(suite: SuiteResults) -> None:
    data = [outcome._asdict() for outcome in suite.outcomes]
    atomic_write(suite.path / _RESULTS, json.dumps(data, indent=1) + "\n")


def list_suites(root: Path) -> list[SuiteResults]:
    """Return all suites, the oldest first; what cannot be read has no outcomes."""
    try:
        paths = [path for path in root.iterdir() if (path / _RESULTS).is_file()]
    except OSError:
        return []
    paths.sort(key=lambda path: ((path / _RESULTS).stat().st_mtime, path.name))
    return [SuiteResults(path.name, path, _outcomes(path)) for path in paths]


def _outcomes(path: Path) -> tuple[PackageOutcome, ...]:
    try:
        rows: list[dict[str, Any]] = parse_json((path / _RESULTS).read_text(encoding="utf-8"))
        return tuple(
            PackageOutcome(**{**row, "tests": tuple(map(tuple, row["tests"]))}) for row in rows
        )
    except (OSError, ValueError, TypeError, KeyError):
        return ()


def need_suites(root: Path, names: Iterable[str]) -> list[SuiteResults]:
    """Return the suites of these names; all without any.

    :raises RecipeError: there is none of a name.
    """
    suites = list_suites(root)
    known = {suite.name: suite for suite in suites}
    wanted = list(names)
    unknown = [name for name in wanted if name not in known]
    if unknown:
        raise RecipeError(
            f"there is no test suite {', '.join(unknown)}",
            hint="`spack test find` lists the suites",
            ref="test-suite",
        )
    return [known[name] for name in wanted] if wanted else suites


def remove_suites(suites: Iterable[SuiteResults]) -> None:
    """Remove the results of suites."""
    for suite in suites:
        remove_tree(suite.path)
