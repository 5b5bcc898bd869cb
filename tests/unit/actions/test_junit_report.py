"""Test results for programs that read JUnit's XML."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

from spack.actions.package_tests import PackageOutcome, SuiteResults, junit_report


def test_each_test_is_a_case(tmp_path: Path) -> None:
    log = tmp_path / "log.txt"
    log.write_bytes(b"colours \x1b[31m and \x00 and \xff <tags>\n")
    outcomes = (
        PackageOutcome(
            "a@1/x", "x", "FAILED", (("test_a", "failed"), ("test_b", "passed")), str(log)
        ),
        PackageOutcome("b@1/y", "y", "SKIPPED", (("test_c", "skipped"),), str(tmp_path / "none")),
        PackageOutcome("c@1/z", "z", "FAILED", (), "", "it could not start"),
    )
    root = ElementTree.fromstring(junit_report(SuiteResults("s", tmp_path, outcomes)))
    first, second, third = root
    assert first.attrib == {"name": "a@1/x", "tests": "2", "failures": "1", "skipped": "0"}
    assert "<tags>" in (first.findtext("system-out") or "")
    assert second.find("testcase/skipped") is not None
    failure = third.find("testcase/failure")
    assert failure is not None and failure.get("message") == "it could not start"
