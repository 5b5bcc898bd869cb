"""Questions to the user at the terminal."""

from __future__ import annotations

from typing import TextIO

from spack.errors import UsageError

__all__ = ["confirm"]


def confirm(question: str, source: TextIO, target: TextIO) -> bool:
    """Ask and wait for yes or no; the default is no.

    :raises UsageError: there is no terminal to answer.
    """
    if not source.isatty():
        raise UsageError(
            "there is no terminal to answer the question", hint="add --yes-to-all", ref="no-answer"
        )
    target.write(f"{question} [y/N] ")
    target.flush()
    return source.readline().strip().lower() in ("y", "yes")
