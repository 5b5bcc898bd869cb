"""Files of a planned view that name the store's Python: they become texts of its own."""

from __future__ import annotations

import os
import posixpath

from spack.util.record_file import RecordedFile, corrected_record
from spack.util.shebang import is_shell
from spack.view import relocate
from spack.view.launchers import (
    ShownPackage,
    interpreter_pattern,
    is_data,
    relocated_data,
    relocated_launcher,
)
from spack.view.plan_types import Limit, Read
from spack.view.view_tree import ViewTree

__all__ = ["rewrite"]


def rewrite(tree: ViewTree, read: Read) -> None:
    """Turn files of *tree* that name the store's Python into texts, and their RECORDs with them.

    :param read: reads files of the prefixes.
    """
    if tree.options.python is not None:
        _Rewriting(tree, read).run()


class _Rewriting:
    def __init__(self, tree: ViewTree, read: Read) -> None:
        self._tree = tree
        self._read = read
        self._packages: dict[int, ShownPackage] = {}

    def run(self) -> None:
        changed: dict[str, bytes] = {}
        if self._tree.base is not None:
            changed.update(self._rewritten_base(self._tree.sources.index(self._tree.base)))
        self._rewritten_texts(changed)
        staging = {} if self._tree.options.splits_env else self._launched(changed)
        self._rewrite_records(changed)
        for location, content in changed.items():
            self._tree.text(
                location, content, self._tree.items[location].owner, self._tree.items[location].mode
            )
        for location, (content, owner) in staging.items():
            self._tree.folder(location.rpartition("/")[0], owner)
            self._tree.text(location, content, owner, 0o644)

    def _rewritten_texts(self, changed: dict[str, bytes]) -> None:
        """Add to *changed* the scripts and data files that name the store's Python."""
        interpreters = self._interpreters()
        for location, item in self._tree.items.items():
            if item.how in ("link", "text"):
                continue
            extension = self._tree.sources[item.owner].role == "extension"
            data = is_data(location) and (extension or location.endswith("/kernel.json"))
            if not data and not relocate.is_candidate(location, item.mode):
                continue
            head = self._read(item.source, relocate.HEAD_SIZE)
            if (head[:2] != b"#!" and not data) or b"\0" in head:
                continue
            content = self._read(item.source, None) if len(head) >= relocate.HEAD_SIZE else head
            shown = self._shown(item.owner)
            if data:
                new = relocated_data(location, content, shown)
            else:
                new = relocate.relocated_script(location, content, interpreters, extension)
                if new is None and extension and is_shell(content):
                    new = relocated_launcher(location, content, shown)
            if new is not None:
                changed[location] = new
            if new is None and extension and shown.interpreter.search(content):
                text = "names an interpreter of the store, which does not see the view"
                self._tree.limits.append(Limit(item.owner, location, text))

    def _shown(self, owner: int) -> ShownPackage:
        """Return what texts of one package may name; it is made once for each package."""
        if owner not in self._packages:
            source, options = self._tree.sources[owner], self._tree.options
            prefix = os.fsencode(source.prefix)
            executables = (
                () if options.python is None else (os.fsencode(options.python.executable),)
            )
            bases = [x.prefix for x in self._tree.sources if x.role in ("python", "python-venv")]
            venvs = map(os.fsencode, [*bases, *options.store_prefixes])
            pattern = interpreter_pattern([prefix, *venvs], executables)
            self._packages[owner] = ShownPackage(
                prefix, os.fsencode(source.projection), pattern, self._tree.shows
            )
        return self._packages[owner]

    def _launched(self, changed: dict[str, bytes]) -> dict[str, tuple[bytes, int]]:
        """Give scripts a header without ``env -S``; scripts that were moved, with owners."""
        staging: dict[str, tuple[bytes, int]] = {}
        for location, content in list(changed.items()):
            owner = self._tree.items[location].owner
            for path, text in relocate.without_env_split(location, content).items():
                if path == location:
                    changed[location] = text
                else:
                    staging[path] = (text, owner)
        return staging

    def _rewritten_base(self, index: int) -> dict[str, bytes]:
        """Return files of an interpreter that moves with the view, where they name its prefix."""
        changed: dict[str, bytes] = {}
        prefix = os.fsencode(self._tree.sources[index].prefix)
        for location, item in list(self._tree.items.items()):
            if item.owner == index and item.how != "link" and relocate.is_of_base(location):
                new = relocate.relocated_base(location, self._read(item.source, None), prefix)
                if new is not None:
                    changed[location] = new
                    self._drop_bytecode(location)
        return changed

    def _drop_bytecode(self, location: str) -> None:
        """Drop bytecode of a module that is rewritten: Python would write another."""
        folder, _, name = location.rpartition("/")
        start = f"{folder}/__pycache__/{name[:-3]}."
        for path in [path for path in self._tree.items if path.startswith(start)]:
            del self._tree.items[path]

    def _rewrite_records(self, changed: dict[str, bytes]) -> None:
        """Add to *changed* the RECORD of each distribution that has a changed file."""
        owners = {self._tree.items[location].owner for location in changed}
        if not owners:
            return
        files = {location: RecordedFile.of(content) for location, content in changed.items()}
        for location, item in list(self._tree.items.items()):
            if item.owner in owners and location.endswith(".dist-info/RECORD") and item.source:
                old = self._read(item.source, None)
                folder = posixpath.dirname(posixpath.dirname(location))
                new = corrected_record(old, folder, files, self._tree.canonical)
                if new != old:
                    changed[location] = new

    def _interpreters(self) -> relocate.Interpreters:
        python = self._tree.options.python
        executables = [os.fsencode(str(python.executable))] if python is not None else []
        prefixes = [s.prefix for s in self._tree.sources] + list(self._tree.options.store_prefixes)
        return relocate.Interpreters(
            tuple(map(os.fsencode, prefixes)),
            tuple(executables),
            "" if python is None else python.version,
        )
