"""The first lines of scripts."""

from __future__ import annotations

import os

__all__ = ["SHEBANG_LIMIT", "first_line"]

#: Longest first line that every supported kernel takes.
SHEBANG_LIMIT = 127


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
