"""YAML as plain data that remembers its lines, and editing that keeps comments.

Reading gives a *tree*: every node is a triple ``(value, line, text)``, where ``value`` is a
scalar, a list of nodes or a dict from text to node; ``line`` counts from 1 (for the value of a
mapping it is the line of the key); ``text`` is the scalar as written where ``str(value)`` would
lose something (``1.10`` is the number 1.1), else None. Scalars follow the YAML 1.2 core schema:
``yes`` and ``on`` are texts. Keys are always texts. Anchors, aliases and ``<<`` are resolved;
tags other than YAML's own, a second document and a repeated key are errors.

The tree is made of builtins only, so a parsed file can be remembered by :mod:`marshal`. A warm
run then reads a file of 100 lines in 0.05 ms instead of 10 ms, and does not import ruamel.yaml
(35 ms). An entry counts only while path, size, times and inode of the file are the same, and
when the file was not changed in the moment before it was remembered (the clock of a file system
is coarse). The loader of a file says when it deserves to be remembered (:meth:`Loaded.remember`):
a file with errors is read again each time, so that its errors are shown again.
"""

from __future__ import annotations

import marshal
import os
import re
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import (
    Any,
    Callable,
    NoReturn,
    Optional,
    Union,
)

from spack.errors import ConfigError
from spack.util.hashing import checksum

__all__ = ["Document", "Loaded", "dump", "load", "plain", "round_trip", "scalar"]

#: ``(value, line, text)``; see the module's docstring.
Node = tuple[Any, int, Optional[str]]
KeyPath = Sequence[Union[str, int]]

_CACHE_FORMAT = b"spack-yaml 1 %d\n" % sys.hexversion
#: A file changed less than this before its cache entry was written is not trusted (ns).
_RACY = 20_000_000
#: More nodes than this are an attack ("billion laughs"), not a configuration.
_MOST_NODES = 200_000

# Start-up: patterns are texts, compiled at the first use; warm runs parse nothing.
_INTEGER = r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+"
_FLOAT = r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?"
_WORDS: dict[str, Any] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys((".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"), float("inf")),
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), float("-inf")),
}


def scalar(text: str) -> Any:
    """Return the value of a plain (unquoted) scalar in YAML 1.2's core schema."""
    if text in _WORDS:
        return _WORDS[text]
    first = text[0]
    if first in "-+.0123456789":
        if re.fullmatch(_INTEGER, text):
            base = {"0o": 8, "0x": 16}.get(text[:2], 10)
            return int(text, base)
        if re.fullmatch(_FLOAT, text):
            return float(text)
    return text


def plain(node: Node) -> Any:
    """Return the data of a tree without its lines."""
    value = node[0]
    if isinstance(value, dict):
        return {key: plain(child) for key, child in value.items()}
    if isinstance(value, list):
        return [plain(child) for child in value]
    return value


class Loaded:
    """A parsed file: its data, and the position of each part of it.

    :ivar file: the path, as it is shown to the user.
    :ivar tree: the nodes; see the module's docstring.
    :ivar fresh: False when the tree came out of the cache.
    """

    __slots__ = ("_data", "_remember", "file", "fresh", "tree")

    def __init__(
        self,
        file: str,
        tree: Node,
        remember: Callable[[Node], None] | None = None,
        fresh: bool = False,
    ) -> None:
        self.file = file
        self.tree = tree
        self.fresh = fresh or remember is not None
        self._remember = remember
        self._data: Any = self

    @property
    def data(self) -> Any:
        """Dicts, lists and scalars; computed once, do not change it."""
        if self._data is self:
            self._data = plain(self.tree)
        return self._data

    def node(self, path: KeyPath) -> Node:
        """Return the node at ``path``, or, where that is missing, the last one on the way to it."""
        node = self.tree
        for key in path:
            try:
                node = node[0][key]
            except (LookupError, TypeError):
                break
        return node

    def origin(self, path: KeyPath = ()) -> tuple[str, int]:
        """Return file and line of the value at ``path``."""
        return self.file, self.node(path)[1]

    def remember(self) -> None:
        """Let later runs take the tree from the cache; for files that are found to be good."""
        if self._remember is not None:
            self._remember(self.tree)
            self._remember = None


def load(
    path: str | os.PathLike[str],
    text: str | None = None,
    cache: str | os.PathLike[str] | None = None,
) -> Loaded:
    """Read a YAML file.

    :param text: the content, when the caller has it; ``path`` is then only a name.
    :param cache: directory of parsed files; made when something is remembered. None: no cache.
    :raises ConfigError: ``file:line:`` and what is wrong: not readable, not UTF-8, malformed.
    :returns: an empty file is an empty mapping.
    """
    file = os.fspath(path)
    if text is not None:
        return Loaded(file, _parse(file, text), fresh=True)
    try:
        status = os.stat(file)
        location = None if cache is None else _cache_location(os.fspath(cache), file)
        identity = (
            file, status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino
        )  # fmt: skip
        if location is not None:
            tree = _recall(location, identity)
            if tree is not None:
                return Loaded(file, tree)
        with open(file, "rb") as stream:
            raw = stream.read()
    except OSError as error:
        raise ConfigError(
            f"{file}:1: cannot be read: {error.strerror}", facts={"file": file, "line": 1}
        ) from error
    loaded_text = _decode(file, raw)

    def remember(tree: Node) -> None:
        if location is not None:
            _write_cache(location, identity, tree)

    return Loaded(file, _parse(file, loaded_text), remember)


def _decode(file: str, raw: bytes) -> str:
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise ConfigError(
            f"{file}:{line}: is not UTF-8 text",
            facts={"file": file, "line": line},
            hint="save the file as UTF-8",
        ) from None


# -- the cache of parsed files ---------------------------------------------------------------


def _cache_location(directory: str, file: str) -> str:
    absolute = os.path.abspath(file)
    name = os.path.basename(absolute)[:100]
    return os.path.join(directory, f"{name}-{checksum(absolute.encode()):08x}")


def _recall(location: str, identity: tuple[Any, ...]) -> Node | None:
    try:
        with open(location, "rb") as stream:
            written = os.fstat(stream.fileno()).st_mtime_ns
            raw = stream.read()
    except OSError:
        return None
    head = len(_CACHE_FORMAT)
    if raw[:head] != _CACHE_FORMAT or written - identity[2] < _RACY:
        return None
    body = raw[head + 4 :]
    if checksum(body).to_bytes(4, "big") != raw[head : head + 4]:
        return None
    remembered, tree = marshal.loads(body)
    return tree if remembered == identity else None


def _write_cache(location: str, identity: tuple[Any, ...], tree: Node) -> None:
    from spack.util.filesystem import atomic_write  # start-up: warm runs do not write

    body = marshal.dumps((identity, tree))
    try:
        os.makedirs(os.path.dirname(location), exist_ok=True)
        atomic_write(location, _CACHE_FORMAT + checksum(body).to_bytes(4, "big") + body)
    except OSError:
        pass  # a cache that cannot be written is skipped


# -- parsing -----------------------------------------------------------------------------------


def _parse(file: str, text: str) -> Node:
    import ruamel.yaml  # start-up: 35 ms, and warm runs take the cache

    parser = ruamel.yaml.YAML(typ="safe", pure=True)
    try:
        root = parser.compose(text)
    except ruamel.yaml.error.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark is not None else 1
        column = mark.column + 1 if mark is not None else 1
        problem = " ".join(part for part in (error.context, error.problem) if part)
        raise ConfigError(
            f"{file}:{line}: {problem} (column {column})",
            facts={"file": file, "line": line, "column": column},
            hint=_YAML_HINTS.get(problem) or _opened(error.context, error.context_mark),
        ) from None
    except ruamel.yaml.error.YAMLError as error:
        position = getattr(error, "position", 0)
        line = text.count("\n", 0, position) + 1
        reason = getattr(error, "reason", "malformed YAML")
        raise ConfigError(
            f"{file}:{line}: {reason}", facts={"file": file, "line": line}, hint=_ANY_HINT
        ) from None
    except RecursionError:
        raise _too_deep(file) from None
    if root is None:
        return ({}, 1, None)
    try:
        return _TreeBuilder(file).node(root, root.start_mark.line + 1)
    except RecursionError:
        raise _too_deep(file) from None


def _too_deep(file: str) -> ConfigError:
    return ConfigError(
        f"{file}:1: its lists and mappings are nested too deeply",
        facts={"file": file, "line": 1},
        hint=_ANY_HINT,
    )


def _opened(context: str | None, mark: Any) -> str:
    """Return a hint for a parser error in a structure that began at *mark*."""
    if context and mark is not None:
        for word, sign in _BRACKETS.items():
            if word in context:
                return f"is the {sign} in line {mark.line + 1}, column {mark.column + 1} closed?"
    return _ANY_HINT


_ANY_HINT = "look at this line and those above it: their indentation, brackets and quotes"
_BRACKETS = {"flow sequence": "[", "flow mapping": "{", "quoted scalar": "quote"}

_YAML_HINTS = {
    "while scanning for the next token found character '\\t' that cannot start any token": (
        "YAML is indented with spaces, not with tabs"
    ),
    "mapping values are not allowed here": "put the text in quotes if it contains ': '",
}

_TAG = "tag:yaml.org,2002:"


class _TreeBuilder:
    """Turns ruamel's node graph into a tree; the first repeated key or odd tag ends it."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.count = 0
        self.open: set[int] = set()

    def fail(self, line: int, message: str, hint: str | None = None) -> NoReturn:
        raise ConfigError(
            f"{self.file}:{line}: {message}", facts={"file": self.file, "line": line}, hint=hint
        )

    def node(self, source: Any, line: int) -> Node:
        self.count += 1
        if self.count > _MOST_NODES:
            self.fail(line, "it has too much data, as written or by its aliases")
        if source.id == "scalar":
            return self.scalar(source, line)
        if id(source) in self.open:
            self.fail(line, "an alias is inside its own anchor")
        self.open.add(id(source))
        if source.id == "sequence":
            self.check_tag(source, "seq", line)
            value: Any = [self.node(item, item.start_mark.line + 1) for item in source.value]
        else:
            self.check_tag(source, "map", line)
            value = self.mapping(source)
        self.open.discard(id(source))
        return (value, line, None)

    def check_tag(self, source: Any, kind: str, line: int) -> None:
        tag = str(source.tag)
        if tag not in (_TAG + kind, "!", "None"):
            self.fail(line, f"the tag {tag} is not supported here")

    def scalar(self, source: Any, line: int) -> Node:
        text = source.value
        tag = str(source.tag)
        if source.style in ("'", '"', "|", ">") or tag in (_TAG + "str", "!"):
            explicit = not tag.startswith(_TAG) and tag not in ("!", "None")
            if explicit:
                self.fail(line, f"the tag {tag} is not supported here")
            return (text, line, None)
        if not tag.startswith(_TAG) and tag != "None":
            self.fail(line, f"the tag {tag} is not supported here")
        value = scalar(text)
        is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
        return (value, line, text if is_number and str(value) != text else None)

    def mapping(self, source: Any) -> dict[str, Node]:
        result: dict[str, Node] = {}
        merged: list[dict[str, Node]] = []
        for key_node, value_node in source.value:
            line = key_node.start_mark.line + 1
            if key_node.id != "scalar":
                self.fail(line, "a key must be a text", "put it in quotes")
            key = key_node.value
            if key == "<<" and key_node.style is None:
                merged.extend(self.merge_sources(value_node, line))
                continue
            if key in result:
                self.fail(
                    line,
                    f"the key {key!r} occurs twice, first in line {result[key][1]}",
                    "merge the two, or remove one of them",
                )
            result[key] = self.node(value_node, line)
        for mapping in merged:
            for key, node in mapping.items():
                result.setdefault(key, node)
        return result

    def merge_sources(self, source: Any, line: int) -> list[dict[str, Node]]:
        items = source.value if source.id == "sequence" else [source]
        found = [self.node(item, line)[0] for item in items]
        if not all(isinstance(item, dict) for item in found):
            self.fail(line, "'<<' takes a mapping or a list of mappings")
        return found


# -- editing -----------------------------------------------------------------------------------


class Document:
    """A YAML file under edit: comments, order and quotes of what is not touched stay.

    :ivar data: ruamel's round-trip mapping; change it in place.
    """

    __slots__ = ("_yaml", "data", "path")

    def __init__(self, path: Path, text: str) -> None:
        import ruamel.yaml  # start-up: only commands that edit need it

        self.path = path
        _parse(str(path), text)  # malformed input and duplicates: one kind of error
        self._yaml = ruamel.yaml.YAML(typ="rt", pure=True)
        self._yaml.preserve_quotes = True
        self._yaml.width = 4096
        if _indents_sequences(text):
            self._yaml.indent(mapping=2, sequence=4, offset=2)
        data = self._yaml.load(text)
        self.data: Any = self._yaml.map() if data is None else data

    def extend(self, items: Any, new: Iterable[Any]) -> None:
        """Append to a list of the document; comment lines below the list stay below it."""
        below = _take_comment_below(items)
        items.extend(new)
        if below is not None and items:
            items.ca.items[len(items) - 1] = [below, None, None, None]

    def text(self) -> str:
        """Return the document as it would be saved."""
        import io  # start-up: only commands that edit need it

        stream = io.StringIO()
        self._yaml.dump(self.data, stream)
        return stream.getvalue()

    def save(self) -> None:
        """Replace the file atomically.

        :raises OSError: it cannot be written.
        """
        from spack.util.filesystem import atomic_write  # start-up: only commands that edit

        atomic_write(self.path, self.text())


def _take_comment_below(items: Any) -> Any:
    """Return ruamel's token of the lines between the last item of a list and what follows, or None.

    The token belongs to the last item, and holds the comment at the end of that item's line too,
    which is left where it is.
    """
    entry = items.ca.items.get(len(items) - 1) if hasattr(items, "ca") else None
    token = entry[0] if entry else None
    if token is None:
        return None
    own, newline, rest = token.value.partition("\n")
    if not rest:
        return None
    import copy  # start-up: only commands that edit need it

    below = copy.copy(token)
    below.value = newline + rest
    if own:
        token.value = own + newline
    else:
        del items.ca.items[len(items) - 1]
    return below


#: A key, comments, and the first item of its list.
_LIST_ITEM = (
    r"(?m)^( *)[^\s#-][^#\n]*:[ \t]*(?:#[^\n]*)?\n"
    r"(?:[ \t]*(?:#[^\n]*)?\n)*"
    r"( *)- "
)


def _indents_sequences(text: str) -> bool:
    """Return whether list items are indented more than their key, as for an empty document."""
    match = re.search(_LIST_ITEM, text)
    return match is None or len(match.group(2)) > len(match.group(1))


def round_trip(path: str | os.PathLike[str], text: str | None = None) -> Document:
    """Open a file for editing; a missing one is an empty document.

    :param text: the content, when the caller has it.
    :raises ConfigError: as :func:`load`.
    """
    location = Path(path)
    if text is None:
        try:
            text = _decode(str(location), location.read_bytes())
        except FileNotFoundError:
            text = ""
        except OSError as error:
            raise ConfigError(
                f"{location}:1: cannot be read: {error.strerror}",
                facts={"file": str(location), "line": 1},
            ) from error
    return Document(location, text)


def dump(data: Any) -> str:
    """Return plain data as YAML in block style, list items indented."""
    document = Document(Path("-"), "")
    document.data = data
    return document.text()
