"""A process that has the engine loaded, and forks a worker for each build.

Loading the engine takes a third of what a small pure-Python package takes. So an install starts
one process that does nothing else, in the clean environment, before its first build; it runs no
code of a recipe. Each worker is a fork of it, leads a session of its own, and gets its own
environment, directory and log: it is what a process started for it would be, one for each build
(DESIGN, decision 2). Where the system or the environment of a build does not allow that, the
worker is started as usual.

Requests go through a socket, as JSON with descriptors beside it (unix(7), SCM_RIGHTS); the end of
the socket is the end of the server, so it does not outlive an installer that is killed. Through a
pipe for each worker come ``pid <number>``, written by the worker once it leads its session, and
``exit <status>``, written by the server.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence

from spack.build.clean_environment import STAGE_DIRECTORIES

__all__ = ["ForkServer", "Forked"]

#: Runs in the server's interpreter: finds the engine, then hands over.
_BOOT = """
import sys
sys.path.extend(sys.argv[2:])
from spack.build.forkserver_process import serve
sys.exit(serve(int(sys.argv[1])))
"""

#: Variables that are for what a build starts, not for its worker: they may differ from the
#: server's. Any other may mean something to Python, or to the C library, when a process begins.
_PER_BUILD = frozenset(
    (
        *STAGE_DIRECTORIES,
        "PATH",
        "GIT_CEILING_DIRECTORIES",
        "PDM_BUILD_SCM_VERSION",
        "SETUPTOOLS_SCM_PRETEND_VERSION",
    )
)


class Forked:
    """A worker that the server has forked: as much of ``subprocess.Popen`` as builds need.

    :ivar pid: its process id, which is that of its process group.
    :ivar returncode: its status once it is known; that of a killed process when the server died
        before it.
    """

    def __init__(self, pid: int, answers: int) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self._answers = answers

    def poll(self) -> int | None:
        """Return the status, or None while it runs."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            return self.wait(0)
        return None

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end. :raises subprocess.TimeoutExpired: as ``Popen`` does."""
        if self.returncode is None:
            ready = select.poll()
            ready.register(self._answers, select.POLLIN)
            if not ready.poll(None if timeout is None else timeout * 1000):
                raise subprocess.TimeoutExpired("worker", timeout or 0)
            kind, status = _answer(self._answers)
            self.returncode = status if kind == "exit" else -9
            os.close(self._answers)
        return self.returncode


class ForkServer:
    """Starts the server; it loads the engine meanwhile.

    :param environment: as a build has it; what is of one build only does not matter.
    :param library_path: where the engine and its libraries are.
    :param inherited: descriptors that workers inherit.
    :raises OSError: it cannot be started.
    """

    def __init__(
        self,
        interpreter: str,
        environment: Mapping[str, str],
        library_path: Sequence[str],
        inherited: Sequence[int] = (),
    ) -> None:
        self._environment = _common(environment)
        self._guard = threading.Lock()
        self._requests, other_part = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with other_part:
            self._process = subprocess.Popen(
                [interpreter, "-I", "-S", "-c", _BOOT, str(other_part.fileno()), *library_path],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env=self._environment,
                cwd="/",
                pass_fds=(other_part.fileno(), *inherited),
                start_new_session=True,
            )

    @staticmethod
    def is_possible() -> bool:
        """Return whether forks can be relied on: not where system libraries start threads."""
        return sys.platform.startswith("linux")

    def fork(
        self,
        job_path: str,
        environment: Mapping[str, str],
        directory: str,
        log: int,
        events: int,
        lifeline: int,
    ) -> Forked | None:
        """Return a worker for the job, see :mod:`spack.build.worker_process`.

        May be called in threads.

        :return: None if this environment asks for a process of its own, or the server has died.
        """
        if _common(environment) != self._environment:
            return None
        request = {"job": job_path, "environment": dict(environment), "directory": directory}
        answers, other_part = os.pipe()
        try:
            with self._guard:
                descriptors = [log, events, lifeline, other_part]
                socket.send_fds(self._requests, [json.dumps(request).encode()], descriptors)
        except OSError:
            os.close(answers)
            return None
        finally:
            os.close(other_part)
        kind, pid = _answer(answers)
        if kind != "pid":  # it has died
            os.close(answers)
            return None
        return Forked(pid, answers)

    def close(self) -> None:
        """End the server; workers that still run stay."""
        self._requests.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(1)
        self._process.kill()
        self._process.wait()


def _common(environment: Mapping[str, str]) -> Mapping[str, str]:
    return {name: value for name, value in environment.items() if name not in _PER_BUILD}


def _answer(answers: int) -> tuple[str, int]:
    """Return the next line of a worker's pipe; two empty values when there is none."""
    line = b""
    while not line.endswith(b"\n"):
        piece = os.read(answers, 1)
        if not piece:
            return "", 0
        line += piece
    kind, _, value = line.decode().partition(" ")
    return kind, int(value)
