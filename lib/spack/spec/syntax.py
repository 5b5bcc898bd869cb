"""From text to a tree of its parts: the grammar of specs, without any meaning.

::

    specs      = spec { spec }
    spec       = node { dependency }
    dependency = ("^" | "%" | "%%") ( [virtuals "="] node
                                    | "[" { key "=" value } "]" [virtuals "="] node )
    node       = [name | "*" | file] { "@" versions | ("+" | "~" | "-") variant
                                     | ("++" | "~~" | "--") variant
                                     | key ("=" | "==" | ":=" | ":==") value | "/" hash }

A name that is not the first thing in its node starts a new spec. ``%`` belongs to the node it
follows: the root or the last ``^`` node. Where forms overlap the order of :data:`TOKENS` decides.

One compiled expression reads the text; a problem does not stop it, so that all problems of one
text are reported together, each with carets under its position.
"""

from __future__ import annotations

import re
from typing import Any

from spack.errors import SpecError

__all__ = ["ParsedEdge", "ParsedNode", "Problems", "read"]

_ID = r"[a-zA-Z_0-9][a-zA-Z_0-9\-]*"
_DOTTED = rf"{_ID}(?:\.{_ID})+"
_NAME = r"[a-zA-Z_0-9][a-zA-Z_0-9\-.]*"
_CHARS = r"a-zA-Z_0-9\-+*.,:=%^~/\\"
_VALUE = (
    rf"(?:[{_CHARS}]|\[[{_CHARS}]*\])+"
    r"|'(?:[^']|(?<=\\)')*'"
    r'|"(?:[^"]|(?<=\\)")*"'
)
_BIND = rf"(?:\s*({_ID}(?:,{_ID})*)=({_DOTTED}|{_ID}))?"
_VERSION = r"=?[a-zA-Z0-9_][a-zA-Z_0-9\-.]*\b"
_GIT = rf"(?:git\.[a-zA-Z_0-9][a-zA-Z_0-9./\-]*|[A-Fa-f0-9]{{40}})(?:={_VERSION})?"
_RANGE = rf"(?:{_VERSION})?:(?:{_VERSION}(?!\s*=))?"
_ELEMENT = rf"(?:{_GIT}|{_RANGE}|{_VERSION})"

#: The kinds of tokens in the order in which they are tried.
TOKENS = (
    ("open", r"(\^|%%?)\["),
    ("close", rf"\]{_BIND}"),
    ("dependency", rf"(\^|%%?){_BIND}"),
    ("version", rf"@\s*({_ELEMENT}(?:\s*,\s*{_ELEMENT})*)"),
    ("flag", rf"(\+\+|~~|--|[+~-])\s*({_NAME})"),
    ("pair", rf"({_NAME})(:?==?)({_VALUE})"),
    ("file", r"(?:\.|/|[a-zA-Z0-9\-_]*/)[a-zA-Z0-9\-_./]*(?:\.json|\.yaml)"),
    ("name", rf"{_DOTTED}|{_ID}|\*"),
    ("hash", r"/([a-zA-Z_0-9]+)"),
    ("space", r"\s+"),
    ("bad", r"."),
)

_PATTERN = "|".join(f"(?P<{kind}>{pattern})" for kind, pattern in TOKENS)

#: The compiled :data:`TOKENS`, once something was read.
_compiled: list[re.Pattern[str]] = []


def _scanner() -> re.Pattern[str]:
    """Return the one expression that reads all tokens; start-up: compiling takes over 1 ms."""
    if not _compiled:
        _compiled.append(re.compile(_PATTERN, re.DOTALL))
    return _compiled[0]


#: Hints for the characters that users most often misplace.
_HINTS = {
    "=": "write key=value without blanks; values with other characters want quotes",
    "]": "'[' opens edge attributes only directly after '^' or '%'",
    "[": "'[' opens edge attributes only directly after '^' or '%'",
    "'": "the quote is not closed",
    '"': "the quote is not closed",
    ":": "ranges are written @lo:hi, without blanks",
    ",": "values and versions are separated by commas without blanks around them",
    "@": "'@' is followed by a version, a range lo:hi or a list of them",
    "/": "'/' is followed by the first characters of a hash",
    "+": "'+' is followed by the name of a variant",
    "~": "'~' is followed by the name of a variant",
}

#: Start and end of a span in the text.
Span = tuple[int, int]


class Problems:
    """The problems of one text, raised together as one :class:`SpecError`."""

    __slots__ = ("found", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self.found: list[tuple[Span, str, str | None]] = []

    def add(self, span: Span, message: str, hint: str | None = None) -> None:
        """Remember that *message* holds for the text in *span*."""
        self.found.append((span, message, hint))

    def report(self) -> None:
        """Raise what was found, if anything."""
        if not self.found:
            return
        found = sorted(self.found)
        text = re.sub(r"\s", " ", self.text)
        lines = [text]
        for (start, end), message, _ in found:
            carets = " " * start + "^" * max(1, end - start)
            lines.append(carets if len(found) == 1 else f"{carets} {message}")
        first = found[0][1]
        hints = dict.fromkeys(hint for _, _, hint in found if hint)
        raise SpecError(
            first if len(found) == 1 else f"{len(found)} problems in the spec '{text}'",
            "\n".join(lines),
            hint="; ".join(hints) or _SHAPE,
            facts={
                "text": self.text,
                "problems": [(start, end, message) for (start, end), message, _ in found],
            },
            ref="spec-syntax",
        )


class ParsedNode:
    """One node as written; lists hold what was given, in order, with spans."""

    __slots__ = (
        "edges",
        "end",
        "file",
        "flags",
        "hash",
        "name",
        "pairs",
        "span",
        "used",
        "version",
        "versions",
    )

    def __init__(self, span: Span) -> None:
        #: Span of its first token, and the end of its last.
        self.span = span
        self.end = span[1]
        self.name = ""
        self.file: str | None = None
        self.hash: str | None = None
        #: Text of the versions, and its span.
        self.version: str | None = None
        self.versions: Span = span
        #: (sigil, variant, span)
        self.flags: list[tuple[str, str, Span]] = []
        #: (key, operator, value without quotes, span)
        self.pairs: list[tuple[str, str, str, Span]] = []
        self.edges: list[ParsedEdge] = []
        #: Whether anything of the node was seen yet.
        self.used = False


class ParsedEdge:
    """A dependency as written: sigil, edge attributes and the node."""

    __slots__ = ("attributes", "node", "sigil", "span", "virtuals")

    def __init__(self, sigil: str, span: Span) -> None:
        self.sigil = sigil
        self.span = span
        self.node = ParsedNode(span)
        self.virtuals: tuple[str, ...] = ()
        #: (key, value without quotes, span)
        self.attributes: list[tuple[str, str, Span]] = []


def unquoted(value: str) -> str:
    """Return *value* without its quotes, and without backslashes before such quotes inside."""
    quote = value[:1]
    if quote in ("'", '"') and len(value) > 1 and value[-1] == quote:
        return value[1:-1].replace("\\" + quote, quote)
    return value


def read(text: str, problems: Problems) -> list[ParsedNode]:
    """Return the roots of the specs in *text*.

    Problems go to *problems*; costs about 1 us a token.
    """
    reader = _SyntaxReader(text, problems)
    roots = reader.read()
    reader.close()
    return roots


class _SyntaxReader:
    """The state while a text is read: where the next token belongs."""

    __slots__ = ("edge", "node", "owner", "problems", "root", "roots", "text")

    def __init__(self, text: str, problems: Problems) -> None:
        self.text = text
        self.problems = problems
        self.roots: list[ParsedNode] = []
        self.root: Any = None  # the spec being read
        self.owner: Any = None  # the node that a '%' belongs to
        self.node: Any = None  # the node that attributes belong to
        self.edge: ParsedEdge | None = None  # open edge attributes

    def read(self) -> list[ParsedNode]:  # noqa: C901 - one branch for each token: inner loop of parsing
        problems = self.problems
        for match in _scanner().finditer(self.text):
            kind = match.lastgroup
            if kind == "space":
                continue
            if self.edge is not None and kind not in ("pair", "close"):
                problems.add(match.span(), _NOT_A_PAIR, _EDGE_HINT)
                continue
            if kind == "name" or kind == "file":
                self._name(match)
                continue
            node = self.node
            if node is None:
                node = self._start(match.start())
            if kind == "version":
                if node.version is not None:
                    problems.add(
                        match.span(),
                        "a node has one version only",
                        "join alternatives by commas: @1.2,1.4",
                    )
                node.version = match.group((match.lastindex or 0) + 1)
                node.versions = match.span()
            elif kind == "flag":
                group = match.lastindex or 0
                sigil, name = match.group(group + 1), match.group(group + 2)
                node.flags.append((sigil, name, match.span()))
            elif kind == "pair":
                group = match.lastindex or 0
                key, operator, value = match.group(group + 1, group + 2, group + 3)
                if value[0] in "'\"":
                    value = unquoted(value)
                if self.edge is not None:
                    self.edge.attributes.append((key, value, match.span()))
                    continue
                node.pairs.append((key, operator, value, match.span()))
            elif kind == "dependency" or kind == "open":
                self._dependency(match, kind)
                continue
            elif kind == "hash":
                if node.hash is not None:
                    node = self._start(match.start())
                node.hash = match.group("hash")[1:]
            elif kind == "close" and self.edge is not None:
                self._close(match)
                continue
            else:
                self._bad(match)
                continue
            node.used = True
            node.end = match.end()
        return self.roots

    def _start(self, at: int) -> ParsedNode:
        """Begin a new spec."""
        self.close()
        self.root = self.owner = self.node = ParsedNode((at, at))
        self.roots.append(self.root)
        return self.node  # type: ignore[no-any-return]  # None only before the first token

    def close(self) -> None:
        """End the spec that is being read."""
        if self.edge is not None:
            problems = self.problems
            problems.found = [found for found in problems.found if found[1] != _NOT_A_PAIR]
            problems.add(self.edge.span, "the '[' is not closed", _EDGE_HINT)
            self.edge = None
            self.node.used = True
        self._require_node()

    def _require_node(self) -> None:
        """Require that something follows a sigil."""
        if self.node is not None and self.node is not self.root and not self.node.used:
            self.problems.add(
                self.node.span,
                "a dependency is missing after the sigil",
                "'^' and '%' are followed by a package or by '*' for any package",
            )
            self.node.used = True

    def _name(self, match: re.Match[str]) -> None:
        node = self.node
        if node is None or node.used:
            node = self._start(match.start())
        text = match.group()
        if match.lastgroup == "file":
            node.file = text
        elif text != "*":
            node.name = text
        node.used = True
        node.span = match.span()
        node.end = match.end()

    def _dependency(self, match: re.Match[str], kind: str) -> None:
        self._require_node()
        group = match.lastindex or 0
        sigil = match.group(group + 1)
        edge = ParsedEdge(sigil, match.span())
        if sigil == "^":
            self.root.edges.append(edge)
            self.owner = edge.node
        else:
            self.owner.edges.append(edge)
        self.root.used = True
        self.node = edge.node
        if kind == "open":
            self.edge = edge
        elif match.group(group + 2):
            self._bind(edge, match, group + 2)

    def _close(self, match: re.Match[str]) -> None:
        edge, self.edge = self.edge, None
        assert edge is not None
        group = match.lastindex or 0
        if match.group(group + 1):
            self._bind(edge, match, group + 1)

    def _bind(self, edge: ParsedEdge, match: re.Match[str], group: int) -> None:
        """Add ``virtuals=package``, as groups *group* and the next."""
        edge.virtuals = tuple(match.group(group).split(","))
        edge.node.name = match.group(group + 1)
        edge.node.used = True
        edge.node.span = match.span(group + 1)
        edge.node.end = match.end()

    def _bad(self, match: re.Match[str]) -> None:
        """Record a character that belongs to no form; adjacent ones are one problem."""
        start = match.start()
        character = self.text[start]
        hint = _HINTS.get(character)
        found = self.problems.found
        if found and found[-1][0][1] == start and found[-1][1].startswith(_UNEXPECTED):
            (start, _), _, earlier = found.pop()
            hint = hint if earlier is None or character in "'\"" else earlier
        end = match.start() + 1
        self.problems.add((start, end), f"{_UNEXPECTED} '{self.text[start:end]}'", hint)


_UNEXPECTED = "unexpected"
_SHAPE = "specs look like name@1.2:2 +variant key=value ^dependency %compiler"
_NOT_A_PAIR = "only key=value pairs are allowed in edge attributes"
_EDGE_HINT = "edge attributes look like [virtuals=c,cxx deptypes=build when='+x']"
