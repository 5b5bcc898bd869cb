"""A process that computes facts of recipes one by one, as they are asked for."""

from __future__ import annotations

import json
import marshal
import os
import select
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from spack.repo.facts_process import NOT_STARTED, PATIENCE, culprit, environment, not_started
from spack.repo.facts_process import processor_seconds as seconds_of

__all__ = ["RecipeReader"]

#: Bytes of the length before each answer.
_LENGTH = 4


class RecipeReader:
    """Asks a child process for the facts of one recipe after the other.

    The process is started by the first question. One that ends, or computes for *patience* seconds,
    gives the recipe that it read an entry with an error; the next question starts another one.

    :param roots: of the repositories, in their order.
    """

    def __init__(self, roots: Sequence[Path], *, patience: float = PATIENCE) -> None:
        self._roots = roots
        self._patience = patience
        self._guard = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._answers = -1
        self._owner = 0

    def row(self, index: int, directory: str) -> Any:
        """Return the row of a recipe; see :mod:`spack.api.recipe_facts`.

        :raises RecipeError: the process could not be started.
        """
        with self._guard:
            process = self._running()
            assert process.stdin is not None
            try:
                process.stdin.write(json.dumps([index, directory]).encode() + b"\n")
                process.stdin.flush()
                answer = self._receive(process)
            except BrokenPipeError:
                answer = b""
            if answer:
                return marshal.loads(answer)
            late = process.poll() is None
            process.kill()
            errors = process.communicate()[1].decode("utf-8", "replace")
            self.close()
            if process.returncode == NOT_STARTED:
                raise not_started(errors, process.returncode, 0)
            spent = self._patience if late else None
            return culprit(self._roots, (index, directory), process.returncode, spent)

    def close(self) -> None:
        """End the process, if there is one of this process's own."""
        process, self._process = self._process, None
        if process is None or self._owner != os.getpid():
            return
        os.close(self._answers)
        for stream in (process.stdin, process.stderr):
            if stream is not None:
                stream.close()
        process.wait()

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None or self._owner != os.getpid():
            # A fork must not share the connection of the process that it comes from.
            self._answers, answers = os.pipe()
            command, variables = environment(sys.executable, "serve")
            self._process = subprocess.Popen(
                [*command, json.dumps([str(root) for root in self._roots]), str(answers)],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                env=variables,
                cwd="/",  # see compute_facts
                pass_fds=[answers],
            )
            os.close(answers)
            self._owner = os.getpid()
        return self._process

    def _receive(self, process: subprocess.Popen[bytes]) -> bytes:
        """Return one answer, or nothing: the process has ended, or takes too long."""
        length = int.from_bytes(self._read(process, _LENGTH), "big")
        return self._read(process, length) if length else b""

    def _read(self, process: subprocess.Popen[bytes], count: int) -> bytes:
        start, began = seconds_of(process.pid), time.monotonic()
        worked, worked_at = start, began
        data = b""
        while len(data) < count:
            ready, _, _ = select.select([self._answers], [], [], 0.5)
            if ready:
                part = os.read(self._answers, count - len(data))
                if not part:
                    process.wait()
                    return b""
                data += part
                continue
            seconds, now = seconds_of(process.pid), time.monotonic()
            if seconds != worked:
                worked, worked_at = seconds, now
            if seconds - start >= self._patience or now - worked_at >= self._patience:
                return b""
        return data
