"""Starting the processes that compute facts.

The parent never runs recipe code: it hands out work to ``spack.api.recipe_facts`` in child
processes and reads the marshalled rows that they leave.
"""

from __future__ import annotations

import json
import marshal
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any
from zlib import crc32

from spack.errors import RecipeError
from spack.repo.repository import Repository

__all__ = [
    "NOT_STARTED",
    "PATIENCE",
    "FactsBuilder",
    "compute_facts",
    "culprit",
    "environment",
    "not_started",
    "processor_seconds",
]

#: ``build(roots, work)`` yields a row for every pair of work; see :mod:`spack.api.recipe_facts`.
FactsBuilder = Callable[[Sequence[Path], Sequence["tuple[int, str]"]], Iterable[Any]]

#: Below this many recipes a second process costs more than it saves.
_WORTH_A_PROCESS = 60

#: Seconds for one recipe, which takes milliseconds, and between two looks at how far they are.
PATIENCE, _LOOK = 15.0, 0.5

#: Fields of ``/proc/PID/stat`` after the name of the program: time as a user and in the kernel.
_USER_TIME, _KERNEL_TIME = 11, 12

#: Exit status of a process whose engine could not be imported.
NOT_STARTED = 70

_BOOT = (
    "import sys,json;sys.path[:]=json.loads(sys.argv[1])\n"
    "try:\n from spack.api import recipe_facts\n"
    f"except BaseException as e:\n sys.stderr.write(repr(e));sys.exit({NOT_STARTED})\n"
    "sys.exit(getattr(recipe_facts, sys.argv[2])(sys.argv[3:]))"
)


def compute_facts(
    roots: Sequence[Path],
    work: Sequence[tuple[int, str]],
    *,
    processes: int = 2,
    python: str = sys.executable,
    patience: float = PATIENCE,
) -> Iterator[Any]:
    """Compute the facts of *work*, pairs of an index into *roots* and a recipe's directory.

    A recipe that ends the process, or keeps it busy for *patience* seconds, gets a row with an
    error, and the others are read by a new process.

    :param processes: at most so many run at once.
    :raises RecipeError: a process ended before it read the first recipe.
    """
    count = max(1, min(processes, len(work) // _WORTH_A_PROCESS))
    with tempfile.TemporaryDirectory(prefix="spack-facts-") as scratch:
        pending = [work[start::count] for start in range(count)]
        running = [
            _start(python, roots, part, Path(scratch), start) for start, part in enumerate(pending)
        ]
        started = count
        try:
            while running:
                process, answer, part = running.pop(0)
                errors, late = _wait(process, answer, patience)
                rows = list(_rows(answer))
                yield from rows
                missing = part[len(rows) :]
                if not missing:
                    continue
                if not late and process.returncode == NOT_STARTED:
                    raise not_started(errors, process.returncode, len(rows))
                yield culprit(roots, missing[0], process.returncode, patience if late else None)
                if missing[1:]:
                    again = _start(python, roots, missing[1:], Path(scratch), started)
                    running.append(again)
                    started += 1
        finally:
            for process, _, _ in running:
                if process.poll() is None:
                    process.kill()
                    process.communicate()


def not_started(errors: str, status: int, read: int) -> RecipeError:
    """Return the error for a process whose engine could not be imported."""
    return RecipeError(
        "the process that reads recipes has failed",
        errors or None,
        facts={"status": status, "read": read},
        hint="is this copy of spack complete? its own modules could not be loaded",
    )


def environment(python: str, function: str) -> tuple[list[str], dict[str, str]]:
    """Return the command that runs *function* of :mod:`spack.api.recipe_facts`, and its variables.

    The arguments of the function follow.
    """
    library = str(Path(__file__).resolve().parents[2])
    path = json.dumps(list(dict.fromkeys([library, *map(os.path.abspath, filter(None, sys.path))])))
    command = [python, "-I", "-S", "-B", "-X", "utf8", "-c", _BOOT, path, function]
    return command, {"PATH": os.defpath, "LC_ALL": "C.UTF-8"}


def _wait(process: subprocess.Popen[bytes], answer: Path, patience: float) -> tuple[str, bool]:
    """Wait for the end; what it wrote, and whether it was stopped because nothing came any more.

    Nothing comes if it computed for *patience* seconds, or neither computed nor answered for as
    long: on a busy machine it waits for its turn, which is not the recipe's fault.
    """
    answered, worked = -1, -1.0
    answered_at, worked_at = 0.0, time.monotonic()
    while True:
        try:
            _, errors = process.communicate(timeout=min(_LOOK, patience))
        except subprocess.TimeoutExpired:
            size = answer.stat().st_size if answer.exists() else 0
            seconds, now = processor_seconds(process.pid), time.monotonic()
            if (size, seconds) != (answered, worked):
                worked, worked_at = seconds, now
            if size != answered:
                answered, answered_at = size, seconds
            if seconds - answered_at < patience and now - worked_at < patience:
                continue
            process.kill()
            _, errors = process.communicate()
            return errors.decode("utf-8", "replace").strip(), True
        return errors.decode("utf-8", "replace").strip(), False


def processor_seconds(pid: int) -> float:
    """Return how long a process has computed; 0 where the system does not report it."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as stream:
            fields = stream.read().rpartition(")")[2].split()
    except OSError:
        return 0.0
    ticks = int(fields[_USER_TIME]) + int(fields[_KERNEL_TIME])
    return ticks / os.sysconf("SC_CLK_TCK")


def culprit(
    roots: Sequence[Path], item: tuple[int, str], status: int, seconds: float | None
) -> tuple[Any, ...]:
    """Return the entry of the recipe that the process was reading when it ended."""
    index, directory = item
    file = Repository.open(roots[index]).packages / directory / "package.py"
    identity = (0, 0, 0, 0)
    # A signal may have come from outside, so that recipe is read again the next time.
    if seconds is not None or status >= 0:
        with suppress(OSError):
            found = file.stat()
            checksum = crc32(file.read_bytes())
            identity = (found.st_mtime_ns, found.st_size, found.st_ctime_ns, checksum)
    if seconds is not None:
        what = f"is not read after {seconds:.0f} seconds"
    elif status < 0:
        what = f"killed the process that read it (signal {-status})"
    else:
        what = f"ended the process that read it (status {status})"
    hint = "what a recipe does when it is loaded must be quick and harmless: move it into a method"
    message = (f"{file}:1: the recipe {what}", hint)
    return (index, directory, identity, None, message, False, (), (), (), "")


def _start(
    python: str, roots: Sequence[Path], work: Sequence[tuple[int, str]], scratch: Path, index: int
) -> tuple[subprocess.Popen[bytes], Path, Sequence[tuple[int, str]]]:
    request, answer = scratch / f"{index}.json", scratch / f"{index}.rows"
    document = {"repositories": [str(root) for root in roots], "work": list(work)}
    request.write_text(json.dumps(document), encoding="utf-8")
    command, variables = environment(python, "main")
    process = subprocess.Popen(
        [*command, str(request), str(answer)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env=variables,
        cwd="/",  # facts are cached: they must not depend on where the command was called
    )
    return process, answer, work


def _rows(answer: Path) -> Iterator[Any]:
    try:
        stream = answer.open("rb")
    except FileNotFoundError:
        return
    with stream:
        while True:
            try:
                yield marshal.load(stream)
            except (EOFError, ValueError):
                return
