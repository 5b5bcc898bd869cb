"""``__init__.py`` files that only declare a namespace package (pkgutil's and pkg_resources' ways).

Distributions that share a namespace each have such a file, with texts that differ in comments and
style. In one directory any of them serves them all.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable

__all__ = ["declaration_rank"]

_MODULES = ("pkgutil", "pkg_resources")


def declaration_rank(content: bytes) -> int | None:
    """Return how good a file is as the ``__init__.py`` of a shared namespace; None if it has code.

    2 for pkgutil's way, 1 for that of pkg_resources, which needs setuptools when it is imported,
    and 0 for a file without any statement.
    """
    try:
        return _rank(ast.parse(content).body)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _rank(body: Iterable[ast.stmt]) -> int | None:
    found = 0
    for statement in body:
        rank = _statement(statement)
        if rank is None:
            return None
        found = max(found, rank)
    return found


def _statement(statement: ast.stmt) -> int | None:
    if isinstance(statement, ast.Try):
        blocks = [statement.body, *(x.body for x in statement.handlers), statement.orelse]
        ranks = [_rank(block) for block in blocks]
        return None if None in ranks else max(x or 0 for x in ranks)
    if isinstance(statement, (ast.Import, ast.ImportFrom)):
        names = {x.name for x in statement.names}
        module = statement.module if isinstance(statement, ast.ImportFrom) else None
        known = module in _MODULES if module else names.issubset(_MODULES)
        return 0 if known or module == "__future__" else None
    text = ast.unparse(statement)
    if isinstance(statement, ast.Assign) and text.startswith("__path__ = "):
        return 2 if text.endswith("extend_path(__path__, __name__)") else None
    if isinstance(statement, ast.Expr):
        if isinstance(statement.value, ast.Constant):
            return 0
        return 1 if text.endswith("declare_namespace(__name__)") else None
    return 0 if isinstance(statement, ast.Pass) else None
