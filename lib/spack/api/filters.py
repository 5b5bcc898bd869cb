"""Editing text files in place, as ``sed`` would: :func:`filter_file`, :class:`FileFilter`.

Files are read with undecodable bytes kept (``surrogateescape``) and line ends untouched, and
replaced only when their text changes; mode and inode stay.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from re import Match, Pattern
from typing import Callable, Union

from spack.api import tty

__all__ = ["FileFilter", "change_sed_delimiter", "filter_file"]

Replacement = Union[str, Callable[[Match[str]], str]]

_GROUP = re.compile(r"\\([1-9])")


def filter_file(  # noqa: PLR0913 - keywords of independent settings
    regex: str,
    repl: Replacement,
    *filenames: str | os.PathLike[str],
    string: bool = False,
    backup: bool = False,
    ignore_absent: bool = False,
    start_at: str | None = None,
    stop_at: str | None = None,
    encoding: str | None = "utf-8",
) -> None:
    r"""Replace *regex* by *repl* in every line of the files.

    :param repl: a text in which ``\1`` to ``\9`` are groups, or a function of the match.
    :param string: *regex* is plain text.
    :param backup: keep the old text in ``<file>~``.
    :param ignore_absent: pass over files that do not exist.
    :param start_at: begin after the line that equals this text, except for blanks at its ends.
    :param stop_at: end before such a line.
    :raises FileNotFoundError: for a file that does not exist, unless *ignore_absent*.
    """
    pattern = re.compile(re.escape(regex) if string else regex)
    substitute = repl if callable(repl) else _template(repl)
    for filename in filenames:
        path = os.fspath(filename)
        if ignore_absent and not os.path.exists(path):
            continue
        tty.debug(f"filter {path}: {regex!r}")
        with open(path, newline="", errors="surrogateescape", encoding=encoding) as stream:
            lines = stream.readlines()
        text = "".join(_filtered(lines, pattern, substitute, start_at, stop_at))
        if backup:
            shutil.copy2(path, path + "~")
        if text != "".join(lines):
            _write(path, text, encoding)


def _write(path: str, text: str, encoding: str | None) -> None:
    mode = os.stat(path).st_mode
    writable = os.access(path, os.W_OK)
    if not writable:  # sources often carry read-only files
        os.chmod(path, mode | 0o200)
    with open(path, "w", newline="", errors="surrogateescape", encoding=encoding) as stream:
        stream.write(text)
    if not writable:
        os.chmod(path, mode)


def _template(repl: str) -> Callable[[Match[str]], str]:
    text = repl.replace("\\\\", "\\")

    def substitute(match: Match[str]) -> str:
        return _GROUP.sub(lambda group: match.group(int(group.group(1))) or "", text)

    return substitute


def _filtered(
    lines: list[str],
    pattern: Pattern[str],
    substitute: Callable[[Match[str]], str],
    start_at: str | None,
    stop_at: str | None,
) -> Iterator[str]:
    active, ended = start_at is None, False
    for line in lines:
        if active and stop_at is not None and line.strip() == stop_at:
            active, ended = False, True
        if active:
            yield pattern.sub(substitute, line)
            continue
        yield line
        if not ended and line.strip() == start_at:
            active = True


class FileFilter:
    """Several replacements in the same files.

    >>> FileFilter("Makefile").filter(r"^CC *=.*", "CC = cc")  # doctest: +SKIP
    """

    def __init__(self, *filenames: str | os.PathLike[str]) -> None:
        self.filenames = filenames

    def filter(
        self,
        regex: str,
        repl: Replacement,
        string: bool = False,
        backup: bool = False,
        ignore_absent: bool = False,
        start_at: str | None = None,
        stop_at: str | None = None,
    ) -> None:
        """See :func:`filter_file`."""
        filter_file(
            regex,
            repl,
            *self.filenames,
            string=string,
            backup=backup,
            ignore_absent=ignore_absent,
            start_at=start_at,
            stop_at=stop_at,
        )


def change_sed_delimiter(
    old_delim: str, new_delim: str, *filenames: str | os.PathLike[str]
) -> None:
    """Write the ``s`` commands of sed in the files with another delimiter.

    A command is recognised where it is a whole line, or a whole text in quotes.
    """
    if len(old_delim) != 1 or len(new_delim) != 1:
        raise ValueError("a delimiter of sed is one character")
    old = re.escape(old_delim)
    part = rf"((?:\\.|[^\\{old}\n])*)"
    command = rf"(^|['\"])s{old}{part}{old}{part}{old}([gIp]*)(?=['\"]|$)"
    new = new_delim.replace("\\", "\\\\")
    filter_file(command, rf"\1s{new}\2{new}\3{new}\4", *filenames)
