"""What a view will hold: pure, from the packages' manifests and the options.

A view shows the files of several prefixes as one tree. Every path of it has one owner; a path that
two packages provide is fine if it is a folder in both or the same content in both, and a conflict
otherwise. All conflicts are found before anything is written, and the result does not depend on
the order in which the packages are given.

How a path comes into the view (:class:`Item`):

=============  ==============================================================================
``symlink``    a symbolic link to the file in the prefix
``hardlink``   another name of the file
``copy``       a file of its own (sharing its blocks where the file system can)
``link``       a symbolic link with a target of its own: links of a prefix keep pointing inside
``text``       a file whose content the plan holds: rewritten scripts, ``pyvenv.cfg``, …
=============  ==============================================================================

Files that would name the store's Python are read through an argument and become ``text``, whatever
the link type. Cost: about 1 µs a file, and reading those that may be scripts.
"""

from __future__ import annotations

import os
import posixpath
import re
from collections.abc import Container, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Callable

from spack.view import relocate
from spack.view.activate import EnvStep
from spack.view.hooks import HookRecord, HookResult
from spack.view.plan_types import (
    LINK_TYPES,
    OWN,
    Conflict,
    FileOwner,
    Files,
    Item,
    Read,
    Shared,
    ViewOptions,
    ViewPlan,
    ViewSource,
    contained_base,
    link_type_of,
    options_digest,
    ordered_sources,
    plan_digest,
    python_facts,
    source_digest,
)
from spack.view.search_paths import path_steps, projected_steps
from spack.view.venv_parts import BasePython, VenvParts, parts

__all__ = [
    "LINK_TYPES",
    "OWN",
    "Ask",
    "Conflict",
    "Files",
    "Item",
    "FileOwner",
    "Read",
    "ViewOptions",
    "ViewPlan",
    "ViewSource",
    "plan_added",
    "plan_digest",
    "plan_own",
    "plan_view",
]

#: Indexes that many packages write and that are worthless when they come from one of them.
GENERATED = frozenset(
    {
        "share/info/dir",
        "info/dir",
        "share/mime/mime.cache",
        "share/glib-2.0/schemas/gschemas.compiled",
        "share/applications/mimeinfo.cache",
        "lib/charset.alias",
    }
)

_ICON_CACHE = re.compile(r"share/icons/[^/]+/icon-theme\.cache\Z")


#: Asks the recipes of the packages that customize views; the answers by hash.
Ask = Callable[[Sequence[ViewSource]], Mapping[str, HookRecord]]


def plan_view(
    sources: Sequence[ViewSource], options: ViewOptions, read: Read, ask: Ask | None = None
) -> ViewPlan:
    """Decide every path of the view.

    :param read: reads files of the prefixes.
    :param ask: see :mod:`spack.view.hooks`; None if no recipe has anything to say.
    :raises ViewError: a link type that is not known. Conflicts are in the result: see
        :meth:`ViewPlan.check`.
    """
    ordered = ordered_sources(sources)
    tree = _Tree(ordered, options, read)
    if options.python is not None:
        tree.reserve(options.python)
    answers = {} if ask is None else ask(ordered)
    tree.tolerated = {path for answer in answers.values() for path in answer.tolerated}
    for index, source in enumerate(ordered):
        answer = answers.get(source.hash)
        if source.role == "python-venv":
            continue
        if answer is None:
            tree.add(index, source)
        else:
            tree.add_recorded(index, source, answer)
    tree.rewrite()
    return tree.finish()


def plan_added(
    sources: Sequence[ViewSource],
    added: Sequence[ViewSource],
    options: ViewOptions,
    read: Read,
    answers: Mapping[str, HookRecord],
) -> ViewPlan:
    """Return the entries that the packages *added* add to a view of *sources*, and nothing else.

    Its digest and owners are those of the whole view. Conflicts with the other packages are not
    seen.
    """
    tree = _Tree(ordered_sources(sources), options, read)
    if options.python is not None:
        tree.reserve(options.python)
        tree.folders.clear()
    for index, source in enumerate(tree.sources):
        answer = answers.get(source.hash)
        if source in added and answer is not None:
            tree.add_recorded(index, source, answer)
        elif source in added:
            tree.add(index, source)
    tree.rewrite()
    return tree.result(())


def plan_own(
    sources: Sequence[ViewSource],
    options: ViewOptions,
    folders: set[str],
    exists: Callable[[str], bool],
) -> ViewPlan:
    """Return the view's own entries, for one with these *folders*."""
    tree = _Tree(ordered_sources(sources), options, lambda path, limit: b"")
    return tree.result(tree.add_own(folders, exists))


class _Tree:
    """The plan while it grows. Folders and items are dicts from path in the view."""

    def __init__(self, sources: list[ViewSource], options: ViewOptions, read: Read) -> None:
        self.sources = sources
        self.options = options
        self.read = read
        self.folders: dict[str, int] = {}
        self.items: dict[str, Item] = {}
        self.texts: dict[str, bytes] = {}
        self.clashes: dict[str, dict[str, None]] = {}
        self.shared: dict[str, Shared] = {}
        self.reserved: dict[str, None] = {}
        self.tolerated: set[str] = set()
        self.bare: dict[str, list[int]] = {}
        self.lib64 = options.python is not None
        self.base = contained_base(sources, options)

    # -- collecting ---------------------------------------------------------------------------

    def reserve(self, python: BasePython) -> None:
        """Keep the paths of the virtual environment itself; their texts come in the end."""
        own = self.venv_parts(python, ())
        for folder in own.folders:
            self.folder(folder, OWN)
        self.reserved = dict.fromkeys([*own.links, *own.texts])

    def venv_parts(self, python: BasePython, steps: Sequence[EnvStep]) -> VenvParts:
        options = self.options
        return parts(
            python,
            system_site_packages=options.system_site_packages,
            prompt=options.prompt,
            templates=options.templates,
            steps=steps,
            contained=self.base is not None,
        )

    def canonical(self, path: str) -> str:
        """Return *path* with ``lib64`` as ``lib``: a venv has one library directory."""
        if self.lib64 and path.startswith("lib64") and path[5:6] in ("/", ""):
            return "lib" + path[5:]
        return path

    def folder(self, path: str, owner: int) -> None:
        """Return a directory and those above it."""
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
        filled: set[str] = set()
        if top:
            self.folder(top, index)
        for path, (kind, mode, content, _) in source.load_files().items():
            location = start + path
            if self.lib64 and location.startswith("lib64"):
                location = self.canonical(location)
            if kind == "dir":
                own.append(location)
                if location not in folders:
                    self.folder(location, index)
                continue
            filled.add(location.rpartition("/")[0])
            if location in reserved:
                if source.role not in ("python", "extension"):
                    self.clash(location, index, OWN)
                continue
            if kind == "file":
                item = Item(how, index, prefix + path, mode, content)
            else:
                target = self.link_target(source, path, content, location)
                if target is None:
                    continue
                item = Item("link", index, target, mode, "")
            parent = location.rpartition("/")[0]
            if parent and parent not in folders:
                self.folder(parent, index)
            present = items.setdefault(location, item)
            if present is not item:
                self.meet(location, present, item)
        filled.update(path.rpartition("/")[0] for path in own)
        for path in own:
            if path not in filled:
                self.bare.setdefault(path, []).append(index)

    def add_recorded(self, index: int, source: ViewSource, recorded: HookRecord) -> None:
        """Add all paths that the recipe of a package put into the view."""
        files = source.load_files()
        for row in recorded.locations:
            location = self.canonical(row.location)
            if location in self.reserved:
                if source.role not in ("python", "extension"):
                    self.clash(location, index, OWN)
                continue
            item = self.recorded_item(index, source, files, row, location)
            if item is None:
                continue
            self.folder(location.rpartition("/")[0], index)
            present = self.items.setdefault(location, item)
            if present is not item:
                self.meet(location, present, item)
            if row.kind == "text" and self.items[location] is item:
                self.texts[location] = row.content

    def recorded_item(
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
            target = self.link_target(source, path, content, location)
            return None if target is None else Item("link", index, target, mode, "")
        if kind == "file":
            return Item(link_type_of(source, self.options), index, row.source, mode, content)
        # What the package does not own is shown where it is.
        return Item("link", index, row.source, row.mode, "")

    def link_target(self, source: ViewSource, path: str, target: str, location: str) -> str | None:
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

    def meet(self, location: str, first: Item, second: Item) -> None:
        """Decide which of two packages keeps one path."""
        if first.how == "link" or second.how == "link":
            same = first.how == second.how and first.source == second.source
        else:
            same = first.digest == second.digest
        if same or location in GENERATED or _is_derived(location):
            self.share(location, "same" if same else "generated", first, second)
            return
        if location in self.tolerated:
            self.share(location, "chosen", first, second)
            return
        winner = self.winner(location)
        names = (self.sources[first.owner].name, self.sources[second.owner].name)
        if winner == names[1]:
            self.items[location] = second
            self.clashes.pop(location, None)
        elif winner != names[0]:
            self.clash(location, first.owner, second.owner)
        self.share(location, "chosen", first, second)

    def share(self, location: str, reason: str, first: Item, second: Item) -> None:
        known = self.shared.get(location)
        if known is None:
            self.shared[location] = Shared(reason, (first.owner, second.owner))
        else:
            reason = reason if known.reason == "same" else known.reason
            self.shared[location] = Shared(reason, (*known.owners, second.owner))

    def winner(self, location: str) -> str:
        """Return the package that the options name for *location*."""
        for pattern, name in self.options.winners.items():
            if pattern == location or fnmatchcase(location, pattern):
                return name
        return ""

    def clash(self, location: str, *owners: int) -> None:
        found = self.clashes.setdefault(location, {})
        for owner in owners:
            label = "the virtual environment" if owner == OWN else self.sources[owner].label
            found[label] = None

    # -- rewriting ----------------------------------------------------------------------------

    def rewrite(self) -> None:
        """Turn files that name the store's Python into texts, and their RECORDs with them."""
        if self.options.python is None:
            return
        interpreters = self.interpreters()
        changed: dict[str, bytes] = {}
        if self.base is not None:
            changed.update(self.rewritten_base(self.sources.index(self.base)))
        for location, item in self.items.items():
            if item.how in ("link", "text") or not relocate.is_candidate(location, item.mode):
                continue
            head = self.read(item.source, relocate.HEAD_SIZE)
            if head[:2] != b"#!" and not location.endswith(".json"):
                continue
            content = self.read(item.source, None) if len(head) >= relocate.HEAD_SIZE else head
            env_too = self.sources[item.owner].role == "extension"
            new = relocate.relocated(location, content, interpreters, env_too)
            if new is not None:
                changed[location] = new
        staging = {} if self.options.splits_env else self.launched(changed)
        self.rewrite_records(changed)
        for location, content in changed.items():
            self.text(location, content, self.items[location].owner, self.items[location].mode)
        for location, (content, owner) in staging.items():
            self.folder(location.rpartition("/")[0], owner)
            self.text(location, content, owner, 0o644)

    def launched(self, changed: dict[str, bytes]) -> dict[str, tuple[bytes, int]]:
        """Give scripts a header without ``env -S``; scripts that were moved, with owners."""
        staging: dict[str, tuple[bytes, int]] = {}
        for location, content in list(changed.items()):
            owner = self.items[location].owner
            for path, text in relocate.without_env_split(location, content).items():
                if path == location:
                    changed[location] = text
                else:
                    staging[path] = (text, owner)
        return staging

    def rewritten_base(self, index: int) -> dict[str, bytes]:
        """Return files of an interpreter that moves with the view, where they name its prefix."""
        changed: dict[str, bytes] = {}
        prefix = os.fsencode(self.sources[index].prefix)
        for location, item in list(self.items.items()):
            if item.owner == index and item.how != "link" and relocate.is_of_base(location):
                new = relocate.relocated_base(location, self.read(item.source, None), prefix)
                if new is not None:
                    changed[location] = new
                    self.drop_bytecode(location)
        return changed

    def drop_bytecode(self, location: str) -> None:
        """Drop bytecode of a module that is rewritten: Python would write another."""
        folder, _, name = location.rpartition("/")
        start = f"{folder}/__pycache__/{name[:-3]}."
        for path in [path for path in self.items if path.startswith(start)]:
            del self.items[path]

    def rewrite_records(self, changed: dict[str, bytes]) -> None:
        """Add to *changed* the RECORD of each distribution that has a changed file."""
        owners = {self.items[location].owner for location in changed}
        if not owners:
            return
        for location, item in list(self.items.items()):
            if item.owner in owners and location.endswith(".dist-info/RECORD") and item.source:
                old = self.read(item.source, None)
                folder = posixpath.dirname(posixpath.dirname(location))
                new = relocate.corrected_record(old, folder, changed, self.canonical)
                if new != old:
                    changed[location] = new

    def interpreters(self) -> relocate.Interpreters:
        python = self.options.python
        executables = [os.fsencode(str(python.executable))] if python is not None else []
        prefixes = [s.prefix for s in self.sources] + list(self.options.store_prefixes)
        return relocate.Interpreters(tuple(map(os.fsencode, prefixes)), tuple(executables))

    def text(self, location: str, content: bytes, owner: int, mode: int) -> None:
        self.items[location] = Item("text", owner, "", mode, relocate.digest(content))
        self.texts[location] = content

    # -- the end ------------------------------------------------------------------------------

    def finish(self) -> ViewPlan:
        return self.result(
            self.add_own(self.folders, lambda path: path in self.items or path in self.folders)
        )

    def add_own(
        self, folders: Container[str], exists: Callable[[str], bool]
    ) -> tuple[EnvStep, ...]:
        """Add what belongs to the view itself; gives the steps of its activation."""
        steps, pth = projected_steps(
            [(s.prefix, s.projection, s.environment) for s in self.sources], exists
        )
        steps = path_steps(folders, (), is_venv=self.lib64) + steps
        python = self.options.python
        if python is not None:
            further = self.options.site_directories
            if pth or further:
                depth = "../" * (python.purelib.count("/") + 1)
                lines = "".join(f"{depth}{path}\n" for path in pth)
                lines += "".join(f"import site; site.addsitedir({path!r})\n" for path in further)
                self.text(f"{python.purelib}/_spack_view.pth", lines.encode(), OWN, 0o644)
            self.add_venv(python, steps)
        return steps

    def result(self, steps: tuple[EnvStep, ...]) -> ViewPlan:
        """Return the plan as far as it has been made."""
        python = self.options.python
        for folder, owner in self.folders.items():
            item = self.items.get(folder)
            if item is not None:
                self.clash(folder, item.owner, owner)
        conflicts = [
            Conflict(path, tuple(sorted(owners))) for path, owners in sorted(self.clashes.items())
        ]
        return ViewPlan(
            digest=plan_digest(self.sources, self.options),
            options=options_digest(self.options),
            sources=tuple(map(source_digest, self.sources)),
            link_type=self.options.link_type,
            owners=tuple(FileOwner(s.name, s.version, s.hash, s.prefix) for s in self.sources),
            folders=tuple(sorted(self.folders)),
            bare={path: tuple(owners) for path, owners in self.bare.items()},
            items=self.items,
            texts=self.texts,
            steps=steps,
            python=None if python is None else python_facts(python, self.base),
            conflicts=tuple(conflicts),
            shared=self.shared,
        )

    def add_venv(self, python: BasePython, steps: Sequence[EnvStep]) -> None:
        own = self.venv_parts(python, steps)
        for path, target in own.links.items():
            self.items[path] = Item("link", OWN, target, 0o777, "")
        for path, content in own.texts.items():
            self.text(path, content, OWN, 0o644)


def _is_derived(location: str) -> bool:
    """Return byte-code follows its source, which has been compared; caches follow their folder."""
    return location.endswith(".pyc") or _ICON_CACHE.match(location) is not None
