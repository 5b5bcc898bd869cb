"""The lines of a build's log that say what went wrong.

A log ends with the complaints of programs that only pass an error on (make, ninja, pip). The
real error is before them: the first message of a compiler, or the end of a traceback.
:func:`excerpt` looks for the sorts of :data:`SORTS` in their order and shows the first that occurs.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from typing import NamedTuple

__all__ = [
    "HINTS",
    "PHASE_LINE",
    "SORTS",
    "Sort",
    "excerpt",
    "hint",
    "log_lines",
    "since_last_phase",
]

#: Begins the line of the log that a phase begins with.
PHASE_LINE = "phase: "


class Sort(NamedTuple):
    """A sort of error.

    :param pattern: of the line that is shown.
    :param before: lines of context before it.
    :param after: lines of context after it.
    :param last: the last such line counts, not the first.
    :param limit: how many of them are shown.
    """

    name: str
    pattern: str
    before: int
    after: int
    last: bool = False
    limit: int = 1


_PASSED_ON = "(?!.*exited with|Command errored)"

SORTS: tuple[Sort, ...] = (
    # file:line:column: error: is what gcc, clang and Cython write.
    Sort("compiler", r"(?i)^\s*\S+:\d+(:\d+)?: (fatal )?error:", 1, 3, limit=3),
    Sort("rust", r"^\s*error(\[E\d+\])?: (?!could not compile|subprocess)", 0, 6),
    Sort("linker", r"undefined reference to|cannot find -l|ld returned \d", 1, 1, limit=3),
    Sort("cmake", r"^\s*CMake Error", 0, 8),
    Sort("meson", rf"^\s*(\S+:\d+:\d+: )?ERROR: {_PASSED_ON}", 1, 2),
    Sort("configure", r"^\s*configure: error:", 1, 2),
    Sort("exception", r"^\s*[A-Za-z_][\w.]*(Error|Exception|Exit|Warning)(:|$)", 8, 1, last=True),
    Sort(
        "missing", r"not found$|No such file or directory|Permission denied|No module named", 1, 1
    ),
    Sort("any", r"(?i)\berror\b", 2, 4),
)

# Start-up: patterns are texts, compiled when a build has failed.

#: Complaints of programs that pass an error on.
ECHOES = (
    r"^\s*(g?make(\[\d+\])?: \*\*\*|ninja: build stopped|error: subprocess-exited-with-error"
    r"|note: This (error|is an issue)|FAILED: |==> (Error|Warning): |ERROR: Failed building wheel"
    r"|ERROR: Could not build wheels|hint: See above|error: metadata-generation-failed"
    r"|error: failed-wheel-build-for-install|\u00d7|\u2570\u2500>|Exception information:)"
)

#: Begins the line of a command that is started, whose words do not count.
COMMAND = "==> "

#: What can be done about an error that is shown; ``{0}`` is the pattern's first group.
HINTS: tuple[tuple[str, str], ...] = (
    (
        r"Python\.h: No such file|has no Python\.h",
        "the interpreter has no headers: install its development package, or use another one",
    ),
    (
        r"fatal error: (\S+): No such file",
        "{0} belongs to a library that the recipe does not depend on, or that has no headers here",
    ),
    (
        r"No module named '?([A-Za-z_]\w*)",
        "the module {0} is not visible in the build: the recipe may lack a "
        'depends_on(..., type="build")',
    ),
    (r"cannot find -l([^\s:]+)", "the library {0} is of no dependency of the recipe"),
    (
        r"No space left on device|Disk quota exceeded",
        "free some space, or set config:build_stage or config:install_tree:root to another disk",
    ),
    (
        r"Failed to establish a new connection|Could not resolve|Name or service not known"
        r"|[Nn]ame resolution|[Nn]etwork is unreachable|EAI_AGAIN|Connection refused|dns error",
        "builds have no network: what they download must be a resource of the recipe; "
        "config:build_env:network:[NAME] opens it for one package",
    ),
)

_TRACEBACK = r"^(\s*)Traceback \(most recent call last\):"
_FRAME = r'^\s*File "(.*)", line \d+'

#: Frames of callers of what has failed: pip, the import system, this engine.
_CALLERS = (
    r"/pip/_(internal|vendor)/|/pyproject_hooks/|^<frozen |/importlib/__init__\.py$"
    r"|/spack/(api|build|build_systems)/"
)

#: How many frames of a traceback are shown, and characters of a line.
FRAMES, LINE_LENGTH = 4, 1000

#: How much of the end of a log is looked at.
LOG_BYTES = 16 << 20


def log_lines(path: str) -> list[str]:
    """Return the last lines of a log, of :data:`LOG_BYTES` at most. :raises OSError: no."""
    with open(path, "rb") as stream:
        stream.seek(max(0, os.fstat(stream.fileno()).st_size - LOG_BYTES))
        return stream.read().decode("utf-8", "replace").splitlines()


def since_last_phase(lines: Sequence[str]) -> Sequence[str]:
    """Return the lines of a log that the last phase has written; all of them without a phase."""
    begins = (n + 1 for n in reversed(range(len(lines))) if PHASE_LINE in lines[n])
    return lines[next(begins, 0) :]


def excerpt(lines: Sequence[str], limit: int = 24) -> list[str]:
    """Return at most *limit* lines of the log *lines*; its end when no line is an error."""
    stripped = [_shortened(line.rstrip()) for line in lines]
    useful = [bool(line) and not re.match(ECHOES, line) for line in stripped]
    traceback, inside = _tracebacks(stripped)
    for number in inside:
        useful[number] = False
    sought = [n for n, line in enumerate(stripped) if not line.startswith(COMMAND)]
    for sort in SORTS:
        if sort.name == "exception" and traceback:
            return traceback[-limit:]
        pattern = re.compile(sort.pattern)
        found = [n for n in sought if useful[n] and pattern.search(stripped[n])]
        if found:
            chosen = found[-sort.limit :] if sort.last else found[: sort.limit]
            return _with_context(stripped, useful, chosen, sort)[:limit]
    return [line for line, keep in zip(stripped, useful) if keep][-limit:]


def _shortened(line: str) -> str:
    return line if len(line) <= LINE_LENGTH else f"{line[:LINE_LENGTH]}..."


def hint(shown: Sequence[str]) -> str | None:
    """Return a hint for the lines of :func:`excerpt`, where one is known."""
    text = "\n".join(shown)
    for pattern, template in HINTS:
        match = re.search(pattern, text)
        if match is not None:
            return template.format(*match.groups())
    return None


def _tracebacks(lines: Sequence[str]) -> tuple[list[str], set[int]]:
    """Return the last traceback with frames besides callers', and all lines of tracebacks."""
    shown: list[str] = []
    inside: set[int] = set()
    number = 0
    while number < len(lines):
        start = re.match(_TRACEBACK, lines[number])
        if start is None:
            number += 1
            continue
        end = _end(lines, number, len(start.group(1)))
        inside.update(range(number, end))
        frames = _frames(lines[number + 1 : end - 1])
        if frames:
            kept = frames[-FRAMES:]
            shown = [line for frame in kept for line in frame] + [lines[end - 1]]
        number = end
    return shown, inside


def _end(lines: Sequence[str], start: int, indent: int) -> int:
    """Return the line after the traceback that begins at *start*: after that with the exception."""
    for number in range(start + 1, len(lines)):
        text = lines[number]
        if text and len(text) - len(text.lstrip()) <= indent:
            return number + 1
    return len(lines)


def _frames(lines: Sequence[str]) -> list[list[str]]:
    """Return the frames, each with its lines; those of callers are left out."""
    frames: list[list[str]] = []
    for line in lines:
        frame = re.match(_FRAME, line)
        if frame is not None:
            frames.append([line])
        elif frames:
            frames[-1].append(line)
    return [x for x in frames if not re.search(_CALLERS, _file(x[0]))]


def _file(line: str) -> str:
    frame = re.match(_FRAME, line)
    return frame.group(1) if frame else ""


def _with_context(
    lines: Sequence[str], useful: Sequence[bool], chosen: Sequence[int], sort: Sort
) -> list[str]:
    numbers = {
        adjacent
        for number in chosen
        for adjacent in range(number - sort.before, number + sort.after + 1)
        if 0 <= adjacent < len(lines) and useful[adjacent]
    }
    result: list[str] = []
    previous = None
    for number in sorted(numbers):
        if previous is not None and number > previous + 1 and len(chosen) > 1:
            result.append("...")
        result.append(lines[number])
        previous = number
    return result
