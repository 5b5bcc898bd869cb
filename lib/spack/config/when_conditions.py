"""Conditions in configuration (``when:``): read as Python's grammar has it, never executed.

They ask ``platform``, ``os``, ``target``, ``hostname``, ``arch`` (with ``arch.satisfies(SPEC)``),
``arch_str``, ``spack_version``, ``env`` (the environment variables) and ``re``.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from typing import Any, Callable

from spack.config.schema import Origin
from spack.errors import ConfigError, SpecError
from spack.spec.constraint import Spec
from spack.spec.version import Version

__all__ = ["ArchitectureText", "VersionText", "holds"]


class ArchitectureText(str):
    """``platform-os-target`` as a text that can be asked what it satisfies."""

    __slots__ = ()

    def satisfies(self, text: str) -> bool:
        """Return whether this architecture satisfies a spec such as ``target=x86_64:``.

        :raises SpecError: *text* is malformed.
        """
        platform, os, target = self.split("-", 2)
        spec = Spec.parse(f"platform={platform} os={os} target={target}")
        return spec.satisfies(Spec.parse(text))


class VersionText(str):
    """A version as a text; unlike other texts it has an order."""

    __slots__ = ()

    def __lt__(self, other: str) -> bool:
        return bool(Version(str(self)) < Version(str(other)))

    def __le__(self, other: str) -> bool:
        return str(self) == str(other) or self < other

    def __gt__(self, other: str) -> bool:
        return not self <= other

    def __ge__(self, other: str) -> bool:
        return not self < other

    def satisfies(self, text: str) -> bool:
        """Return whether this version satisfies a constraint such as ``1.0:`` or ``@1.0:``.

        :raises SpecError: *text* is malformed.
        """
        return Spec.parse(f"@={self}").satisfies(Spec.parse("@" + text.lstrip("@")))


class _Unsupported(Exception):  # noqa: N818 - control flow, not an error
    pass


def holds(text: str, names: Mapping[str, Any], origin: Origin) -> bool:
    """Return whether the condition *text* is true.

    :raises ConfigError: it uses more than comparisons, ``and``, ``or``, ``not``, ``in``,
        ``env[...]``, ``env.get``, ``re.search``, ``re.match``, ``arch.satisfies`` and methods of
        texts.
    """
    try:
        return bool(_value(ast.parse(text.strip(), mode="eval").body, names))
    except (
        SyntaxError, ValueError, TypeError, LookupError, SpecError, _Unsupported, re.error
    ) as error:  # fmt: skip
        raise ConfigError(
            f"{origin}: cannot evaluate the condition '{text}': {error}",
            facts={"file": origin.file, "line": origin.line, "condition": text},
            hint="conditions compare platform, os, target, arch, hostname, spack_version and "
            "env['NAME'] with texts, as in: platform == 'linux' and 'CI' in env",
        ) from None


_COMPARE: Mapping[Any, Callable[[Any, Any], bool]] = {
    ast.Eq: lambda a, b: a == b,
    ast.NotEq: lambda a, b: a != b,
    ast.In: lambda a, b: a in b,
    ast.NotIn: lambda a, b: a not in b,
    ast.Is: lambda a, b: a is b,
    ast.IsNot: lambda a, b: a is not b,
}

_ORDER: Mapping[Any, Callable[[Any, Any], bool]] = {
    ast.Lt: lambda a, b: a < b,
    ast.LtE: lambda a, b: a <= b,
    ast.Gt: lambda a, b: a > b,
    ast.GtE: lambda a, b: a >= b,
}

#: Methods of texts that may be called: none that makes a text longer than what it is given.
TEXT_METHODS = (
    "startswith", "endswith", "lower", "upper", "strip", "lstrip", "rstrip", "split",
)  # fmt: skip

#: (object, method) that may be called; None means a text.
_CALLS: Mapping[tuple[str | None, str], Callable[..., Any]] = {
    ("re", "search"): re.search,
    ("re", "match"): re.match,
    ("re", "fullmatch"): re.fullmatch,
    **{(None, name): getattr(str, name) for name in TEXT_METHODS},
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
        if compare is None and isinstance(left, (VersionText, int, float)):
            compare = _ORDER.get(type(operator))
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
    if isinstance(value, (ArchitectureText, VersionText)) and function.attr == "satisfies":
        return value.satisfies(*arguments)
    if isinstance(value, str) and (None, function.attr) in _CALLS:
        return _CALLS[None, function.attr](value, *arguments)
    raise _Unsupported(f"'{function.attr}' cannot be called")
