"""The first lines of scripts: reading them, and writing one for an interpreter."""

from __future__ import annotations

import os
import re
import shlex
from typing import NamedTuple

__all__ = ["SHEBANG_LIMIT", "FirstLine", "first_line", "is_shell", "parsed_first_line"]

#: Longest first line that every supported kernel takes.
SHEBANG_LIMIT = 127


class FirstLine(NamedTuple):
    """What starts a script.

    :ivar command: the interpreter: an absolute path, or a name that ``env`` looks up.
    :ivar arguments: of the interpreter, as they are written.
    :ivar settings: options of ``env`` and ``NAME=VALUE`` before the interpreter.
    :ivar body: what follows the header.
    """

    command: bytes
    arguments: bytes
    settings: bytes
    body: bytes


def first_line(interpreter: str, arguments: bytes = b"") -> bytes:
    """Return a shebang, without a line end.

    Where the path is too long or has a space, it is the trampoline that distlib introduced: a
    shell starts the interpreter, and Python takes the shell's line for a text.
    """
    path = os.fsencode(interpreter)
    plain = b" ".join(filter(None, (b"#!" + path, arguments)))
    if b" " not in path and len(plain) <= SHEBANG_LIMIT:
        return plain
    quoted = b'"' + path + b'"' if b" " in path else path
    words = b" ".join(filter(None, (quoted, arguments, b'"$0" "$@"')))
    return b"#!/bin/sh\n'''exec' " + words + b"\n' '''"


_ENV = re.compile(rb"/(?:usr/)?bin/env[ \t]+(.*)\Z", re.DOTALL)
#: ``env -S``, also with further letters and in its long form; the rest are words.
_SPLIT = re.compile(rb"(?:-(?P<letters>[iv0]*)S[ \t]*|--split-string=)(?P<words>.*)\Z", re.DOTALL)
_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*=")
#: Options of ``env`` that take a word.
_ENV_OPTIONS = ("-u", "-C", "--unset", "--chdir")

_SHELL = re.compile(
    rb"#![ \t]*(?:/usr/bin/env[ \t]+(?:-S[ \t]+)?|/(?:usr/)?(?:local/)?bin/)"
    rb"(?:sh|bash|dash|ksh|mksh|zsh|ash)[ \t]*[-\w \t]*\r?(?:\n|\Z)"
)
#: ``#!/bin/sh`` and the two lines of the trampoline that pip and installer write for interpreter
#: paths that a plain shebang cannot hold.
_TRAMPOLINE = re.compile(rb"#![ \t]*/bin/sh\r?\n'''exec' ([^\n]*?) \"\$0\" \"\$@\"\r?\n' '''\r?\n")
#: A command of a shell that starts an interpreter on the script itself, in text that Python reads
#: as a string.
_EXEC = re.compile(
    rb"^[ \t]*(?:'''|\"\"\")?[\"']?exec[\"']?[ \t]+"
    rb"(?:\"([^\"\n$`]+)\"|'([^'\n]+)'|([^\s\"'$`]+))"
    rb"((?:[ \t]+[-\w=.,:/+]+)*)[ \t]+\"?\$0\"?[ \t]+\"?\$@\"?",
    re.MULTILINE,
)
#: Lines at the start of a script in which :data:`_EXEC` is looked for.
_EXEC_LINES = 12


def is_shell(content: bytes) -> bool:
    """Return whether the script *content* is one of a POSIX shell."""
    return _SHELL.match(content) is not None


def parsed_first_line(content: bytes) -> FirstLine | None:
    """Return what starts the script *content*; None if it has no header that this knows.

    Headers of a shell that start another interpreter on the script itself are that interpreter's:
    the trampoline of pip and scripts that are both (``"exec" "/path/python3" "$0" "$@"``).
    """
    if not content.startswith(b"#!"):
        return None
    trampoline = _TRAMPOLINE.match(content)
    if trampoline:
        command, arguments = _split_quoted(trampoline.group(1))
        return FirstLine(command, arguments, b"", content[trampoline.end() :])
    line, _, body = content.partition(b"\n")
    if is_shell(content):
        both = _EXEC.search(b"\n".join(body.split(b"\n", _EXEC_LINES)[:_EXEC_LINES]))
        if both is not None and _is_python(content):
            command = both.group(1) or both.group(2) or both.group(3)
            return FirstLine(command, both.group(4).strip(), b"", body)
    words = line[2:].strip()
    by_env = _ENV.match(words)
    if by_env:
        return _by_env(by_env.group(1), body)
    command, _, arguments = words.partition(b" ")
    return FirstLine(command, arguments.strip(), b"", body) if command else None


def _split_quoted(text: bytes) -> tuple[bytes, bytes]:
    """Return a command, quoted or not, and the rest after it."""
    if text[:1] in (b'"', b"'"):
        command, _, rest = text[1:].partition(text[:1])
    else:
        command, _, rest = text.partition(b" ")
    return command, rest.strip()


def _by_env(text: bytes, body: bytes) -> FirstLine | None:
    """Read what follows ``#!/usr/bin/env``."""
    split = _SPLIT.match(text)
    if split is None:
        command, _, arguments = text.partition(b" ")
        return FirstLine(command, arguments.strip(), b"", body)
    try:
        words = shlex.split(split.group("words").decode("utf-8"))
    except ValueError:  # also UnicodeDecodeError
        return None
    settings = ["-i"] if b"i" in (split.group("letters") or b"") else []
    while words and (words[0].startswith("-") or _ASSIGNMENT.match(words[0])):
        takes_word = words[0] in _ENV_OPTIONS
        settings += words[: 1 + takes_word]
        del words[: 1 + takes_word]
    if not words:
        return None
    return FirstLine(
        words[0].encode(), " ".join(words[1:]).encode(), " ".join(settings).encode(), body
    )


def _is_python(content: bytes) -> bool:
    """Return whether *content* is a program in Python, whatever else it is."""
    import ast  # start-up: only scripts that a shell starts
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            ast.parse(content)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return False
    return True
