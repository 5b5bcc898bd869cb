"""The paths of a view while it is planned: collected from the packages, each with one owner."""

from __future__ import annotations

import posixpath
from collections.abc import Sequence

from spack.view import relocate
from spack.view.activate import EnvStep
from spack.view.hooks import HookRecord, HookResult
from spack.view.path_conflicts import PathConflicts
from spack.view.plan_types import (
    OWN,
    Files,
    Item,
    Limit,
    ViewOptions,
    ViewSource,
    contained_base,
    link_type_of,
)
from spack.view.venv_parts import BasePython, VenvParts, parts

__all__ = ["ViewTree"]


class ViewTree:
    """Folders, entries and texts by path in the view.

    :ivar bare: folders without files, with their owners.
    :ivar limits: what does not work in the view.
    :ivar lib64: whether ``lib64`` is ``lib``, as in a virtual environment.
    :ivar base: the interpreter that moves with the view, or None.
    """

    def __init__(self, sources: list[ViewSource], options: ViewOptions) -> None:
        self.sources = sources
        self.options = options
        self.conflicts = PathConflicts(sources, options.winners)
        self.folders: dict[str, int] = {}
        self.items: dict[str, Item] = {}
        self.texts: dict[str, bytes] = {}
        self.reserved: dict[str, None] = {}
        self.bare: dict[str, list[int]] = {}
        #: How many files and links a package has in each directory of its, by path in the view,
        #: index of the package and directory in its prefix; only where directories are folded.
        self.given: dict[str, dict[tuple[int, str], int]] = {}
        self.limits: list[Limit] = [Limit(OWN, "", text) for text in options.omissions]
        self.lib64 = options.python is not None
        self.base = contained_base(sources, options)

    def reserve(self, python: BasePython) -> None:
        """Keep the paths of the virtual environment itself; their texts come in the end."""
        own = self.venv_parts(python, ())
        for folder in own.folders:
            self.folder(folder, OWN)
        self.reserved = dict.fromkeys([*own.links, *own.texts])

    def venv_parts(self, python: BasePython, steps: Sequence[EnvStep]) -> VenvParts:
        """Return what makes the view a virtual environment of *python*."""
        options = self.options
        return parts(
            python,
            system_site_packages=options.system_site_packages,
            prompt=options.prompt,
            templates=options.templates,
            steps=steps,
            contained=self.base is not None,
            splits_env=options.splits_env,
        )

    def canonical(self, path: str) -> str:
        """Return *path* with ``lib64`` as ``lib``: a venv has one library directory."""
        if self.lib64 and path.startswith("lib64") and path[5:6] in ("/", ""):
            return "lib" + path[5:]
        return path

    def shows(self, path: str) -> bool:
        """Return whether *path* is in the view, as a file or a folder, or will be its own."""
        path = self.canonical(path)
        return path in self.items or path in self.folders or path in self.reserved

    def folder(self, path: str, owner: int) -> None:
        """Add a directory and those above it."""
        while path and path not in self.folders:
            self.folders[path] = owner
            path = path.rpartition("/")[0]

    def add(self, index: int, source: ViewSource) -> None:  # noqa: C901 - inner loop of planning
        """Add all paths of one package."""
        how = link_type_of(source, self.options)
        top = source.projection.strip("/")
        start = top + "/" if top else ""
        prefix = source.prefix + "/"
        folders, items, reserved = self.folders, self.items, self.reserved
        own: list[str] = []
        counts = self.options.fold
        filled: set[str] = set()
        if top:
            self.folder(top, index)
        for path, (kind, mode, content, _) in source.load_files().items():
            location = start + path
            if self.lib64 and location.startswith("lib64"):
                location = self.canonical(location)
            if counts:
                self._count(location, index, prefix + path, kind)
            if kind == "dir":
                own.append(location)
                if location not in folders:
                    self.folder(location, index)
                continue
            filled.add(location.rpartition("/")[0])
            if location in reserved:
                if source.role not in ("python", "extension"):
                    self.conflicts.clash(location, index, OWN)
                continue
            if kind == "file":
                item = Item(how, index, prefix + path, mode, content)
            else:
                target = self._link_target(source, path, content, location)
                if target is None:
                    continue
                item = Item("link", index, target, mode, "")
            parent = location.rpartition("/")[0]
            if parent and parent not in folders:
                self.folder(parent, index)
            present = items.setdefault(location, item)
            if present is not item:
                items[location] = self.conflicts.decide(location, present, item)
        filled.update(path.rpartition("/")[0] for path in own)
        for path in own:
            if path not in filled:
                self.bare.setdefault(path, []).append(index)

    def _count(self, location: str, index: int, source: str, kind: str) -> None:
        """Note that a package has something at *location*, for :mod:`spack.view.folding`."""
        if kind != "dir":
            location, source = location.rpartition("/")[0], source.rpartition("/")[0]
        given = self.given.setdefault(location, {})
        given[(index, source)] = given.get((index, source), 0) + (kind != "dir")

    def add_recorded(self, index: int, source: ViewSource, recorded: HookRecord) -> None:
        """Add all paths that the recipe of a package put into the view."""
        files = source.load_files()
        for row in recorded.locations:
            location = self.canonical(row.location)
            if location in self.reserved:
                if source.role not in ("python", "extension"):
                    self.conflicts.clash(location, index, OWN)
                continue
            item = self._recorded_item(index, source, files, row, location)
            if item is None:
                continue
            self.folder(location.rpartition("/")[0], index)
            present = self.items.setdefault(location, item)
            if present is not item:
                self.items[location] = self.conflicts.decide(location, present, item)
            if row.kind == "text" and self.items[location] is item:
                self.texts[location] = row.content

    def _recorded_item(
        self, index: int, source: ViewSource, files: Files, row: HookResult, location: str
    ) -> Item | None:
        if row.kind == "text":
            return Item("text", index, "", row.mode, relocate.digest(row.content))
        if row.kind == "link":
            return Item("link", index, row.source, row.mode, "")
        prefix = source.prefix + "/"
        path = row.source[len(prefix) :] if row.source.startswith(prefix) else ""
        kind, mode, content, _ = files.get(path, ("", row.mode, "", 0))
        if kind == "link":
            target = self._link_target(source, path, content, location)
            return None if target is None else Item("link", index, target, mode, "")
        if kind == "file":
            return Item(link_type_of(source, self.options), index, row.source, mode, content)
        # What the package does not own is shown where it is.
        return Item("link", index, row.source, row.mode, "")

    def _link_target(self, source: ViewSource, path: str, target: str, location: str) -> str | None:
        """Return the target that a link of a prefix has in the view.

        None if it is not needed there.
        """
        folder = posixpath.dirname(path)
        inside = posixpath.normpath(
            posixpath.relpath(target, source.prefix)
            if target.startswith("/")
            else posixpath.join(folder, target)
        )
        if inside == ".." or inside.startswith("../"):
            if target.startswith("/"):
                return target
            return posixpath.normpath(posixpath.join(source.prefix, folder, target))
        start = source.projection.strip("/")
        there = self.canonical(posixpath.join(start, inside))
        if there == location:
            return None
        return posixpath.relpath(there, posixpath.dirname(location) or ".")

    def text(self, location: str, content: bytes, owner: int, mode: int) -> None:
        """Set the entry of a file whose content the plan holds."""
        self.items[location] = Item("text", owner, "", mode, relocate.digest(content))
        self.texts[location] = content
