"""Progress of work that takes time, reported without knowledge of the listener.

Lower layers get a :class:`Reporter` as an argument and never print. The command line renders
one line per running task on a terminal and plain lines elsewhere; tests use
:class:`SilentReporter` or :class:`RecordingReporter`.

All methods may be called from any thread, and must neither block nor raise.
"""

from __future__ import annotations

import threading
from typing import Protocol

__all__ = ["RecordingReporter", "Reporter", "SilentReporter", "Task"]


class Task(Protocol):
    """One piece of work, such as the installation of one package.

    A task ends with exactly one :meth:`finish` or :meth:`fail`; calls after that are ignored.
    """

    def phase(self, name: str) -> None:
        """Enter the phase *name*: ``fetch``, ``waiting for process 7``, ``install``.

        In the phase ``queued`` it waits for its turn: that need not be shown, nor does its time
        count.
        """

    def progress(self, done: int, total: int) -> None:
        """Report *done* of *total* units (bytes, files) of the phase; 0 = unknown."""

    def finish(self, text: str = "") -> None:
        """Finish the task; *text* describes a result that is not plain."""

    def fail(self, text: str) -> None:
        """Fail the task; *text* is the one line that says why."""


class Reporter(Protocol):
    """The listener of a whole command."""

    def info(self, text: str) -> None:
        """Report a line that the user may want to read."""

    def warning(self, text: str) -> None:
        """Report a line that the user should read."""

    def task(self, key: str, title: str) -> Task:
        """Return a new task; *key* is unique among those that run (a hash), *title* is shown."""


class _SilentTask:
    def phase(self, name: str) -> None:
        pass

    def progress(self, done: int, total: int) -> None:
        pass

    def finish(self, text: str = "") -> None:
        pass

    def fail(self, text: str) -> None:
        pass


class SilentReporter:
    """Says nothing."""

    def info(self, text: str) -> None:
        pass

    def warning(self, text: str) -> None:
        pass

    def task(self, key: str, title: str) -> Task:
        return _SilentTask()


class RecordingReporter:
    """Keeps what was said as ``events``, tuples (title or "", kind, text), in order of time.

    ``--json`` output and tests read it; kinds are ``info``, ``warning``, ``start``, ``phase``,
    ``finish`` and ``fail``. Progress is not recorded.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._events: list[tuple[str, str, str]] = []

    @property
    def events(self) -> tuple[tuple[str, str, str], ...]:
        with self._lock:
            return tuple(self._events)

    def record(self, title: str, kind: str, text: str) -> None:
        with self._lock:
            self._events.append((title, kind, text))

    def info(self, text: str) -> None:
        self.record("", "info", text)

    def warning(self, text: str) -> None:
        self.record("", "warning", text)

    def task(self, key: str, title: str) -> Task:
        self.record(title, "start", key)
        return _RecordingTask(self, title)


class _RecordingTask:
    def __init__(self, reporter: RecordingReporter, title: str) -> None:
        self._reporter = reporter
        self._title = title
        self._ended = False

    def phase(self, name: str) -> None:
        if not self._ended:
            self._reporter.record(self._title, "phase", name)

    def progress(self, done: int, total: int) -> None:
        pass

    def finish(self, text: str = "") -> None:
        self._end("finish", text)

    def fail(self, text: str) -> None:
        self._end("fail", text)

    def _end(self, kind: str, text: str) -> None:
        if not self._ended:
            self._ended = True
            self._reporter.record(self._title, kind, text)
