"""Shell scripts and data files that name the store's Python in their text.

A launcher (``exec <store>/python-venv-…/bin/python3 -m tool "$@"``) would start an interpreter
that does not see the view. Paths in it become paths of the view, found from the script's own
path; which quotes they need depends on where in the shell's text they are. Where that is not
known (here-documents, backquotes in quotes) the launcher stays as it is, and the view records it
(:class:`spack.view.plan_types.ViewPlan`).

Everything here is pure and works on bytes.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from collections.abc import Iterable
from typing import Any, Callable, NamedTuple

from spack.util.json_input import parse_json

__all__ = [
    "ShownPackage",
    "interpreter_pattern",
    "is_data",
    "relocated_data",
    "relocated_launcher",
]

#: Files that other programs read, and how they name the directory that they are in.
_DIRECTORY = {".pc": b"${pcfiledir}", ".cmake": b"${CMAKE_CURRENT_LIST_DIR}"}

_VARIABLE = b"_spack_view"


class ShownPackage(NamedTuple):
    """What the texts of one package may name, and where the view shows it.

    :ivar prefix: where the package is installed.
    :ivar folder: where the view shows it, ``b""`` for the view itself.
    :ivar interpreter: matches the paths of interpreters that the view replaces.
    :ivar exists: whether a path (relative) is in the view.
    """

    prefix: bytes
    folder: bytes
    interpreter: re.Pattern[bytes]
    exists: Callable[[str], bool]

    def find(self, below: bytes) -> bytes | None:
        """Return the path in the view of what is at *below* in the prefix; None if it is not."""
        path = b"/".join(filter(None, (self.folder, below)))
        return path if not path or self.exists(path.decode("utf-8", "surrogateescape")) else None


def interpreter_pattern(
    prefixes: Iterable[bytes], executables: Iterable[bytes]
) -> re.Pattern[bytes]:
    """Return what matches the paths of *executables*, and of each Python in *prefixes*."""
    words = [re.escape(x) + rb"/bin/python[0-9.]*[td]?" for x in prefixes]
    words += map(re.escape, executables)
    return re.compile(rb"(?:" + b"|".join(words) + rb")(?![\w.-])")


def is_data(path: str) -> bool:
    """Return whether the file at *path* is one that :func:`relocated_data` knows."""
    return path.endswith((*_DIRECTORY, ".desktop", "/kernel.json"))


def relocated_launcher(path: str, content: bytes, shown: ShownPackage) -> bytes | None:
    """Return the shell script *content* with paths of the view; None if it needs none of them.

    None also where a path is in text whose quoting is not understood.
    """
    spans = _spans(content, shown)
    if not spans:
        return None
    states = _quoting(content, [start for start, _, _ in spans])
    if states is None:
        return None
    header = content.partition(b"\n")[0]
    out, position = [], len(header) + 1
    for (start, end, target), state in zip(spans, states):
        if state == "comment":
            continue
        value = b"${" + _VARIABLE + b"}" + (b"/" + target if target else b"")
        quotes = {"": b'"%s"', '"': b"%s", "'": b"'\"%s\"'"}[state]
        out += [content[position:start], quotes % value]
        position = end
    if not out:
        return None
    up = b"/.." * path.count("/")
    locate = (
        _VARIABLE + b'=$(p=$0; [ -L "$p" ] && p=$(realpath "$p"); CDPATH= cd -- "${p%/*}'
        b"/" + up[1:] + b'" && pwd)\n'
    )
    return b"".join([header, b"\n", locate, *out, content[position:]])


def _spans(content: bytes, shown: ShownPackage) -> list[tuple[int, int, bytes]]:
    """Return where paths begin and end, and what they are in the view."""
    found: list[tuple[int, int, bytes]] = []
    start = content.find(b"\n") + 1
    found += [(*x.span(), b"bin/python3") for x in shown.interpreter.finditer(content, start)]
    known = {begin for begin, _, _ in found}
    own = re.compile(re.escape(shown.prefix) + rb"(?:/([\w./+@%-]*))?(?![\w./+@%-])")
    for match in own.finditer(content, start):
        target = shown.find((match.group(1) or b"").strip(b"/"))
        if target is not None and match.start() not in known:
            found.append((*match.span(), target))
    return sorted(found)


#: What begins or ends quotes, substitutions and comments of a shell; here-documents are not read.
_TOKENS = re.compile(
    rb"\\.|['\"`]|(?<!<)<<-?[ \t]*[\w\"'\\]|\$\(|[()]|(?:(?<=\s)|^)#[^\n]*", re.DOTALL | re.M
)


def _quoting(content: bytes, positions: list[int]) -> list[str] | None:
    """Return for each position the quotes that it is in (``comment`` too); None if unknown."""
    stack = [""]
    at = content.find(b"\n") + 1
    starts, states = [at], [""]

    def mark(position: int, state: str) -> None:
        starts.append(position)
        states.append(state)

    while True:
        match = _TOKENS.search(content, at)
        if match is None:
            break
        token, state = match.group(), stack[-1]
        if state == "" and token[:1] == b"#":
            mark(match.start(), "comment")
        at = _after(token, match, stack)
        if at < 0:
            mark(match.start(), "unknown")
            break
        mark(at, stack[-1])
    found = [states[bisect_right(starts, position) - 1] for position in positions]
    return None if "unknown" in found else found


def _after(token: bytes, match: re.Match[bytes], stack: list[str]) -> int:
    """Change *stack* as *token* says; return where to go on, -1 where that is unknown."""
    state = stack[-1]
    if state == "'" or (token[:1] == b"#" and state):
        if token != b"'":
            return match.start() + 1
        stack.pop()
    elif (token == b"`" and state == '"') or (token[:2] == b"<<" and not state):
        return -1
    elif token == state.encode() or (token == b")" and not state and len(stack) > 1):
        stack.pop()
    elif token in _OPENING and not (state and token in (b"'", b"(")):
        stack.append(_OPENING[token])
    return match.end()


#: What begins a state, and its name.
_OPENING = {b'"': '"', b"'": "'", b"$(": "", b"(": ""}


def relocated_data(path: str, content: bytes, shown: ShownPackage) -> bytes | None:
    """Return a file that :func:`is_data` knows with paths of the view; None if it needs none."""
    if path.endswith("/kernel.json"):
        return _kernel(content, shown)
    if path.endswith(".desktop"):
        new = shown.interpreter.sub(b"python3", content)
        new = re.sub(
            rb"^((?:Try)?Exec=\"?)" + re.escape(shown.prefix) + rb"/bin/([^\s/\"]+)",
            lambda x: x.group(1) + x.group(2) if shown.find(b"bin/" + x.group(2)) else x.group(),
            new,
            flags=re.MULTILINE,
        )
        return new if new != content else None
    directory = next(text for end, text in _DIRECTORY.items() if path.endswith(end))
    up = b"/.." * path.count("/")
    python = directory + up + b"/bin/python3"
    new = shown.interpreter.sub(lambda _: python, content)
    return new if new != content else None


def _kernel(content: bytes, shown: ShownPackage) -> bytes | None:
    """Return a Jupyter ``kernel.json`` whose command is found from the view.

    Jupyter replaces a bare ``python3`` by the interpreter that runs it, which is the view's;
    other programs are found on PATH.
    """
    try:
        data: Any = parse_json(content)
        argv = [word.encode() for word in data["argv"]]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
    new = [_word(word, shown).decode() for word in argv]
    environ = data.get("env")
    changed = new != data["argv"]
    data["argv"] = new
    if isinstance(environ, dict):
        for name, value in environ.items():
            if isinstance(value, str) and shown.interpreter.fullmatch(value.encode()):
                environ[name] = "python3"
                changed = True
    return json.dumps(data, indent=1).encode() + b"\n" if changed else None


def _word(word: bytes, shown: ShownPackage) -> bytes:
    """Return a word of a command with the name of a program instead of its path in the store."""
    if shown.interpreter.fullmatch(word):
        return b"python3"
    start = shown.prefix + b"/bin/"
    if (
        word.startswith(start)
        and b"/" not in word[len(start) :]
        and shown.find(word[len(start) - 4 :])
    ):
        return word[len(start) :]
    return word
