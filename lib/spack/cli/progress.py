"""The command line's listeners: live lines on a terminal, plain lines elsewhere.

Both implement :class:`spack.util.report.Reporter`. On a terminal each running task is one line
with its phase and time, redrawn in place below the finished ones (rich's ``Live``); elsewhere a
task writes one line when it starts to build and one when it ends, so that a log of a batch job
stays readable.
"""

from __future__ import annotations

import threading
import time
from typing import Any, Callable, TextIO

from spack.cli.event_text import lines_of, phase_text, result_text
from spack.cli.printable import printable
from spack.cli.render import Colors, use_color
from spack.install.events import Building, InJob, InPhase, Queued
from spack.util.report import Event, Reporter, Task

__all__ = ["LiveReporter", "PlainReporter", "make_reporter"]

Clock = Callable[[], float]

#: Phases that begin an install for a user without a terminal to redraw; the others are not shown.
_ANNOUNCED = (Building, InPhase)


def make_reporter(
    stream: TextIO, color: str | None = None, quiet: bool = False, clock: Clock = time.monotonic
) -> Reporter:
    """Return the reporter that suits *stream*."""
    if not quiet and stream.isatty() and color != "never" and use_color(stream, color):
        return LiveReporter(stream, clock)
    return PlainReporter(stream, color, quiet, clock)


def seconds(value: float) -> str:
    """Return ``8.4s``, ``2m 05s``, ``1h 02m``."""
    if value < 60:
        return f"{value:.1f}s"
    minutes, rest = divmod(int(value), 60)
    if minutes < 60:
        return f"{minutes}m {rest:02d}s"
    return f"{minutes // 60}h {minutes % 60:02d}m"


class PlainReporter:
    """Lines only, for pipes, files and terminals that cannot be redrawn.

    With *quiet* only warnings and failures are written.
    """

    def __init__(
        self, stream: TextIO, color: str | None, quiet: bool, clock: Clock = time.monotonic
    ) -> None:
        self._stream = stream
        self._paint = Colors(use_color(stream, color)).paint
        self._quiet = quiet
        self._clock = clock
        self._lock = threading.Lock()

    def report(self, event: Event) -> None:
        for line in lines_of(event):
            self._info(line)

    def _info(self, text: str) -> None:
        if not self._quiet:
            self._write(f"{self._paint('==>', 'arrow')} {printable(text)}")

    def warning(self, text: str) -> None:
        self._write(f"{self._paint('==> Warning:', 'warning')} {printable(text)}")

    def task(self, key: str, title: str) -> Task:
        return _PlainTask(self, title)

    def close(self) -> None:
        """Do nothing; no line is being drawn."""

    def _write(self, text: str) -> None:
        with self._lock:
            self._stream.write(text + "\n")
            self._stream.flush()


class _PlainTask:
    def __init__(self, reporter: PlainReporter, title: str) -> None:
        self._reporter = reporter
        self._title = title
        self._start = reporter._clock()
        self._announced = False
        self._ended = False

    def phase(self, phase: Event) -> None:
        if self._announced or not isinstance(phase, _ANNOUNCED) or self._ended:
            return
        self._announced = True
        self._start = self._reporter._clock()
        self._reporter._info(f"Installing {self._title}")

    def progress(self, done: int, total: int) -> None:
        pass

    def finish(self, result: Event) -> None:
        if self._ended:
            return
        self._ended = True
        took = seconds(self._reporter._clock() - self._start)
        text = result_text(result, self._title)
        self._reporter._info(f"{self._title}: {text} ({took})")

    def fail(self, reason: Event) -> None:
        if not self._ended:
            self._ended = True
            text = printable(result_text(reason, self._title))
            self._reporter._write(
                f"{self._reporter._paint('==> Failed:', 'error')} {self._title}: {text}"
            )


class LiveReporter:
    """One line per running task, redrawn ten times a second while any task runs."""

    def __init__(self, stream: TextIO, clock: Clock = time.monotonic) -> None:
        # start-up: rich costs 60 ms and more, and most commands have no task to show
        from rich.console import Console

        self._console = Console(file=stream, highlight=False, soft_wrap=True)
        self._clock = clock
        self._lock = threading.RLock()
        self._tasks: dict[str, _LiveTask] = {}
        self._live: Any = None
        self._done = 0

    def report(self, event: Event) -> None:
        for line in lines_of(event):
            self._console.print(f"[bold blue]==>[/] {_escape(line)}")

    def warning(self, text: str) -> None:
        self._console.print(f"[bold yellow]==> Warning:[/] {_escape(text)}")

    def task(self, key: str, title: str) -> Task:
        from rich.live import Live

        task = _LiveTask(self, key, title)
        with self._lock:
            self._tasks[key] = task
            if self._live is None:
                self._live = Live(
                    get_renderable=self._render,
                    console=self._console,
                    transient=True,
                    refresh_per_second=10,
                )
                self._live.start()
        return task

    def close(self) -> None:
        """Stop redrawing and leave the cursor below the last line."""
        with self._lock:
            live, self._live = self._live, None
            self._tasks.clear()
        if live is not None:
            live.stop()

    def _render(self) -> Any:
        from rich.text import Text

        now = self._clock()
        with self._lock:
            shown = [task.line(now) for task in self._tasks.values() if task.started]
        return Text.from_markup("\n".join(shown[: max(1, self._console.height - 2)]))

    def _end(self, task: _LiveTask, line: str) -> None:
        with self._lock:
            self._tasks.pop(task.key, None)
            idle = not self._tasks
        self._console.print(line)
        if idle:
            self.close()


class _LiveTask:
    def __init__(self, reporter: LiveReporter, key: str, title: str) -> None:
        self.key = key
        self.started = False
        self._reporter = reporter
        self._title = title
        self._phase = ""
        self._share = ""
        self._begin = reporter._clock()
        self._ended = False

    def line(self, now: float) -> str:
        took = seconds(now - self._begin)
        return f"    [cyan]{_escape(self._title)}[/] {self._phase}{self._share} [dim]{took}[/]"

    def phase(self, phase: Event) -> None:
        if not self.started:
            self._begin = self._reporter._clock()
        self.started = not isinstance(phase, (Queued, InJob))
        self._phase = _escape(phase_text(phase))
        self._share = ""

    def progress(self, done: int, total: int) -> None:
        self._share = f" {100 * done // total}%" if total else ""

    def finish(self, result: Event) -> None:
        if self._ended:
            return
        self._ended = True
        text = result_text(result, self._title)
        took = seconds(self._reporter._clock() - self._begin)
        self._reporter._end(
            self, f"[green]\\[+][/] {_escape(self._title)} {_escape(text)} [dim]{took}[/]"
        )

    def fail(self, reason: Event) -> None:
        if not self._ended:
            self._ended = True
            text = result_text(reason, self._title)
            self._reporter._end(self, f"[red]\\[x][/] {_escape(self._title)}: {_escape(text)}")


def _escape(text: str) -> str:
    return printable(text).replace("[", "\\[")
