"""The standard streams when they are not what a program expects: closed, full, or unread.

Python leaves a stream of a closed descriptor as None, and the next file that is opened gets the
free number: a child process would then write its messages into, say, the database. And what a
full disk refuses is noticed only when the interpreter ends, as a traceback without use.
"""

from __future__ import annotations

import errno
import os
import sys
from contextlib import suppress

__all__ = ["abandon_output", "flush_output", "open_missing"]

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
