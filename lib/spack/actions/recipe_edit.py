"""Edits of a recipe's text that touch no line but those that they are about."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Sequence
from typing import Union

from spack.errors import RecipeError
from spack.spec import Version, VersionList

__all__ = ["RecipeEdit"]

_Block = Union[ast.Expr, ast.With, ast.For]


class RecipeEdit:
    """A recipe that is edited; lines are counted from 1 as in the text that was given.

    :raises RecipeError: it is not Python, or has no class.
    """

    def __init__(self, text: str, path: str) -> None:
        self.path = path
        self._lines = text.splitlines(keepends=True)
        self._inserted: dict[int, list[str]] = {}
        try:
            tree = ast.parse(text)
        except SyntaxError as error:
            raise RecipeError(
                f"cannot read {path}:{error.lineno}: {error.msg}",
                hint="mend the recipe first: `spack edit NAME`",
            ) from error
        classes = [node for node in tree.body if isinstance(node, ast.ClassDef)]
        if not classes:
            raise RecipeError(f"{path} has no class", hint="it is not a recipe")
        self._class = classes[-1]

    @property
    def indent(self) -> str:
        """The white space before statements of the class."""
        return " " * self._class.body[0].col_offset

    def text(self) -> str:
        """Return the edited text."""
        found = []
        for number, line in enumerate(self._lines, 1):
            found.append(line)
            found += self._inserted.get(number, ())
        return "".join(found)

    def add_after(self, names: Sequence[tuple[str, str]], lines: Iterable[str]) -> None:
        """Insert *lines* after the last statement of the class that the first fitting name finds.

        :param names: pairs of a directive and the beginning of its first argument, best first.
        :raises RecipeError: no directive fits.
        """
        for directive, argument in names:
            fitting = [
                node for node in self._statements() if self._calls(node, directive, argument)
            ]
            if fitting:
                end = fitting[-1].end_lineno or fitting[-1].lineno
                self._inserted.setdefault(end, []).extend(f"{line}\n" for line in lines)
                return
        raise RecipeError(f"{self.path} has no {names[-1][0]}()", hint="write the first by hand")

    def add_version(self, version: str, lines: Iterable[str]) -> None:
        """Insert *lines* above the first older version.

        :raises RecipeError: the recipe has no ``version()``.
        """
        rows = [
            (str(call.args[0].value), call)
            for call in self._every_call()
            if _name(call) == "version" and call.args and isinstance(call.args[0], ast.Constant)
        ]
        if not rows:
            raise RecipeError(f"{self.path} has no version()", hint="write the first by hand")
        rows.sort(key=lambda row: row[1].lineno)
        older = [call for text, call in rows if Version(text) < Version(version)]
        if older:
            at, indent = older[0].lineno - 1, older[0].col_offset
        else:
            at, indent = rows[-1][1].end_lineno or 0, rows[-1][1].col_offset
        own = [f"{' ' * indent}{line.strip()}\n" for line in lines]
        before = self._inserted.setdefault(at, [])
        before[:0] = own  # versions are added oldest first

    def bound(self, line: int, versions: str) -> bool:
        """Restrict the directive at *line* to *versions* of the package; return if that was done.

        It cannot be done where its condition is computed.

        :param versions: a range, ``:1.4``.
        """
        call = next((c for c in self._every_call() if c.lineno <= line <= _end(c)), None)
        if call is None:
            return False
        when = next((word.value for word in call.keywords if word.arg == "when"), None)
        if when is None:
            self._replace_before_end(call, f'when="@{versions}"')
            return True
        if not isinstance(when, ast.Constant) or not isinstance(when.value, str):
            return False
        text = _bounded(when.value, versions)
        if text is None or when.lineno != when.end_lineno:
            return False
        row = self._lines[when.lineno - 1].encode()
        new = row[: when.col_offset] + f'"{text}"'.encode() + row[when.end_col_offset :]
        self._lines[when.lineno - 1] = new.decode()
        return True

    def _replace_before_end(self, call: ast.Call, words: str) -> None:
        """Add a keyword as the last of a call."""
        last = max(
            [*call.args, *(word.value for word in call.keywords)],
            key=lambda node: (node.end_lineno or 0, node.end_col_offset or 0),
        )
        assert last.end_lineno is not None and last.end_col_offset is not None
        row = self._lines[last.end_lineno - 1].encode()
        new = row[: last.end_col_offset] + f", {words}".encode() + row[last.end_col_offset :]
        self._lines[last.end_lineno - 1] = new.decode()

    def _statements(self) -> Iterator[_Block]:
        for node in self._class.body:
            if isinstance(node, (ast.Expr, ast.With, ast.For)):
                yield node

    def _calls(self, node: _Block, directive: str, argument: str) -> bool:
        """Return whether *node* is such a directive, or a block that has one."""
        for call in _calls_in(node):
            if _name(call) != directive:
                continue
            first = call.args[0] if call.args else None
            text = first.value if isinstance(first, ast.Constant) else ""
            if not argument or _begins(str(text), argument):
                return True
        return False

    def _every_call(self) -> Iterator[ast.Call]:
        for node in self._statements():
            yield from _calls_in(node)


def _calls_in(node: ast.AST) -> Iterator[ast.Call]:
    for part in ast.walk(node):
        if isinstance(part, ast.Call) and _name(part) not in ("", "when", "default_args"):
            yield part


def _name(call: ast.Call) -> str:
    return call.func.id if isinstance(call.func, ast.Name) else ""


def _end(call: ast.Call) -> int:
    return call.end_lineno or call.lineno


def _begins(text: str, name: str) -> bool:
    """Return whether *text* is a spec of the package *name*."""
    return text == name or (text.startswith(name) and text[len(name)] in "@+~ %^=")


def _bounded(when: str, versions: str) -> str | None:
    """Return a condition with a further range of versions; None if nothing is left."""
    if not when.startswith("@"):
        space = "" if not when or when[0] in "+~" else " "
        return f"@{versions}{space}{when}"
    end = next((at for at, sign in enumerate(when) if at and sign in " +~%^"), len(when))
    common = VersionList(when[1:end]).intersection(VersionList(versions))
    return f"@{common}{when[end:]}" if common else None
