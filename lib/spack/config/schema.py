"""A small validator: kinds of values as objects, all problems of a file at once.

The tables in :mod:`spack.config.keys` are written with the kinds of this module. Checking
turns a tree of :mod:`spack.util.yaml` into a tree of :class:`Tree` nodes, in which texts are texts
(``version: [1.10]`` gives ``"1.10"``) and every value has its origin. A problem does not stop
the check; :class:`ConfigReport` collects them and raises one error for all.

Keys may carry Spack's suffixes: ``key::`` replaces what lower scopes say, ``key+:`` appends to it
and ``key-:`` prepends (the usual). YAML takes the last colon, so the suffixes are ``:``, ``+`` and
``-``. They are kept in the checked tree; merging removes them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from spack.errors import ConfigError

if TYPE_CHECKING:
    from spack.util.yaml import Node

__all__ = [
    "ANYTHING",
    "BOOL",
    "Choice",
    "Either",
    "Integer",
    "Kind",
    "ListOf",
    "MapOf",
    "NULL",
    "Origin",
    "Record",
    "ConfigReport",
    "PathText",
    "SpecText",
    "TEXT",
    "Text",
    "Tree",
    "key_name",
    "one_or_more",
]


class Origin(NamedTuple):
    """Where a value was written; line 0 when it is not a file (a command line, a test)."""

    file: str
    line: int = 0

    def __str__(self) -> str:
        return f"{self.file}:{self.line}" if self.line else self.file


class Tree(NamedTuple):
    """A checked value (scalar, list or dict of trees) and its origin."""

    value: Any
    origin: Origin


class ConfigProblem(NamedTuple):
    """One thing that is wrong, and what to do about it."""

    origin: Origin
    message: str
    hint: str | None = None


class ConfigReport:
    """Collects problems; ``raise_if_any`` makes one error of them, in order of lines."""

    def __init__(self) -> None:
        self.problems: list[ConfigProblem] = []
        #: Spec texts that were met; the reader of the files decides when they are parsed.
        self.specs: list[Tree] = []
        #: Paths that were met, each with the keys that lead to it.
        self.paths: list[tuple[tuple[str, ...], str]] = []

    def add(self, origin: Origin, message: str, hint: str | None = None) -> None:
        """Note a problem."""
        self.problems.append(ConfigProblem(origin, message, hint))

    def raise_if_any(self) -> None:
        """Raise what was found.

        :raises ConfigError: its message is the first problem; ``causes`` has one error for each
            further one, ``facts["problems"]`` lists all.
        """
        if not self.problems:
            return
        files = {problem.origin.file: index for index, problem in enumerate(self.problems[::-1])}
        ordered = sorted(
            dict.fromkeys(self.problems), key=lambda p: (-files[p.origin.file], p.origin.line)
        )
        first, rest = ordered[0], ordered[1:]
        raise ConfigError(
            f"{first.origin}: {first.message}",
            facts={
                "file": first.origin.file,
                "line": first.origin.line,
                "problems": [f"{p.origin}: {p.message}" for p in ordered],
            },
            hint=first.hint or (None if any(p.hint for p in rest) else _ANY_HINT),
            causes=[
                ConfigError(
                    f"{p.origin}: {p.message}",
                    facts={"file": p.origin.file, "line": p.origin.line},
                    hint=p.hint,
                )
                for p in rest
            ],
        )


_ANY_HINT = "the files in etc/ of this installation show every value and what it means"
_SUFFIXES = (":", "+", "-")


def key_name(key: str) -> str:
    """Return the key without the suffix that rules its merging."""
    return key[:-1] if key[-1:] in _SUFFIXES else key


def suggestion(name: str, known: Iterable[str]) -> str | None:
    """Return a hint with the known names that resemble ``name``, or None."""
    import difflib  # start-up: only an error needs it

    found = difflib.get_close_matches(name, list(known), n=3, cutoff=0.6)
    return "did you mean " + " or ".join(repr(item) for item in found) + "?" if found else None


_NAMES = {bool: "true or false", int: "a number", float: "a number", str: "a text"}


def _describe(node: Node) -> str:
    value = node[0]
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    if value is None:
        return "nothing"
    shown = node[2] or ("true" if value is True else "false" if value is False else str(value))
    return repr(shown if len(shown) <= 40 else shown[:37] + "...")


def _display(path: Sequence[str]) -> str:
    return ":".join(path) if path else "the file"


class Idle(NamedTuple):
    """A key without effect.

    :ivar instead: what holds here, to complete the note.
    :ivar harmless: values that ask for what is done anyway.
    """

    instead: str
    harmless: tuple[Any, ...] = ()


class Kind:
    """What a value may be; :attr:`expected` completes "expected ..."."""

    expected = "a value"

    def accepts(self, node: Node) -> bool:
        """Return whether the value has the outer shape of this kind (its parts may be wrong)."""
        raise NotImplementedError

    def check(self, node: Node, file: str, path: tuple[str, ...], report: ConfigReport) -> Tree:
        """Return the checked tree; problems go to ``report`` and make the value meaningless."""
        origin = Origin(file, node[1])
        if not self.accepts(node):
            report.add(
                origin,
                f"{_display(path)}: expected {self.expected}, found {_describe(node)}",
                self.hint(node),
            )
            return Tree(None, origin)
        return self.read(node, origin, path, report)

    def read(self, node: Node, origin: Origin, path: tuple[str, ...], report: ConfigReport) -> Tree:
        """Return the checked tree of a value that :meth:`accepts` accepted."""
        return Tree(node[0], origin)

    def hint(self, node: Node) -> str | None:
        """Return a hint for a value that is not accepted."""
        return None


class _Anything(Kind):
    def accepts(self, node: Node) -> bool:
        return True

    def read(self, node: Node, origin: Origin, path: tuple[str, ...], report: ConfigReport) -> Tree:
        value = node[0]
        if isinstance(value, dict):
            value = {k: self.check(v, origin.file, path, report) for k, v in value.items()}
        elif isinstance(value, list):
            value = [self.check(v, origin.file, path, report) for v in value]
        return Tree(value, origin)


class _Bool(Kind):
    expected = "true or false"

    def accepts(self, node: Node) -> bool:
        return isinstance(node[0], bool)

    def hint(self, node: Node) -> str | None:
        if isinstance(node[0], str) and node[0].lower() in ("yes", "no", "on", "off"):
            return "YAML 1.2 knows true and false only"
        if isinstance(node[0], str) and node[0].lower() in ("true", "false"):
            return "write it without quotes"
        return None


class _Null(Kind):
    expected = "null"

    def accepts(self, node: Node) -> bool:
        return node[0] is None


class Text(Kind):
    """A text; numbers count as the text that was written."""

    def __init__(self, expected: str = "a text") -> None:
        self.expected = expected

    def accepts(self, node: Node) -> bool:
        return isinstance(node[0], (str, int, float)) and not isinstance(node[0], bool)

    def read(self, node: Node, origin: Origin, path: tuple[str, ...], report: ConfigReport) -> Tree:
        return Tree(node[2] or str(node[0]), origin)

    def hint(self, node: Node) -> str | None:
        return "put it in quotes" if isinstance(node[0], bool) else None


class PathText(Text):
    """A path (or a URL) on this machine, noted in the report.

    A relative one starts at the directory of its file, so a copy of the file must change it.
    """

    def __init__(self, expected: str = "a path") -> None:
        super().__init__(expected)

    def read(self, node: Node, origin: Origin, path: tuple[str, ...], report: ConfigReport) -> Tree:
        tree = super().read(node, origin, path, report)
        report.paths.append((path, tree.value))
        return tree


class SpecText(Text):
    """A spec, noted in the report so that its syntax can be checked."""

    def __init__(self) -> None:
        super().__init__("a spec")

    def read(self, node: Node, origin: Origin, path: tuple[str, ...], report: ConfigReport) -> Tree:
        tree = super().read(node, origin, path, report)
        report.specs.append(tree)
        return tree


class Choice(Kind):
    """One of some texts."""

    def __init__(self, *values: str) -> None:
        self.values = values
        self.expected = " or ".join(filter(None, (", ".join(values[:-1]), values[-1])))

    def accepts(self, node: Node) -> bool:
        return node[0] in self.values if isinstance(node[0], str) else False

    def hint(self, node: Node) -> str | None:
        return suggestion(node[0], self.values) if isinstance(node[0], str) else None


class Integer(Kind):
    """A whole number, not below ``least``."""

    def __init__(self, least: int | None = None) -> None:
        self.least = least
        self.expected = "a whole number" + ("" if least is None else f" of at least {least}")

    def accepts(self, node: Node) -> bool:
        value = node[0]
        if isinstance(value, bool) or not isinstance(value, int):
            return False
        return self.least is None or value >= self.least

    def hint(self, node: Node) -> str | None:
        is_quoted = isinstance(node[0], str) and node[0].isdigit()
        return "write it without quotes" if is_quoted else None


class Either(Kind):
    """The first of some kinds whose outer shape fits."""

    def __init__(self, *kinds: Kind) -> None:
        self.kinds = kinds
        self.expected = " or ".join(kind.expected for kind in kinds)

    def accepts(self, node: Node) -> bool:
        return any(kind.accepts(node) for kind in self.kinds)

    def read(self, node: Node, origin: Origin, path: tuple[str, ...], report: ConfigReport) -> Tree:
        kind = next(kind for kind in self.kinds if kind.accepts(node))
        return kind.read(node, origin, path, report)

    def hint(self, node: Node) -> str | None:
        return next(filter(None, (kind.hint(node) for kind in self.kinds)), None)


class ListOf(Kind):
    """A list; nothing at all is an empty one."""

    def __init__(self, item: Kind) -> None:
        self.item = item
        self.expected = "a list"

    def accepts(self, node: Node) -> bool:
        return node[0] is None or isinstance(node[0], list)

    def read(self, node: Node, origin: Origin, path: tuple[str, ...], report: ConfigReport) -> Tree:
        items = node[0] or ()
        return Tree(
            [
                self.item.check(item, origin.file, (*path, f"[{index}]"), report)
                for index, item in enumerate(items)
            ],
            origin,
        )


class MapOf(Kind):
    """A mapping with free keys; nothing at all is an empty one."""

    expected = "a mapping"

    def __init__(self, value: Kind, special: Mapping[str, Kind] | None = None) -> None:
        self.value = value
        self.special = special or {}

    def accepts(self, node: Node) -> bool:
        return node[0] is None or isinstance(node[0], dict)

    def read(self, node: Node, origin: Origin, path: tuple[str, ...], report: ConfigReport) -> Tree:
        result: dict[str, Tree] = {}
        for key, child in (node[0] or {}).items():
            name = key_name(key)
            kind = self.special.get(name, self.value)
            result[key] = kind.check(child, origin.file, (*path, name), report)
        return Tree(result, origin)


class Record(Kind):
    """A mapping with known keys.

    :param required: keys that must be there.
    :param one_of: at least one of these must be there.
    """

    expected = "a mapping"

    def __init__(
        self,
        fields: Mapping[str, Kind],
        required: Sequence[str] = (),
        one_of: Sequence[str] = (),
        hints: Mapping[str, str] | None = None,
    ) -> None:
        self.fields = fields
        self.required = required
        self.one_of = one_of
        self.hints = hints or {}

    def accepts(self, node: Node) -> bool:
        return node[0] is None or isinstance(node[0], dict)

    def read(self, node: Node, origin: Origin, path: tuple[str, ...], report: ConfigReport) -> Tree:
        result: dict[str, Tree] = {}
        for key, child in (node[0] or {}).items():
            name = key_name(key)
            kind = self.fields.get(name)
            if kind is None:
                where = f"{_display(path)}: " if path else ""
                report.add(
                    Origin(origin.file, child[1]),
                    f"{where}unknown key {name!r}",
                    self.hints.get(name)
                    or suggestion(name, self.fields)
                    or "known keys: " + ", ".join(sorted(self.fields)),
                )
                continue
            result[key] = kind.check(child, origin.file, (*path, name), report)
        names = {key_name(key) for key in result} | set(node[0] or ())
        for key in self.required:
            if key not in names:
                report.add(origin, f"{_display(path)}: the key {key!r} is missing")
        if self.one_of and not names.intersection(self.one_of):
            wanted = " or ".join(repr(key) for key in self.one_of)
            report.add(origin, f"{_display(path)}: one of the keys {wanted} must be there")
        return Tree(result, origin)


ANYTHING: Kind = _Anything()
BOOL: Kind = _Bool()
NULL: Kind = _Null()
TEXT: Kind = Text()


def one_or_more(kind: Kind) -> Kind:
    """Return the kind of a single value, or a list of them."""
    return Either(kind, ListOf(kind))


def as_nodes(data: Any, line: int = 0) -> Node:
    """Return plain data as an unchecked tree, for scopes that are not files."""
    if isinstance(data, Mapping):
        return ({str(key): as_nodes(item, line) for key, item in data.items()}, line, None)
    if isinstance(data, (list, tuple)):
        return ([as_nodes(item, line) for item in data], line, None)
    return (data, line, None)


def nodes_of(tree: Tree) -> Node:
    """Return a checked tree as an unchecked one, with its lines."""
    value: Any | dict[str, Tree] | list[Tree] = tree.value
    if isinstance(value, dict):
        value = {key: nodes_of(child) for key, child in value.items()}
    elif isinstance(value, list):
        value = [nodes_of(child) for child in value]
    return (value, tree.origin.line, None)


def strip(tree: Tree) -> Any:
    """Return the plain data of a checked tree."""
    value: Any | dict[str, Tree] | list[Tree] = tree.value
    if isinstance(value, dict):
        return {key: strip(child) for key, child in value.items()}
    if isinstance(value, list):
        return [strip(child) for child in value]
    return value
