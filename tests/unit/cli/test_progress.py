"""What is reported running work, on a terminal and elsewhere."""

from __future__ import annotations

import io

import pytest

from spack.cli.progress import LiveReporter, PlainReporter, make_reporter, seconds


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize(
    ("value", "text"), [(0.04, "0.0s"), (8.44, "8.4s"), (125, "2m 05s"), (3720, "1h 02m")]
)
def test_durations(value: float, text: str) -> None:
    assert seconds(value) == text


def test_plain_lines_report_start_end_and_failure() -> None:
    stream, clock = io.StringIO(), Clock()
    reporter = PlainReporter(stream, "never", False, clock)
    good, bad = reporter.task("1", "a@1"), reporter.task("2", "b@2")
    good.phase("fetch")
    good.phase("install")
    good.phase("install")
    clock.now = 2.0
    good.finish("here")
    good.fail("ignored: it has ended")
    bad.fail("no compiler")
    reporter.warning("careful")
    assert stream.getvalue().splitlines() == [
        "==> Installing a@1",
        "==> a@1: here (2.0s)",
        "==> Failed: b@2: no compiler",
        "==> Warning: careful",
    ]


def test_quiet_keeps_warnings_and_failures() -> None:
    stream = io.StringIO()
    reporter = PlainReporter(stream, "never", True)
    task = reporter.task("1", "a@1")
    task.phase("install")
    task.finish()
    reporter.info("nothing")
    reporter.warning("something")
    assert stream.getvalue() == "==> Warning: something\n"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_gets_live_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.delenv("SPACK_COLOR", raising=False)
    stream = Terminal()
    reporter = make_reporter(stream)
    assert isinstance(reporter, LiveReporter)
    task = reporter.task("1", "a@1[x]")
    task.phase("install")
    task.progress(1, 4)
    reporter.info("a line between")
    task.finish("in /prefix")
    reporter.close()
    text = stream.getvalue()
    assert "a line between" in text
    assert "a@1[x]" in text
    assert "in /prefix" in text


def test_no_terminal_gets_plain_lines() -> None:
    assert isinstance(make_reporter(io.StringIO()), PlainReporter)
