"""Lists of specs in ``spack.yaml``: definitions, ``$references`` and matrices.

::

    definitions:
    - compilers: ["%gcc", "%clang"]
    - libraries: [hdf5, zlib]
      when: platform == "linux"
    specs:
    - $libraries
    - matrix:
      - [py-numpy@2.0, py-numpy@1.26]
      - [$compilers]
      exclude: [py-numpy@2.0%clang]

A definition that stands twice is extended. ``$^name`` and ``$%name`` put a sigil before each item.
``when`` is an expression over ``platform``, ``os``, ``target``, ``arch``, ``hostname``, ``env``
(the environment variables) and ``re``; it is read as data and not executed as code.
"""

from __future__ import annotations

import ast
import itertools
import re
from typing import Any, Callable, Dict, List, Mapping, NamedTuple, Optional, Sequence, Tuple

from spack.config.schema import Origin, Tree, near
from spack.errors import ConfigError
from spack.spec import parse

__all__ = ["UserSpec", "expand", "expand_definitions", "holds"]


class UserSpec(NamedTuple):
    """A root that somebody asked for: its text, and where it is written."""

    text: str
    origin: Origin


Lists = Mapping[str, Sequence[UserSpec]]


def expand_definitions(tree: Optional[Tree], names: Mapping[str, Any]) -> Dict[str, List[UserSpec]]:
    """The lists below ``definitions``, references resolved.

    :param names: values for ``when``; see the module's docstring.
    :raises ConfigError: unknown reference or malformed ``when``, with file and line.
    """
    lists: Dict[str, List[UserSpec]] = {}
    for entry in [] if tree is None else tree.value:
        condition = entry.value.get("when")
        if condition is not None and not holds(condition.value, names, condition.origin):
            continue
        for name, items in entry.value.items():
            if name != "when":
                lists.setdefault(name, []).extend(expand(items, lists))
    return lists


def expand(items: Tree, lists: Lists) -> List[UserSpec]:
    """The specs of one list: plain ones, ``$references`` and matrices, in order."""
    result: List[UserSpec] = []
    for item in items.value:
        if isinstance(item.value, str):
            result.extend(_resolve(item, lists))
        elif isinstance(item.value, dict):
            result.extend(_matrix(item, lists))
    return result


def _resolve(item: Tree, lists: Lists) -> List[UserSpec]:
    text = item.value.strip()
    if not text.startswith("$"):
        return [UserSpec(text, item.origin)]
    sigil = text[1] if text[1:2] in ("^", "%") else ""
    name = text[1 + len(sigil) :]
    found = lists.get(name)
    if found is None:
        raise ConfigError(
            f"{item.origin}: there is no definition named '{name}' before this line",
            facts={"file": item.origin.file, "line": item.origin.line, "name": name},
            hint=near(name, lists) or "write it below 'definitions:'",
        )
    return [UserSpec(sigil + spec.text.lstrip(sigil or " "), item.origin) for spec in found]


def _matrix(item: Tree, lists: Lists) -> List[UserSpec]:
    axes = [
        [spec.text for entry in axis.value for spec in _resolve(entry, lists)]
        for axis in item.value["matrix"].value
    ]
    excluded: List[str] = []
    if "exclude" in item.value:
        for entry in item.value["exclude"].value:
            excluded.extend(spec.text for spec in _resolve(entry, lists))
    rows = [" ".join(words) for words in itertools.product(*axes)]
    if excluded:
        unwanted = [parse(text) for text in excluded]
        rows = [row for row in rows if not any(parse(row).satisfies(spec) for spec in unwanted)]
    return [UserSpec(row, item.origin) for row in rows]


# -- when --------------------------------------------------------------------------------------


class _Unsupported(Exception):
    pass


def holds(text: str, names: Mapping[str, Any], origin: Origin) -> bool:
    """Whether the condition *text* is true.

    :raises ConfigError: it uses more than comparisons, ``and``, ``or``, ``not``, ``in``,
        ``env[...]``, ``env.get``, ``re.search``, ``re.match`` and methods of texts that test.
    """
    try:
        return bool(_value(ast.parse(text.strip(), mode="eval").body, names))
    except (SyntaxError, ValueError, TypeError, KeyError, _Unsupported, re.error) as error:
        raise ConfigError(
            f"{origin}: cannot evaluate the condition '{text}': {error}",
            facts={"file": origin.file, "line": origin.line, "condition": text},
            hint="conditions compare platform, os, target, arch, hostname and env['NAME'] with "
            "texts, as in: platform == 'linux' and 'CI' in env",
        ) from None


_COMPARE: Mapping[Any, Callable[[Any, Any], bool]] = {
    ast.Eq: lambda a, b: a == b,
    ast.NotEq: lambda a, b: a != b,
    ast.In: lambda a, b: a in b,
    ast.NotIn: lambda a, b: a not in b,
    ast.Is: lambda a, b: a is b,
    ast.IsNot: lambda a, b: a is not b,
}

#: (object, method) that may be called; None stands for a text.
_CALLS: Mapping[Tuple[Optional[str], str], Callable[..., Any]] = {
    ("re", "search"): re.search,
    ("re", "match"): re.match,
    ("re", "fullmatch"): re.fullmatch,
    (None, "startswith"): str.startswith,
    (None, "endswith"): str.endswith,
}


def _value(node: ast.expr, names: Mapping[str, Any]) -> Any:
    if isinstance(node, ast.Constant):
        return node.value
    if isinstance(node, ast.Name):
        if node.id not in names:
            raise _Unsupported(f"unknown name {node.id}")
        return names[node.id]
    if isinstance(node, ast.BoolOp):
        result: Any = None
        for part in node.values:
            result = _value(part, names)
            if bool(result) is isinstance(node.op, ast.Or):
                break
        return result
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        return not _value(node.operand, names)
    if isinstance(node, ast.Compare):
        return _comparison(node, names)
    if isinstance(node, (ast.List, ast.Tuple)):
        return [_value(part, names) for part in node.elts]
    if isinstance(node, ast.Subscript):
        return _value(node.value, names)[_value(node.slice, names)]
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and not node.keywords:
        return _call(node.func, [_value(part, names) for part in node.args], names)
    raise _Unsupported(f"'{ast.unparse(node)}' is not supported")


def _comparison(node: ast.Compare, names: Mapping[str, Any]) -> bool:
    left = _value(node.left, names)
    for operator, part in zip(node.ops, node.comparators):
        right = _value(part, names)
        compare = _COMPARE.get(type(operator))
        if compare is None:
            raise _Unsupported("order of texts")
        if not compare(left, right):
            return False
        left = right
    return True


def _call(function: ast.Attribute, arguments: List[Any], names: Mapping[str, Any]) -> Any:
    place = function.value
    if isinstance(place, ast.Name) and (place.id, function.attr) in _CALLS:
        return _CALLS[place.id, function.attr](*arguments)
    value = _value(place, names)
    if isinstance(value, Mapping) and function.attr == "get":
        return value.get(*arguments)
    if isinstance(value, str) and (None, function.attr) in _CALLS:
        return _CALLS[None, function.attr](value, *arguments)
    raise _Unsupported(f"'{function.attr}' cannot be called")
