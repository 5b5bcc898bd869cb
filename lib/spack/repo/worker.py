"""Starting the processes that compute facts.

The parent never runs recipe code: it hands out work to ``spack.api.facts`` in child processes and
reads the marshalled rows that they leave.
"""

from __future__ import annotations

import json
import marshal
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from spack.errors import RecipeError

__all__ = ["FactsBuilder", "compute_facts"]

#: ``build(roots, work)`` yields a row for every pair of work; see :mod:`spack.api.facts`.
FactsBuilder = Callable[[Sequence[Path], Sequence["tuple[int, str]"]], Iterable[Any]]

#: Below this many recipes a second process costs more than it saves.
_WORTH_A_PROCESS = 60

_BOOT = (
    "import sys,json;sys.path[:]=json.loads(sys.argv[1]);"
    "from spack.api.facts import main;sys.exit(main(sys.argv[2:]))"
)


def compute_facts(
    roots: Sequence[Path],
    work: Sequence[tuple[int, str]],
    *,
    processes: int = 2,
    python: str = sys.executable,
) -> Iterator[Any]:
    """Compute the facts of *work*, pairs of an index into *roots* and a recipe's directory.

    :param processes: at most so many run at once.
    :raises RecipeError: a process ended before it had answered everything.
    """
    count = max(1, min(processes, len(work) // _WORTH_A_PROCESS))
    with tempfile.TemporaryDirectory(prefix="spack-facts-") as scratch:
        running = [
            _start(python, roots, work[start::count], Path(scratch), start)
            for start in range(count)
        ]
        try:
            for process, answer, expected in running:
                _, errors = process.communicate()
                rows = list(_rows(answer))
                yield from rows
                if process.returncode != 0 or len(rows) != expected:
                    raise RecipeError(
                        "the process that reads recipes has failed",
                        errors.decode("utf-8", "replace").strip() or None,
                        facts={"status": process.returncode, "read": len(rows)},
                        hint="a recipe may have ended the interpreter; the last lines say where",
                    )
        finally:
            for process, _, _ in running:
                if process.poll() is None:
                    process.kill()
                    process.communicate()


def _start(
    python: str, roots: Sequence[Path], work: Sequence[tuple[int, str]], scratch: Path, index: int
) -> tuple[subprocess.Popen[bytes], Path, int]:
    request, answer = scratch / f"{index}.json", scratch / f"{index}.rows"
    document = {"repositories": [str(root) for root in roots], "work": list(work)}
    request.write_text(json.dumps(document), encoding="utf-8")
    library = str(Path(__file__).resolve().parents[2])
    path = json.dumps(list(dict.fromkeys([library, *map(os.path.abspath, filter(None, sys.path))])))
    process = subprocess.Popen(
        [python, "-I", "-S", "-B", "-X", "utf8", "-c", _BOOT, path, str(request), str(answer)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env={"PATH": os.defpath, "LC_ALL": "C.UTF-8"},
        cwd="/",  # facts are cached: they must not depend on where the command was called
    )
    return process, answer, len(work)


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
