"""A package comes or goes: only its own entries of a view are touched.

Rebuilding a view costs time for every file of it. Where packages are only added or only leave,
and none of their paths concerns the other packages, the view is changed in place instead::

    note what will come (change.json)
    build the new entries in .spack-view/incoming
    rename them to their paths: whole directories where they are new; modules first, programs last
    unlink what leaves: programs first
    write the records; the head is renamed to its path last, then the note is removed

Every rename is atomic, and an added package was not there before, so a program of the view that
runs meanwhile sees nothing of its own change. After a crash the note says what may have come: the
next command that repairs the view rebuilds it in staging and exchanges it
(:func:`spack.view.apply.update_view`), which gives the new view without a trace of the half one.

Measured on a view of 104,000 files in 8,700 folders (memory file system): 1-3 s rebuilt; in place
0.03-0.05 s for a package of 991 files, whether it comes or leaves. File systems may take longer to
unlink: on ext4 without a journal 2 s for as many symbolic links, 0.1 s of it processor time.

Whatever does not fit (a package in another version, a shared path, something in the way, another
Python) raises :class:`NotInPlace` before anything is touched, and the view is rebuilt.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from spack.util.filesystem import atomic_write, remove_tree
from spack.util.frozen import replace
from spack.view.hooks import HookRecord
from spack.view.materialize import Maker
from spack.view.plan_types import (
    OWN,
    Read,
    ViewOptions,
    ViewPlan,
    ViewSource,
    new_limits,
    options_digest,
    ordered_sources,
    source_digest,
)
from spack.view.plan_view import Ask, plan_added, plan_own
from spack.view.verify import is_as_made_at
from spack.view.view_manifest import (
    CHANGE,
    CHECKED,
    ENVIRONMENT,
    FOLDER,
    ITEMS,
    MANIFEST,
    SELF,
    Head,
    ViewRecord,
    activation_text,
    head_text,
    item_rows,
    load_items,
    write_items,
)

__all__ = ["Changed", "NotInPlace", "change_in_place"]

INCOMING = f"{FOLDER}/incoming"

#: Roles whose coming or going changes what the other packages' texts are.
_BASES = ("python", "python-venv")


class NotInPlace(Exception):  # noqa: N818 - control flow, not an error
    """The view must be rebuilt in staging; nothing has been touched. Never leaves this layer."""


class Changed(NamedTuple):
    """How many entries came and went."""

    added: int
    removed: int
    notes: tuple[str, ...]


def change_in_place(
    root: str,
    head: Head,
    sources: Sequence[ViewSource],
    options: ViewOptions,
    read: Read,
    ask: Ask | None = None,
) -> Changed:
    """Update the view at *root* from *head* to *sources*, touching only what differs.

    :raises NotInPlace: see the module's docstring.
    :raises OSError: the change was interrupted; the note stays.
    """
    change = _Change(root, head, sources, options)
    change.decide()
    change.plan(read, ask)
    change.check()
    return change.apply()


class _Change:
    """One change in place."""

    def __init__(
        self, root: str, head: Head, sources: Sequence[ViewSource], options: ViewOptions
    ) -> None:
        self.root = root
        self.head = head
        self.sources = ordered_sources(sources)
        self.options = options
        self.added: list[ViewSource] = []
        self.missing: list[int] = []
        self.leaving: dict[str, ViewRecord] = {}

    # -- before anything is touched -----------------------------------------------------------

    def decide(self) -> None:
        """Decide which packages are added and which are removed."""
        head = self.head
        if head.inline or head.options != options_digest(self.options):
            raise NotInPlace("another kind of view")
        if os.path.exists(os.path.join(self.root, CHANGE)):
            raise NotInPlace("an interrupted change")
        before = dict(zip(head.sources, head.owners))
        after = {source_digest(source): source for source in self.sources}
        self.added = [source for digest, source in after.items() if digest not in before]
        self.missing = [i for i, digest in enumerate(head.sources) if digest not in after]
        names = {head.owners[i].name for i in self.missing}
        if any(source.role in _BASES or source.name in names for source in self.added):
            raise NotInPlace("a package is replaced")
        if names.intersection(_BASES):
            raise NotInPlace("the base leaves")

    def plan(self, read: Read, ask: Ask | None) -> None:
        """Plan the new entries, and those that are removed."""
        for owner in self.missing:
            self.leaving.update(load_items(self.root, self.head, owner))
        answers: Mapping[str, HookRecord] = (
            ask(self.added) if ask is not None and self.added else {}
        )
        self.coming = plan_added(self.sources, self.added, self.options, read, answers)

    def check(self) -> None:  # noqa: C901 - one test for each reason
        """Check that nothing concerns other packages or unmanaged files.

        :raises NotInPlace: something has to do with other packages or other people's files.
        """
        missing = set(self.missing)
        for row in self.head.shared.values():
            if missing.intersection(row.owners):
                raise NotInPlace("a shared path loses an owner")
        if self.coming.conflicts or self.coming.shared:
            raise NotInPlace("the packages that come share paths")
        known = set(self.head.folders)
        for path in self.coming.items:
            if os.path.lexists(os.path.join(self.root, path)):
                raise NotInPlace("something is in the way")
        for folder in self.coming.folders:
            if folder not in known:
                location = os.path.join(self.root, folder)
                if os.path.lexists(location):
                    raise NotInPlace("a folder is in the way")
        for path, item in self.leaving.items():
            if not is_as_made_at(os.path.join(self.root, path), item):
                raise NotInPlace("what leaves was modified")

    # -- the change ---------------------------------------------------------------------------

    def apply(self) -> Changed:
        """Apply the steps of the module's docstring, in that order."""
        maker = self.build()
        self.come()
        emptied = self.leave()
        head = self.new_head(emptied)
        own = self.renew_own(head)
        head = replace(head, limits=(*own.limits, *head.limits))
        rows = item_rows(self.coming.items.items(), head.owners, maker.made)
        for number, source in enumerate(self.sources):
            if source in self.added:
                write_items(self.root, source.hash, rows[number])
        atomic_write(os.path.join(self.root, MANIFEST), head_text(head))
        for owner in self.missing:
            _unlink(os.path.join(self.root, ITEMS, f"{self.head.owners[owner].hash}.json"))
        _unlink(os.path.join(self.root, CHECKED))
        remove_tree(os.path.join(self.root, INCOMING))
        os.unlink(os.path.join(self.root, CHANGE))
        notes = (*maker.notes, *new_limits((*own.limits, *self.coming.limits), self.options))
        return Changed(len(self.coming.items), len(self.leaving), notes)

    def build(self) -> Maker:
        """Note the change, and build what comes."""
        rows = self.coming.items
        note = {
            "digest": self.coming.digest,
            "folders": self.coming.folders,
            # What may have been added must not be taken for the user's own.
            "items": {x: [y.how, OWN, y.source, y.digest, 0, 0] for x, y in rows.items()},
        }
        atomic_write(os.path.join(self.root, CHANGE), json.dumps(note, separators=(",", ":")))
        incoming = os.path.join(self.root, INCOMING)
        remove_tree(incoming)
        maker = Maker(_with_all_folders(self.coming), incoming)
        maker.make()
        return maker

    def come(self) -> None:
        """Rename what was built to its paths."""
        known = set(self.head.folders)
        start, staging = self.root + "/", os.path.join(self.root, INCOMING) + "/"
        tops = [x for x in self.coming.folders
                if x not in known and x.rpartition("/")[0] in {*known, ""}]  # fmt: skip
        inside = tuple(f"{folder}/" for folder in tops)
        files = [path for path in self.coming.items if not path.startswith(inside)]
        for path in sorted([*tops, *files], key=_order):
            os.rename(staging + path, start + path)

    def leave(self) -> set[str]:
        """Unlink what leaves, and bytecode of it; then the directories that are empty."""
        start = self.root + "/"
        sources: dict[str, set[str]] = {}
        candidates: set[str] = set()
        for path in sorted(self.leaving, key=_order, reverse=True):
            _unlink(start + path)
            folder, _, name = path.rpartition("/")
            if name.endswith(".py"):
                sources.setdefault(folder, set()).add(name[:-3])
            candidates.update(_above(folder, candidates))
        for folder, names in sources.items():
            _remove_bytecode(f"{start}{folder}/__pycache__", names)
        missing = set(self.missing)
        for folder, row in self.head.bare.items():
            if missing.issuperset(row):
                candidates.update(_above(folder, candidates))
            else:
                candidates.discard(folder)
        candidates.difference_update(self.fixed(), self.coming.folders)
        # The deepest first.
        emptied = set()
        for folder in sorted(candidates, key=lambda path: -path.count("/")):
            if _rmdir(start + folder):
                emptied.add(folder)
        return emptied

    def fixed(self) -> set[str]:
        """Return folders that the virtual environment itself has."""
        python = self.options.python
        found: set[str] = set()
        if python is not None:
            for path in ("bin", "include", "lib", python.purelib, python.platlib):
                found.update(_above(path, found))
        return found

    def new_head(self, emptied: set[str]) -> Head:
        """Return the head after the change; owners have other numbers then."""
        owners = self.coming.owners
        by_hash = {owner.hash: number for number, owner in enumerate(owners)}
        moved = {i: by_hash[x.hash] for i, x in enumerate(self.head.owners) if x.hash in by_hash}
        bare = {path: list(row) for path, row in self.coming.bare.items()}
        for path, row in self.head.bare.items():
            stays = [moved[x] for x in row if x in moved]
            if stays:
                bare.setdefault(path, []).extend(stays)
        folders = {*self.head.folders, *self.coming.folders} - emptied
        stays_limited = [x for x in self.head.limits if x.owner in moved]
        return replace(
            self.head,
            digest=self.coming.digest,
            owners=owners,
            sources=self.coming.sources,
            folders=tuple(sorted(folders)),
            bare={path: tuple(sorted(row)) for path, row in bare.items()},
            shared={
                path: row._replace(owners=tuple(moved[x] for x in row.owners))
                for path, row in self.head.shared.items()
            },
            limits=(
                *(x for x in self.coming.limits if x.owner != OWN),
                *(x._replace(owner=moved[x.owner]) for x in stays_limited),
            ),
        )

    def renew_own(self, head: Head) -> ViewPlan:
        """Write those files of the virtual environment itself that have changed."""
        own = plan_own(self.sources, self.options, set(head.folders), self.shows)
        before = load_items(self.root, self.head, OWN)
        rows = {x: [y.how, y.source, y.digest, y.size, y.mtime_ns] for x, y in before.items()}
        for path in set(before) - set(own.items):
            _unlink(os.path.join(self.root, path))
            del rows[path]
        for path, content in own.texts.items():
            item = own.items[path]
            if path not in before or before[path].digest != item.digest:
                location = os.path.join(self.root, path)
                atomic_write(location, content, mode=item.mode)
                info = os.stat(location)
                rows[path] = ["text", "", item.digest, info.st_size, info.st_mtime_ns]
        write_items(self.root, SELF, rows)
        text = activation_text(own.steps, self.options.prompt, head.python is not None)
        atomic_write(os.path.join(self.root, ENVIRONMENT), text)
        return own

    def shows(self, path: str) -> bool:
        return os.path.lexists(os.path.join(self.root, path))


def _order(path: str) -> tuple[int, str]:
    """Return the modules, then their metadata, then programs."""
    if path == "bin" or path.startswith(("bin/", "sbin/")):
        return 2, path
    return (1 if ".dist-info" in path else 0), path


def _above(folder: str, known: set[str]) -> list[str]:
    """Return *folder* and those above it, up to one of *known*."""
    found = []
    while folder and folder not in known:
        found.append(folder)
        folder = folder.rpartition("/")[0]
    return found


def _with_all_folders(plan: ViewPlan) -> ViewPlan:
    """Return *plan* with every directory above its items, as an empty path needs them."""
    folders: set[str] = set()
    for path in plan.folders:
        folders.update(_above(path, folders))
    for path in plan.items:
        folders.update(_above(path.rpartition("/")[0], folders))
    return replace(plan, folders=tuple(sorted(folders)))


def _remove_bytecode(cache: str, names: set[str]) -> None:
    """Remove bytecode of the modules *names*, and the directory if it is then empty."""
    if os.path.isdir(cache):
        for name in os.listdir(cache):
            if name.endswith(".pyc") and name.partition(".")[0] in names:
                os.unlink(f"{cache}/{name}")
        _rmdir(cache)


def _unlink(path: str) -> None:
    try:
        os.unlink(path)
    except FileNotFoundError:
        pass


def _rmdir(path: str) -> bool:
    """Return whether the directory is removed, which it is if it is empty."""
    try:
        os.rmdir(path)
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return True
