"""Fixtures that every test may use."""

from __future__ import annotations

import os
import shutil
import signal
import sys
from collections import Counter
from collections.abc import Generator
from pathlib import Path

import pytest

from kits.system_programs import command_for, missing_program_of, missing_programs

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def root() -> Path:
    """Return the top of this repository."""
    return ROOT


@pytest.fixture(scope="session")
def uv() -> str:
    """Return the uv program: that of the development tools, else the one on PATH."""
    locations = os.pathsep.join([os.path.dirname(sys.executable), os.environ.get("PATH", "")])
    program = shutil.which("uv", path=locations)
    if program is None:
        pytest.skip("uv is not installed; it is among the development tools of pyproject.toml")
    return program


@pytest.fixture
def git_program() -> str:
    """Return the program git."""
    program = shutil.which("git")
    if program is None:
        pytest.skip("git is not installed")
    return program


def pytest_configure() -> None:
    """Let signals reach the tests and their programs that the caller of the tests ignores.

    A shell without job control lets its background commands ignore SIGINT, ``nohup`` SIGHUP, and
    ignored signals are inherited.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
        signal.signal(signal.SIGHUP, signal.SIG_DFL)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    call: pytest.CallInfo[None],
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Count a test as skipped that fails for want of a program which this machine does not have."""
    report = yield
    if report.failed and call.excinfo is not None:
        program = missing_program_of(call.excinfo.value, report.capstdout)
        if program is not None:
            path, line, _ = report.location
            report.outcome = "skipped"
            report.longrepr = (path, (line or 0) + 1, f"Skipped: {program} is not installed")
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """List the tests that could not run by what is missing, and the command that installs it."""
    skipped = terminalreporter.stats.get("skipped", [])
    if not skipped:
        return
    reasons = Counter(_reason(report) for report in skipped)
    terminalreporter.section("not tested")
    for reason, count in sorted(reasons.items()):
        terminalreporter.write_line(f"{count:5} {reason}")
    missing = missing_programs()
    if missing:
        terminalreporter.write_line(f"missing here: {', '.join(missing)}")
        terminalreporter.write_line(f"install it with: {command_for(missing)}")


def _reason(report: object) -> str:
    text = getattr(report, "longrepr", "")
    return str(text[2] if isinstance(text, tuple) else text).removeprefix("Skipped: ")
