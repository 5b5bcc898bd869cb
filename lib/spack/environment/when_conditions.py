"""Conditions in ``spack.yaml`` (``when:``): read as Python's grammar has it, never executed."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from typing import Any, Callable

from spack.config.schema import Origin
from spack.errors import ConfigError

__all__ = ["holds"]


class _Unsupported(Exception):  # noqa: N818 - control flow, not an error
    pass


def holds(text: str, names: Mapping[str, Any], origin: Origin) -> bool:
    """Return whether the condition *text* is true.

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

#: (object, method) that may be called; None means a text.
_CALLS: Mapping[tuple[str | None, str], Callable[..., Any]] = {
    ("re", "search"): re.search,
    ("re", "match"): re.match,
    ("re", "fullmatch"): re.fullmatch,
    (None, "startswith"): str.startswith,
    (None, "endswith"): str.endswith,
}


def _value(node: ast.expr, names: Mapping[str, Any]) -> Any:  # noqa: C901 - one branch for each node of the grammar
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


def _call(function: ast.Attribute, arguments: list[Any], names: Mapping[str, Any]) -> Any:
    location = function.value
    if isinstance(location, ast.Name) and (location.id, function.attr) in _CALLS:
        return _CALLS[location.id, function.attr](*arguments)
    value = _value(location, names)
    if isinstance(value, Mapping) and function.attr == "get":
        return value.get(*arguments)
    if isinstance(value, str) and (None, function.attr) in _CALLS:
        return _CALLS[None, function.attr](value, *arguments)
    raise _Unsupported(f"'{function.attr}' cannot be called")
