"""Values taken out of merged sections."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from spack.config.merge import find
from spack.config.schema import ConfigReport, Origin, Tree, strip

if TYPE_CHECKING:
    from spack.config.variables import Variables

__all__ = ["SectionReader"]

_T = TypeVar("_T")


class SectionReader:
    """Takes values out of merged sections, with a fallback for each."""

    def __init__(self, sections: Mapping[str, Tree], variables: Variables) -> None:
        self.sections = sections
        self.variables = variables
        self.report = ConfigReport()

    def value(self, fallback: _T, *keys: str) -> _T:
        """Return the plain data at *keys*, or *fallback* where nothing is written."""
        tree = find(self.sections.get(keys[0]), *keys[1:])
        if tree is None:
            return fallback
        found: _T = strip(tree)
        return found

    def paths(self, fallback: tuple[str, ...], *keys: str) -> tuple[Path, ...]:
        """Return the paths at *keys*, variables filled in; one may be written without a list."""
        tree = find(self.sections.get(keys[0]), *keys[1:])
        if tree is None:
            tree = Tree([Tree(text, _FALLBACK) for text in fallback], _FALLBACK)
        items: list[Tree] = tree.value if isinstance(tree.value, list) else [tree]
        return tuple(Path(self.path_text(item)) for item in items)

    def path(self, fallback: str, *keys: str) -> Path:
        """Return the path at *keys*."""
        return self.paths((fallback,), *keys)[0]

    def path_text(self, tree: Tree) -> str:
        """Return a path with its variables filled in; a problem goes into the report."""
        if tree.origin is _FALLBACK:
            return self.variables.path(tree.value, tree.origin, ConfigReport())
        return self.variables.path(tree.value, tree.origin, self.report)

    def optional_path(self, *keys: str) -> Path | None:
        """Return the path, or None where it is a variable that is not set."""
        tree = find(self.sections.get(keys[0]), *keys[1:])
        if tree is None or not tree.value:
            return None
        text, missing = self.variables.expand(tree.value)
        return None if missing or not text else Path(self.path_text(tree))


_FALLBACK = Origin("built-in default")
