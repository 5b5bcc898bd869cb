"""What is reported running work, on a terminal and elsewhere."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from spack.actions import notices
from spack.cli import event_text
from spack.cli.progress import LiveReporter, PlainReporter, make_reporter, seconds
from spack.errors import InstallError
from spack.install import events
from spack.util.lock import Holder
from spack.util.report import Event, Failed, Warned


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
    good.phase(events.Fetching())
    good.phase(events.Building())
    good.phase(events.InPhase("install"))
    clock.now = 2.0
    good.finish(events.Installed(Path("/here")))
    good.fail(Failed(InstallError("ignored: it has ended")))
    bad.fail(Failed(InstallError("b@2 failed in phase 'install': no compiler")))
    reporter.warning("careful")
    assert stream.getvalue().splitlines() == [
        "==> Installing a@1",
        "==> a@1: /here (2.0s)",
        "==> Failed: b@2: failed in phase 'install': no compiler",
        "==> Warning: careful",
    ]


def test_quiet_keeps_warnings_and_failures() -> None:
    stream = io.StringIO()
    reporter = PlainReporter(stream, "never", True)
    task = reporter.task("1", "a@1")
    task.phase(events.Building())
    task.finish(events.Installed(Path("/here")))
    reporter.report(events.RemovingUnfinished())
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
    task.phase(events.WaitingForNode("a@1[x]", Holder(7, "here")))
    task.progress(1, 4)
    reporter.report(events.InstallInterrupted(2))
    task.finish(events.Installed(Path("/prefix")))
    reporter.close()
    text = stream.getvalue()
    assert "interrupted: 2 finished packages are kept" in text
    assert "a@1[x]" in text
    assert "/prefix" in text


def test_no_terminal_gets_plain_lines() -> None:
    assert isinstance(make_reporter(io.StringIO()), PlainReporter)


def test_every_event_has_its_text() -> None:
    """What is reported and has no row would be an error where none may be raised."""
    assert {notices.__name__, events.__name__} <= {kind.__module__ for kind in all_events()}
    rows = {*event_text.LINES, *event_text.PHASES, *event_text.RESULTS}
    assert rows == all_events()


def all_events() -> set[type[Event]]:
    return {kind for kind in Event.__subclasses__() if kind is not Warned}


def test_a_wait_is_a_phase_and_a_line() -> None:
    waiting = events.WaitingForDependency("a@1", "b@2", Holder(7, "here"))
    assert event_text.phase_text(waiting) == "waiting for b@2"
    line = "a@1: waiting for b@2, in use by process 7 on here"
    assert event_text.lines_of(waiting) == [line]
