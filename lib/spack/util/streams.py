"""The standard streams when they are not what a program expects: closed, full, or unread; the end.

Python leaves a stream of a closed descriptor as None, and the next file that is opened gets the
free number: a child process would then write its messages into, say, the database. And what a
full disk refuses is noticed only when the interpreter ends, as a traceback without use.
"""

from __future__ import annotations

import atexit
import errno
import os
import sys
from contextlib import suppress
from typing import NoReturn

__all__ = ["abandon_output", "end_process", "flush_output", "open_missing"]

#: Descriptor -> (name in sys, mode).
_STANDARD = ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w"))


def open_missing() -> None:
    """Give the null device to each of descriptors 0 to 2 that is closed. Cost: three stats."""
    for descriptor, name, mode in _STANDARD:
        try:
            os.fstat(descriptor)
        except OSError as error:
            if error.errno != errno.EBADF:
                continue
            null = os.open(os.devnull, os.O_RDWR)
            if null != descriptor:
                os.dup2(null, descriptor)
                os.close(null)
            os.set_inheritable(descriptor, True)
        if getattr(sys, name) is None:
            setattr(sys, name, open(descriptor, mode, closefd=False))  # noqa: SIM115  # for good


def flush_output() -> OSError | None:
    """Write what is buffered for standard output; the error that prevents it, if any."""
    try:
        sys.stdout.flush()
    except OSError as error:
        return error
    return None


def abandon_output() -> None:
    """Drop what is buffered for standard output, so that its end is silent."""
    with suppress(OSError, ValueError):
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, sys.stdout.fileno())
        os.close(null)


def end_process(code: int | None) -> NoReturn:
    """End this process with *code* (None is 0), without freeing its objects one by one.

    That takes 9 ms after ``spack find``, and over a second after a large solve. Exit handlers run
    and the streams are flushed, as at every end; where other threads live, the interpreter ends
    by itself.
    """
    threading = sys.modules.get("threading")
    run_handlers = getattr(atexit, "_run_exitfuncs", None)
    if run_handlers is None or (threading is not None and threading.active_count() > 1):
        sys.exit(code)
    run_handlers()
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            with suppress(OSError, ValueError):
                stream.flush()
    os._exit(code or 0)
