"""Paths of a view that several packages have: which of them keeps it, and what is a conflict."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase

from spack.util.hashing import SHA1, hash_file
from spack.view.namespace_packages import declaration_rank
from spack.view.plan_types import OWN, Conflict, Item, Read, Shared, ViewSource

__all__ = ["PathConflicts"]

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


def _have_same_content(first: Item, second: Item) -> bool:
    """Return whether two files of packages are alike.

    Digests of different kinds, of a package of Spack and of another, take reading one of the files.
    """
    if first.digest == second.digest:
        return True
    marked = first.digest.startswith(SHA1)
    if marked == second.digest.startswith(SHA1):
        return False
    other, known = (second, first) if marked else (first, second)
    try:
        return bool(other.source) and hash_file(other.source, known.digest) == known.digest
    except OSError:
        return False


class PathConflicts:
    """The policy for one view, and what it has decided.

    :param sources: the packages; items name them by index.
    :param winners: package by path or pattern, as the user has configured.
    """

    def __init__(self, sources: Sequence[ViewSource], winners: Mapping[str, str]) -> None:
        self._sources = sources
        self._winners = winners
        #: Labels of the packages that clash, by path.
        self._clashes: dict[str, dict[str, None]] = {}
        #: Paths that recipes allow several packages to have.
        self.tolerated: set[str] = set()
        #: Reads files of the prefixes; None: no file counts as that of a namespace.
        self.read: Read | None = None
        #: Paths that several packages have, with the reason why one is shown.
        self.shared: dict[str, Shared] = {}

    def decide(self, location: str, first: Item, second: Item) -> Item:
        """Return which of two packages' entries has the path *location*."""
        if first.how == "link" or second.how == "link":
            same = first.how == second.how and first.source == second.source
        else:
            same = _have_same_content(first, second)
        if same or location in GENERATED or _is_derived(location):
            self._share(location, "same" if same else "generated", first, second)
            return first
        kept = self._of_namespace(location, first, second)
        if kept is not None:
            self._share(location, "namespace", first, second)
            return kept
        kept = first
        if location not in self.tolerated:
            winner = self._winner(location)
            names = (self._sources[first.owner].name, self._sources[second.owner].name)
            if winner == names[1]:
                kept = second
                self._clashes.pop(location, None)
            elif winner != names[0]:
                self.clash(location, first.owner, second.owner)
        self._share(location, "chosen", first, second)
        return kept

    def _of_namespace(self, location: str, first: Item, second: Item) -> Item | None:
        """Return which of two files that only declare a namespace serves both; None otherwise."""
        if self.read is None or not location.endswith("/__init__.py"):
            return None
        if "link" in (first.how, second.how):
            return None
        ranks = [declaration_rank(self.read(item.source, None)) for item in (first, second)]
        if ranks[0] is None or ranks[1] is None:
            return None
        return second if ranks[1] > ranks[0] else first

    def clash(self, location: str, *owners: int) -> None:
        """Note that *owners* cannot have *location* together."""
        found = self._clashes.setdefault(location, {})
        for owner in owners:
            label = "the virtual environment" if owner == OWN else self._sources[owner].label
            found[label] = None

    def found(self) -> Iterable[Conflict]:
        """Return all conflicts, by path."""
        return [
            Conflict(path, tuple(sorted(owners))) for path, owners in sorted(self._clashes.items())
        ]

    def _share(self, location: str, reason: str, first: Item, second: Item) -> None:
        known = self.shared.get(location)
        if known is None:
            self.shared[location] = Shared(reason, (first.owner, second.owner))
        else:
            reason = reason if known.reason == "same" else known.reason
            self.shared[location] = Shared(reason, (*known.owners, second.owner))

    def _winner(self, location: str) -> str:
        """Return the package that the options name for *location*."""
        for pattern, name in self._winners.items():
            if pattern == location or fnmatchcase(location, pattern):
                return name
        return ""


def _is_derived(location: str) -> bool:
    """Return byte-code follows its source, which has been compared; caches follow their folder."""
    return location.endswith(".pyc") or _ICON_CACHE.match(location) is not None
