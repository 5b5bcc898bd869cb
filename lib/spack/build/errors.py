"""The lines of a build's log that say what went wrong.

A log ends with the complaints of those who only pass an error on (make, ninja, pip). The real
error stands before them: the first message of a compiler, or the end of a traceback.
:func:`excerpt` looks for the sorts of :data:`SORTS` in their order and shows the first that occurs.
"""

from __future__ import annotations

import re
from typing import List, NamedTuple, Sequence, Tuple

__all__ = ["SORTS", "Sort", "excerpt"]


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

SORTS: Tuple[Sort, ...] = (
    # file:line:column: error: is what gcc, clang and Cython write.
    Sort("compiler", r"(?i)^\s*\S+:\d+(:\d+)?: (fatal )?error:", 1, 3, limit=3),
    Sort("rust", r"^\s*error(\[E\d+\])?: (?!could not compile|subprocess)", 0, 6),
    Sort("linker", r"undefined reference to|cannot find -l|ld returned \d", 1, 1, limit=3),
    Sort("cmake", r"^\s*CMake Error", 0, 8),
    Sort("meson", rf"^\s*(\S+:\d+:\d+: )?ERROR: {_PASSED_ON}", 1, 2),
    Sort("configure", r"^\s*configure: error:", 1, 2),
    Sort("exception", r"^\s*[A-Za-z_][\w.]*(Error|Exception|Exit|Warning)(:|$)", 8, 1, last=True),
    Sort("missing", r"not found$|No such file or directory|Permission denied|No module named", 1, 1),
    Sort("any", r"(?i)\berror\b", 2, 4),
)

#: Complaints of those who pass an error on.
ECHOES = re.compile(
    r"^\s*(g?make(\[\d+\])?: \*\*\*|ninja: build stopped|error: subprocess-exited-with-error"
    r"|note: This (error|is an issue)|FAILED: |==> (Error|Warning): |ERROR: Failed building wheel"
    r"|ERROR: Could not build wheels|hint: See above|error: metadata-generation-failed"
    r"|error: failed-wheel-build-for-install|\u00d7|\u2570\u2500>|Exception information:)"
)

_PIP_FRAME = re.compile(r'File ".*/(pip|_pytest)/.*", line \d+')


def excerpt(lines: Sequence[str], limit: int = 24) -> List[str]:
    """At most *limit* lines of the log *lines*; the end of the log when nothing stands out."""
    stripped = [line.rstrip("\n") for line in lines]
    useful = [not ECHOES.match(line) for line in stripped]
    for sort in SORTS:
        pattern = re.compile(sort.pattern)
        found = [
            number
            for number, line in enumerate(stripped)
            if useful[number] and pattern.search(line)
        ]
        if sort.name == "exception":
            found = [number for number in found if not _of_pip(stripped, number)]
        if found:
            chosen = found[-sort.limit :] if sort.last else found[: sort.limit]
            return _with_context(stripped, useful, chosen, sort)[:limit]
    return [line for line, keep in zip(stripped, useful) if keep and line.strip()][-limit:]


def _of_pip(lines: Sequence[str], number: int) -> bool:
    """Whether the exception at *number* ends pip's own traceback, an echo of the real one."""
    return any(_PIP_FRAME.search(line) for line in lines[max(0, number - 3) : number])


def _with_context(
    lines: Sequence[str], useful: Sequence[bool], chosen: Sequence[int], sort: Sort
) -> List[str]:
    numbers = {
        near
        for number in chosen
        for near in range(number - sort.before, number + sort.after + 1)
        if 0 <= near < len(lines) and useful[near] and lines[near].strip()
    }
    result: List[str] = []
    previous = None
    for number in sorted(numbers):
        if previous is not None and number > previous + 1 and len(chosen) > 1:
            result.append("...")
        result.append(lines[number])
        previous = number
    return result
