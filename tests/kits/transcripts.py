"""Commands with their output, as a user types and sees them: read, run and compared.

Transcripts (``tests/cases/cli``) are written for tests: what differs from run to run is a mark,
``<hash>``. Pages of the documentation are written for readers and show one real run; there the
marks are put in by :func:`with_marks`. In a page

* a block ``console`` has commands after ``$`` with their output; a command without output need only
  succeed, or end with the status in brackets;
* a block ``yaml`` or ``python`` that begins with a comment that is a path is written to that file;
* a comment ``<!-- run`` has commands that are run and not shown to the reader.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

__all__ = ["PageStep", "blocks", "compared", "page_steps", "pattern", "run_page", "with_marks"]

MARKS = {
    "hash": r"[a-z2-7]{32}",
    "hash7": r"[a-z2-7]{7}",
    "time": r"\d+(?:\.\d)?(?:m \d+)?s",
    "n": r"\d+",
    "version": r"\d[\w.]*",
    "host": r"[a-z]+-\w+(?:-\w+)?",
    "gap": r" +",
    "...": r".*",
}

#: What a page shows and another run shows otherwise, by mark.
_REAL = re.compile(
    r"(?P<hash>\b[a-z2-7]{32}\b)"
    r"|(?P<hash7>(?<=\d/)[a-z2-7]{7}\b|^[a-z2-7]{7}(?=  )|(?<=\]  )[a-z2-7]{7}(?=  ))"
    r"|(?P<time>\b\d+(?:\.\d)?s\b|\b\d+m \d+s\b)"
    r"|(?P<version>(?<=[@-])\d[\w.]*)"
    r"|(?P<host>\blinux-(?:\w+-)?x86_64\w*)"
    r"|(?P<n>\b\d+\b)"
    r"|(?P<gap> {2,}(?=\S))"
)

_FENCE = re.compile(
    r"^```(?P<language>\w*)\n(?P<block>.*?)^```$|^<!-- run\n(?P<run>.*?)^-->$", re.M | re.S
)
_FILE = re.compile(r"# (?P<path>(?:~/|\./|[\w.-]+/)?[\w./-]+\.\w+)\n")
_PROMPT = re.compile(r"(?:\([\w.-]+\) )?\$ ")
_END = "\x1e"


class PageStep(NamedTuple):
    """One command of a page.

    :ivar output: the lines that it prints; None if any will do.
    """

    command: str
    output: list[str] | None
    status: int


def blocks(text: str) -> list[tuple[str, list[str], int]]:
    """Return commands with the lines that they print and their status."""
    found: list[tuple[str, list[str], int]] = []
    for line in text.splitlines():
        prompt = _PROMPT.match(line)
        if prompt:
            found.append((line[prompt.end() :], [], 0))
        elif found and re.fullmatch(r"\[\d+\]", line):
            command, lines, _ = found.pop()
            found.append((command, lines, int(line[1:-1])))
        elif found and (line or found[-1][1]):
            found[-1][1].append(line)
    return [
        (command, "\n".join(lines).strip("\n").splitlines(), code) for command, lines, code in found
    ]


def pattern(lines: list[str], locations: Mapping[str, str]) -> str:
    """Return the lines as a regular expression."""
    parts = []
    for line in lines:
        if line == "...":
            parts.append(r"(?:.*\n)*?")
            continue
        words = re.split(r"<([a-z0-9]+|\.\.\.)>", line)
        for position in range(1, len(words), 2):
            mark = words[position]
            known = MARKS.get(mark) or (re.escape(locations[mark]) if mark in locations else None)
            words[position] = known or re.escape(f"<{mark}>")
        words[::2] = map(re.escape, words[::2])
        parts.append("".join(words) + r"\n")
    return "".join(parts)


def with_marks(line: str) -> str:
    """Return a line of a page with marks for what differs from run to run."""
    if line == "...":
        return line
    return _REAL.sub(lambda m: f"<{m.lastgroup}>", line).replace("…", "<...>")


def page_steps(text: str) -> Iterator[PageStep]:
    """Yield what a reader of a page does, in order."""
    for fence in _FENCE.finditer(text):
        if fence["run"]:
            yield PageStep(fence["run"], None, 0)
        elif fence["language"] == "console":
            for command, lines, status in blocks(fence["block"]):
                yield PageStep(command, [with_marks(line) for line in lines] or None, status)
        else:
            file = _FILE.match(fence["block"])
            if file:
                path = file["path"].replace("~", "$HOME", 1)
                content = fence["block"][file.end() :]
                yield PageStep(
                    f'mkdir -p "$(dirname "{path}")"\ncat >>"{path}" <<"END"\n{content}END\n',
                    None,
                    0,
                )


def compared(step: PageStep, shown: str, status: int, names: Mapping[str, str]) -> str | None:
    """Return how what a command printed differs from the page, or None.

    :param names: what the page calls the directories of this run.
    """
    for location, name in sorted(names.items(), key=lambda x: -len(x[0])):
        shown = shown.replace(location, name)
    shown = "".join(f"{line.rstrip()}\n" for line in shown.strip("\n").splitlines())
    print(f"$ {step.command}\n{shown}[{status}]")
    if status != step.status:
        return f"$ {step.command}\n{shown}[{status}]"
    if step.output is not None and not re.fullmatch(pattern(step.output, {}), shown):
        expected = "\n".join(step.output)
        return f"$ {step.command}\n{shown}-- expected --\n{expected}"
    return None


def run_page(
    text: str,
    variables: Mapping[str, str],
    home: Path,
    names: Mapping[str, str],
    *,
    cwd: Path | None = None,
) -> list[str]:
    """Carry out a page in one shell, as its reader does; return what differs from the page.

    :param names: what the page calls the directories of this run.
    :param cwd: where the reader begins; *home* by default.
    """
    steps = list(page_steps(text))
    script = "".join(f"{{\n{x.command}\n}} 2>&1\nprintf '{_END}%d{_END}' $?\n" for x in steps)
    done = subprocess.run(
        ["bash", "-c", script],
        env=variables,
        cwd=cwd or home,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=900,
    )
    parts = done.stdout.split(_END)
    problems = []
    for step, shown, status in zip(steps, parts[::2], parts[1::2]):
        problem = compared(step, shown, int(status), names)
        problems += [problem] if problem else []
    if len(parts) != 2 * len(steps) + 1:
        problems.append(f"the shell ended early: {done.stderr}")
    return problems
