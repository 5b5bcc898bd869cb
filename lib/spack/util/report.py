"""Progress of work that takes time, reported without knowledge of the listener.

Lower layers get a :class:`Reporter` as an argument and never print. What they report is data, a
frozen class for each kind of event; the texts are the listener's. The command line renders
one line per running task on a terminal and plain lines elsewhere; tests use
:class:`SilentReporter` or :class:`RecordingReporter`.

All methods may be called from any thread, and must neither block nor raise.
"""

from __future__ import annotations

import threading
from typing import Protocol

from spack.util.frozen import frozen

__all__ = [
    "Event",
    "Failed",
    "Recorded",
    "RecordingReporter",
    "Reporter",
    "SilentReporter",
    "Task",
    "Warned",
]


class Event:
    """What is reported: each kind is a frozen class of its own, derived from this one."""


@frozen
class Failed(Event):
    """The task could not be done because of *error*."""

    error: BaseException


@frozen
class Warned(Event):
    """The user was warned of what *text* says."""

    text: str


class Task(Protocol):
    """One piece of work, such as the installation of one package.

    A task ends with exactly one :meth:`finish` or :meth:`fail`; calls after that are ignored.
    """

    def phase(self, phase: Event) -> None:
        """Enter a phase, such as a fetch, or a wait for another process."""

    def progress(self, done: int, total: int) -> None:
        """Report *done* of *total* units (bytes, files) of the phase; 0 = unknown."""

    def finish(self, result: Event) -> None:
        """Finish the task."""

    def fail(self, reason: Event) -> None:
        """Fail the task."""


class Reporter(Protocol):
    """The listener of a whole command."""

    def report(self, event: Event) -> None:
        """Report what the user may want to read."""

    def warning(self, text: str) -> None:
        """Report a line that the user should read."""

    def task(self, key: str, title: str) -> Task:
        """Return a new task; *key* is unique among those that run (a hash), *title* is shown."""


class _SilentTask:
    def phase(self, phase: Event) -> None:
        pass

    def progress(self, done: int, total: int) -> None:
        pass

    def finish(self, result: Event) -> None:
        pass

    def fail(self, reason: Event) -> None:
        pass


class SilentReporter:
    """Says nothing."""

    def report(self, event: Event) -> None:
        pass

    def warning(self, text: str) -> None:
        pass

    def task(self, key: str, title: str) -> Task:
        return _SilentTask()


@frozen
class Recorded:
    """One event as :class:`RecordingReporter` keeps it; *title* is that of the task, or ""."""

    title: str
    event: Event


class RecordingReporter:
    """Keeps what was reported as ``events``, in order of time. Progress is not recorded."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._events: list[Recorded] = []

    @property
    def events(self) -> tuple[Recorded, ...]:
        with self._lock:
            return tuple(self._events)

    def record(self, title: str, event: Event) -> None:
        """Keep *event* of the task *title*."""
        with self._lock:
            self._events.append(Recorded(title, event))

    def report(self, event: Event) -> None:
        self.record("", event)

    def warning(self, text: str) -> None:
        self.record("", Warned(text))

    def task(self, key: str, title: str) -> Task:
        return _RecordingTask(self, title)


class _RecordingTask:
    def __init__(self, reporter: RecordingReporter, title: str) -> None:
        self._reporter = reporter
        self._title = title
        self._ended = False

    def phase(self, phase: Event) -> None:
        if not self._ended:
            self._reporter.record(self._title, phase)

    def progress(self, done: int, total: int) -> None:
        pass

    def finish(self, result: Event) -> None:
        self._end(result)

    def fail(self, reason: Event) -> None:
        self._end(reason)

    def _end(self, event: Event) -> None:
        if not self._ended:
            self._ended = True
            self._reporter.record(self._title, event)
