"""Messages of recipes (``tty.msg`` and friends).

They are lines of the build's log: this module writes to the streams that the process has, and
in the build worker these are the log. ``debug`` lines are written when the worker has asked for
them with :data:`verbose`.
"""

from __future__ import annotations

import sys
from contextvars import ContextVar
from typing import NoReturn

from spack.errors import SpackError

__all__ = ["debug", "die", "error", "info", "msg", "verbose", "warn"]

#: Whether debug lines are written; the build worker sets it.
verbose: ContextVar[bool] = ContextVar("spack_tty_verbose", default=False)


def _write(head: str, message: object, more: tuple[object, ...], *, error: bool = False) -> None:
    stream = sys.stderr if error else sys.stdout
    lines = [f"==> {head}{message}", *(f"    {line}" for line in more)]
    stream.write("\n".join(lines) + "\n")
    stream.flush()  # children write to the same file: keep the order


def msg(message: object, *more: object, **ignored: object) -> None:
    """Report a step that the build takes."""
    _write("", message, more)


def info(message: object, *more: object, **ignored: object) -> None:
    """Report a fact."""
    _write("", message, more)


def debug(message: object, *more: object, **ignored: object) -> None:
    """Report a detail, written in builds only."""
    if verbose.get():
        _write("", message, more)


def warn(message: object, *more: object, **ignored: object) -> None:
    """Warn of something that may go wrong."""
    _write("Warning: ", message, more, error=True)


def error(message: object, *more: object, **ignored: object) -> None:
    """Report something that went wrong."""
    _write("Error: ", message, more, error=True)


def die(message: object, *more: object, **ignored: object) -> NoReturn:
    """End the build with *message*."""
    raise SpackError(str(message), "\n".join(str(line) for line in more) or None)
