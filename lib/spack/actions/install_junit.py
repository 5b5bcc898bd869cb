"""What became of an install as JUnit's XML, which continuous integration shows."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from spack.errors import SpackError
from spack.install.install_report import InstallFailure, InstallReport

__all__ = ["install_junit"]

#: Characters that XML does not have.
_NOT_XML = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

#: Longest part of a log, its end, that a report has.
_LONGEST = 200_000


def install_junit(reports: Iterable[InstallReport]) -> str:
    """Return one test suite with a case for each package that was built, reused, or not tried."""
    from xml.etree import ElementTree  # start-up: only for this report

    rows = list(reports)
    suite = ElementTree.Element("testsuite", name="spack install")
    for report in rows:
        for step in (*report.installed, *report.reused):
            seconds = report.seconds.get(step.hash, 0.0)
            ElementTree.SubElement(
                suite, "testcase", classname=step.spec.name, name=step.spec.short,
                time=f"{seconds:.3f}",
            )  # fmt: skip
        for failure in report.failures:
            spec = failure.step.spec
            case = ElementTree.SubElement(suite, "testcase", classname=spec.name, name=spec.short)
            text = ElementTree.SubElement(case, "failure", message=_message(failure.error))
            text.text = _log(failure)
        for step in report.skipped:
            spec = step.spec
            case = ElementTree.SubElement(suite, "testcase", classname=spec.name, name=spec.short)
            ElementTree.SubElement(case, "skipped", message="what it needs has failed")
    suite.set("tests", str(len(suite)))
    suite.set("failures", str(sum(len(report.failures) for report in rows)))
    suite.set("skipped", str(sum(len(report.skipped) for report in rows)))
    root = ElementTree.Element("testsuites")
    root.append(suite)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ElementTree.tostring(root, "unicode") + "\n"


def _message(error: BaseException) -> str:
    return _NOT_XML.sub("?", error.message if isinstance(error, SpackError) else str(error))


def _log(failure: InstallFailure) -> str:
    path = failure.log
    facts = getattr(failure.error, "facts", {})
    if path is None and facts.get("log"):
        path = Path(str(facts["log"]))
    try:
        text = path.read_text(encoding="utf-8", errors="replace") if path is not None else ""
    except OSError:
        text = ""
    return _NOT_XML.sub("?", text[-_LONGEST:] or str(failure.error))
