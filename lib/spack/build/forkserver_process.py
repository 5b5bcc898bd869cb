"""The server that :mod:`spack.build.forkserver` starts: forks a worker for each request."""

from __future__ import annotations

import atexit
import contextlib
import importlib
import json
import os
import signal
import socket
import sys
import traceback
from collections.abc import Mapping
from typing import Any

from spack.build import worker
from spack.spec import Spec

__all__ = ["serve"]

#: Bytes of a request: a path, and an environment.
_LARGEST = 1 << 20

#: What builds import when they get that far; those of Python packages nearly always.
_USUAL = (
    "csv",
    "encodings.cp437",
    "importlib.readers",
    "installer.sources",
    "pyproject_hooks",
    "spack.build_systems.generic",
    "spack.build_systems.python",
    "spack.util.landlock",
    "spack.util.linux_namespaces",
    "tomllib",
)


def serve(descriptor: int) -> int:
    """Fork workers until the installer has closed its end of the socket, or has died."""
    for name in _USUAL:
        with contextlib.suppress(ImportError):  # some are of newer Pythons
            importlib.import_module(name)
    Spec.parse("a@1")  # compiles the grammar
    running: dict[int, int] = {}

    def reap(*ignored: object) -> None:
        while running:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                return
            answers = running.pop(pid)
            with contextlib.suppress(OSError):
                os.write(answers, b"exit %d\n" % os.waitstatus_to_exitcode(status))
            os.close(answers)

    signal.signal(signal.SIGCHLD, reap)
    with socket.socket(fileno=descriptor) as requests:
        requests.set_inheritable(False)
        while True:
            data, descriptors, _, _ = socket.recv_fds(requests, _LARGEST, 4)
            if not data:
                return 0
            answers = descriptors[-1]
            signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD})
            pid = os.fork()
            if pid == 0:
                for other in (*running.values(), requests.fileno()):
                    os.close(other)
                _work(json.loads(data), descriptors)
            running[pid] = answers
            for each in descriptors[:-1]:
                os.close(each)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGCHLD})


def _work(request: Mapping[str, Any], descriptors: list[int]) -> None:
    """Be the worker that the request asks for, and end."""
    status = 1
    try:
        os.setsid()
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGCHLD})
        log, events, lifeline, answers = descriptors
        for output in (1, 2):
            os.dup2(log, output)
        os.close(log)
        os.write(answers, b"pid %d\n" % os.getpid())
        os.close(answers)
        os.environ.clear()
        os.environ.update(request["environment"])
        os.chdir(request["directory"])
        status = worker.main(request["job"], events, lifeline)
    except SystemExit as exc:
        if isinstance(exc.code, str):
            sys.stderr.write(exc.code + "\n")
    except BaseException:
        traceback.print_exc()
    try:
        getattr(atexit, "_run_exitfuncs", lambda: None)()
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        os._exit(status)
