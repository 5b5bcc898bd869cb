"""Texts that name the store's Python, rewritten so that a view can be moved.

A script of a view finds the interpreter beside itself, through one line, so it can be moved::

    #!/usr/bin/env -S sh -c 'p=$0;[ -L "$p" ]&&p=$(realpath "$p");exec "${p%/*}/python3" "$0" "$@"'

It is a comment for Python, so docstrings, ``from __future__`` and coding cookies keep their
paths; a symlink to the script from elsewhere is resolved first, so that ``~/bin/tool`` works.
Scripts in a view must be real files: a link into the store would be resolved to the store.

Where the system's ``env`` does not know ``-S`` (coreutils before 8.30, busybox 1.35), the
trampoline of pip does the same in three lines that Python takes for a docstring. A script with a
docstring or a coding cookie of its own would lose it; that one is moved unchanged, and a shell
script at its path starts it (:func:`without_env_split`). A module that is executable must stay
importable: it then runs the ``python3`` of PATH.

Everything here is pure and works on bytes: scripts may hold any encoding. Files with a NUL byte
in the part that is looked at are binary and never touched.
"""

from __future__ import annotations

import os
import posixpath
import re
from collections.abc import Mapping
from typing import NamedTuple

from spack.util.hashing import sha256_hex
from spack.util.shebang import parsed_first_line

__all__ = [
    "HEAD_SIZE",
    "Interpreters",
    "digest",
    "is_candidate",
    "is_of_base",
    "relocated_base",
    "relocated_script",
    "script_header",
    "shebang",
    "without_env_split",
]

#: How much of a file is read to decide whether it must be rewritten.
HEAD_SIZE = 1024

#: Folders whose files are scripts, whatever their mode says.
SCRIPT_FOLDERS = ("bin/", "sbin/", "libexec/")

#: Executable files with these endings are not scripts.
NO_SCRIPT = (".so", ".a", ".o", ".la", ".pyc", ".dylib")

#: Names of a Python interpreter.
_PYTHON_NAME = re.compile(rb"(?:python|pypy)[0-9.]*[a-z]*\Z")

#: Headers that find a ``python3`` beside the script: this tool's, and relocatable venvs'. As
#: links they would find the store's.
_SELF_LOCATING = (
    re.compile(rb"#!/usr/bin/env -S sh -c 'p=\$0;[^\n]*?python3\"([^\n]*?) \"\$0\" \"\$@\"'\n"),
    re.compile(
        rb"#![ \t]*/bin/sh\n'''exec' \"\$\(dirname [^\n]*?/'?python[0-9.]*'?([^\n]*?) "
        rb"\"\$0\" \"\$@\"\n' '''\n"
    ),
)

#: Arguments of an interpreter that can be in the line as they are.
_SAFE_ARGUMENTS = re.compile(rb"[A-Za-z0-9 =_.:,/+-]*\Z")


class Interpreters(NamedTuple):
    """Which interpreters a view replaces by its own.

    :ivar prefixes: install prefixes, of every package of the view and of the store's Python.
    :ivar executables: single interpreters by path (the base interpreter).
    :ivar version: of the view's Python; scripts that ask for another one keep it.
    """

    prefixes: tuple[bytes, ...]
    executables: tuple[bytes, ...]
    version: str = ""

    def includes(self, path: bytes) -> bool:
        """Return whether *path*, from a shebang, is one of them."""
        if not _PYTHON_NAME.match(posixpath.basename(path)):
            return False
        return path in self.executables or any(
            path.startswith(prefix + b"/") for prefix in self.prefixes
        )

    def means(self, path: bytes) -> bool:
        """Return whether an extension of Python that asks for *path* asks for one of them.

        It may be a name that is looked up on PATH, or another name of the base interpreter.
        """
        major, minor = [*self.version.split("."), "", ""][:2]
        folder, name = posixpath.split(path)
        if name.decode("latin-1") not in (
            "python",
            f"python{major or 3}",
            f"python{major}.{minor}",
        ):
            return self.includes(path)
        folders = [posixpath.dirname(x) for x in self.executables]
        return not folder or folder in folders or self.includes(path)


def is_candidate(path: str, mode: int) -> bool:
    """Return whether a view's file may name an interpreter, judged by name and mode."""
    if path.startswith(SCRIPT_FOLDERS):
        return not path.endswith(NO_SCRIPT)
    return bool(mode & 0o111) and not path.endswith(NO_SCRIPT) and ".so." not in path


def shebang(path: str, arguments: bytes = b"", settings: bytes = b"") -> bytes:
    """Return the shebang of a script at *path* of the view, for the view's ``bin/python3``.

    :param settings: options of ``env`` and ``NAME=VALUE`` that the interpreter is started with.

    >>> shebang("bin/tool").decode().rpartition("exec ")[2]
    '"${p%/*}/python3" "$0" "$@"\\'\\n'
    """
    depth = path.count("/")
    if path.startswith("bin/"):
        step = "../" * (depth - 1)
    else:
        step = "../" * depth + "bin/"
    python = f'"${{p%/*}}/{step}python3"'.encode()
    if settings and _SAFE_ARGUMENTS.match(settings):
        python = b"env " + settings + b" " + python
    extra = b" " + arguments if arguments and _SAFE_ARGUMENTS.match(arguments) else b""
    return (
        b"#!/usr/bin/env -S sh -c "
        b'\'p=$0;[ -L "$p" ]&&p=$(realpath "$p");exec ' + python + extra + b' "$0" "$@"\'\n'
    )


#: Where scripts are that a launcher starts, below the view.
STAGING = "libexec/spack-view/"

#: A coding cookie (PEP 263) in the line after the header.
_COOKIE = re.compile(rb"[ \t\f]*#.*?coding[:=][ \t]*(?!utf-?8\b)[-\w.]+", re.IGNORECASE)

_FIND = b'p=$0;[ -L "$p" ]&&p=$(realpath "$p");exec '
_ARGUMENTS = b' "$0" "$@"'


def without_env_split(path: str, text: bytes) -> Mapping[str, bytes]:
    """Return the files that do what *text* does, at *path* of a view, with :func:`shebang`'s line.

    :returns: *text* itself under *path* if it has no such line.
    """
    header = _SELF_LOCATING[0].match(text)
    if header is None:
        return {path: text}
    line, body = header.group(), text[header.end() :]
    python = line[line.index(_FIND) + len(_FIND) : line.rindex(_ARGUMENTS)]
    if _takes_trampoline(body):
        command = b"'" + _FIND + python + _ARGUMENTS + b"'" + _ARGUMENTS
        return {path: b"#!/bin/sh\n'''exec' /bin/sh -c " + command + b"\n' '''\n" + body}
    plain = b"#!/usr/bin/env python3\n" + body
    if not path.startswith(SCRIPT_FOLDERS):
        return {path: plain}
    script = os.fsencode(f"/{'../' * path.count('/')}{STAGING}{path}")
    launcher = b"#!/bin/sh\n" + _FIND + python + b' "${p%/*}' + script + b'" "$@"\n'
    return {path: launcher, STAGING + path: plain}


def script_header(splits_env: bool) -> bytes:
    """Return the header of a script in ``bin`` of a view that has no docstring of its own."""
    header, body = shebang("bin/script"), b"import sys\n"
    if splits_env:
        return header
    return without_env_split("bin/script", header + body)["bin/script"][: -len(body)]


def _takes_trampoline(body: bytes) -> bool:
    """Return whether a script loses nothing when three lines and a docstring come before it."""
    import ast  # start-up: only systems with an old env

    if _COOKIE.match(body):
        return False
    try:
        return ast.get_docstring(ast.parse(body), clean=False) is None
    except (SyntaxError, ValueError):
        return False


def relocated_script(
    path: str, content: bytes, interpreters: Interpreters, env_too: bool
) -> bytes | None:
    """Return *content* with :func:`shebang`'s header, or None without a store interpreter.

    :param env_too: also rewrite ``#!/usr/bin/env python3`` and other names of the view's Python,
        as is right for Python packages.

    Arguments of the interpreter (``-E``, ``-sP``) and what ``env -S`` sets are kept. The
    trampoline of pip becomes one line again.
    """
    if not content.startswith(b"#!") or b"\0" in content[:HEAD_SIZE]:
        return None
    for pattern in _SELF_LOCATING:
        header = pattern.match(content)
        if header:
            return shebang(path, header.group(1).strip()) + content[header.end() :]
    line = parsed_first_line(content)
    if line is None or (line.settings and not _SAFE_ARGUMENTS.match(line.settings)):
        return None
    wanted = interpreters.means if env_too else interpreters.includes
    if not wanted(line.command):
        return None
    return shebang(path, line.arguments, line.settings) + line.body


#: Texts of an interpreter that name its prefix (and are read by Python itself, make, pkg-config).
_BASE_TEXTS = re.compile(
    r"lib(?:64)?/python[^/]+/_sysconfigdata_[^/]*\.py\Z"
    r"|lib(?:64)?/python[^/]+/config-[^/]+/Makefile\Z"
    r"|lib(?:64)?/pkgconfig/python[^/]*\.pc\Z"
)

_MAKE_PREFIX = re.compile(rb"^prefix=.*$", re.MULTILINE)

_SYSCONFIG_TAIL = b"""
import sys as _sys

# This Python may be moved.
build_time_vars.update(
    (_name, _value.replace("@prefix@", _sys.base_prefix))
    for _name, _value in list(build_time_vars.items())
    if isinstance(_value, str)
)
"""


def is_of_base(path: str) -> bool:
    """Return whether the file at *path* of an interpreter is one of those that name its prefix."""
    return _BASE_TEXTS.match(path) is not None


def relocated_base(path: str, content: bytes, prefix: bytes) -> bytes | None:
    """Return the text of a relocatable interpreter's file; None if it needs no change.

    :param prefix: that the interpreter was built for.
    """
    if prefix not in content:
        return None
    if path.endswith(".py"):
        return content.replace(prefix, b"@prefix@") + _SYSCONFIG_TAIL
    if path.endswith(".pc"):
        return content.replace(prefix, b"${pcfiledir}/../..")
    depth = b"/.." * path.count("/")
    own = b"$(abspath $(dir $(lastword $(MAKEFILE_LIST)))" + depth[3:] + b"/..)"
    return _MAKE_PREFIX.sub(b"prefix=" + own, content.replace(prefix, b"$(prefix)"), count=1)


#: Relocated texts are hashed with this, as in the store's manifests.
def digest(content: bytes) -> str:
    """Return hex sha256."""
    return sha256_hex(content)
