"""Make, renew and remove views: a new one is built in staging and exchanged in one step.

The new tree grows as ``.<name>.<random>.new`` in the folder of the view, on the same file system.
``renameat2(RENAME_EXCHANGE)`` then swaps the two, so that every moment has either the old or the
new view; what was the old one is removed. Where the system cannot exchange, the old view is
renamed to ``.<name>.<random>.old`` and the new one to its path: a moment without a view, and a
crash in it is repaired by the next command (:func:`recover`).

One process at a time works on the views of a folder: it holds a lock on the folder itself,
which leaves no file behind and ends with the process.

Unmanaged files of the view (pip's, the user's) get a second name in the new tree before the
exchange, so at no moment are they missing; what comes while the new tree is built follows after
it. Where the new plan needs their path, or where they
replaced a file of the view, they are kept in ``.spack-view/displaced/<number>/``.
"""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import (
    TYPE_CHECKING,
    NamedTuple,
)

from spack.errors import ViewError
from spack.util.filesystem import remove_tree, rename_exchange
from spack.view.plan_types import ViewOptions, ViewSource, new_limits, plan_digest
from spack.view.stat_cache import StatCache, load_stamps, look_at, write_stamps
from spack.view.verify import VerificationResult, describe, examine
from spack.view.view_manifest import DISPLACED, Head, ViewManifest, load_head, load_manifest

if TYPE_CHECKING:
    # Imported when there is something to change: most commands find a view as it should be.
    from spack.view.plan_view import Ask
    from spack.view.swap import Exchange
    from spack.view.user_distributions import UserDistribution

#: What follows eight hexadecimal digits in the name of a tree that is made or removed.
_KINDS = ("new", "old")
_HEX = frozenset("0123456789abcdef")

__all__ = ["ViewResult", "read_file", "recover", "remove_view", "update_view"]


class ViewResult(NamedTuple):
    """What happened to a view.

    :ivar changed: False when the view was already right.
    :ivar entries: files and links that belong to the view; of a change in place those that came.
    :ivar removed: how many left, in a change in place; None if the whole view was made.
    :ivar repaired: paths that were missing or modified.
    :ivar kept: unmanaged files, still at their paths.
    :ivar displaced: unmanaged files that had to make room: path -> where they are now.
    :ivar distributions: the user's distributions that stayed, each with ``""``, and those that
        made room for a package's, each with the folder where it is now.
    :ivar notes: lines for the user, such as a link type that was not possible.
    :ivar site_packages: where the view's Python looks for modules, relative to the view.
    """

    path: str
    changed: bool
    entries: int
    repaired: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    displaced: Mapping[str, str] = {}  # never changed
    notes: tuple[str, ...] = ()
    distributions: tuple[tuple[UserDistribution, str], ...] = ()
    removed: int | None = None
    site_packages: tuple[str, ...] = ()

    def misses(self, distribution: UserDistribution) -> bool:
        """Return whether the view's Python does not look where *distribution* is."""
        return bool(self.site_packages) and distribution.folder not in self.site_packages


def read_file(path: str, limit: int | None) -> bytes:
    """Read for :func:`spack.view.plan_view.plan_view` from the real file system.

    :raises ViewError: the file cannot be read.
    """
    try:
        with open(path, "rb", buffering=0) as stream:
            return stream.read() if limit is None else stream.read(limit)
    except OSError as error:
        raise ViewError(
            f"{path}: cannot be read: {error.strerror}",
            facts={"path": path},
            hint="the install may be damaged: spack verify, or install the package again",
            ref="view-source",
        ) from error


def update_view(
    path: str,
    sources: Sequence[ViewSource],
    options: ViewOptions,
    *,
    force: bool = False,
    check: bool = True,
    exchange: Exchange = rename_exchange,
    ask: Ask | None = None,
) -> ViewResult:
    """Make the view at *path* what *sources* and *options* say; nothing is done if it is.

    A path that is a symbolic link to a view stays one.

    :param force: build it again even if it is right.
    :param check: compare every entry with the disk first; without, a view from which packages only
        leave or are only added is changed without examining the rest.
    :param exchange: swaps two paths in one step, or returns False where that cannot be done.
    :param ask: see :func:`spack.view.plan_view.plan_view`.
    :raises ViewError: conflicts; something else is at *path*; it cannot be written.
    """
    root = os.path.realpath(path)
    parent = os.path.dirname(root)
    try:
        os.makedirs(parent, exist_ok=True)
        with _locked(parent):
            recover(root)
            head = None if force else load_head(root)
            changes = head is not None and head.digest != plan_digest(sources, options)
            known = None if head is None else load_stamps(root, head)
            if known is not None and not changes:
                return ViewResult(path, False, known.entries)
            if head is not None and changes and (not check or (known and not known.unmanaged)):
                result = _changed_in_place(path, root, head, sources, options=options, ask=ask)
                if result is not None:
                    return result
            old = load_manifest(root)
            seen = None if old is None or changes else look_at(root, old)
            state = None if old is None else examine(root, old)
            if old is None or state is None:
                _refuse_unmanaged(root, path)
            elif state.whole and not force and not old.interrupted:
                if not changes:
                    stamps = StatCache(len(old.items), bool(state.extra))
                    write_stamps(root, old, stamps, seen)
                    return ViewResult(path, False, stamps.entries, kept=state.extra)
                result = _changed_in_place(path, root, old, sources, options=options, ask=ask)
                if result is not None:
                    return _with_users(result, root, old, state)
            return _made_in_staging(
                _Wanted(root, path, sources, options, ask), exchange, old, state
            )
    except OSError as error:
        raise _unwritable(path, error) from error


def _with_users(
    result: ViewResult, root: str, old: ViewManifest, state: VerificationResult
) -> ViewResult:
    """Return *result* with what the user put into the view."""
    if not state.extra:
        return result
    from spack.view.user_distributions import distributions  # start-up: few views have any

    users = tuple((x, "") for x in distributions(root, old, state))
    return result._replace(kept=state.extra, distributions=users)


class _Wanted(NamedTuple):
    """A requested view, and its path; ``shown`` is how the user wrote that."""

    root: str
    shown: str
    sources: Sequence[ViewSource]
    options: ViewOptions
    ask: Ask | None


def _made_in_staging(
    wanted: _Wanted,
    exchange: Exchange,
    old: ViewManifest | None,
    state: VerificationResult | None,
) -> ViewResult:
    """Make the whole view and put it at its path."""
    # start-up: an up-to-date view needs neither
    from spack.view.plan_view import plan_view
    from spack.view.swap import ViewDirectory, replace_tree

    options = wanted.options
    plan = plan_view(wanted.sources, options, read_file, wanted.ask)
    plan.check()
    location = ViewDirectory(wanted.root, wanted.shown, exchange)
    made = replace_tree(location, plan, options.prompt, old, state)
    return ViewResult(
        wanted.shown,
        True,
        len(plan.items),
        repaired=() if state is None else tuple(sorted(state.missing + state.modified)),
        kept=made.carried.kept,
        displaced=made.carried.displaced,
        notes=(*made.notes, *new_limits(plan.limits, options)),
        distributions=made.carried.distributions,
    )


def _changed_in_place(
    path: str,
    root: str,
    head: Head,
    sources: Sequence[ViewSource],
    options: ViewOptions,
    ask: Ask | None,
) -> ViewResult | None:
    """Return the result of :func:`change_in_place`; None if the view must be rebuilt in staging."""
    from spack.view.incremental import NotInPlace, change_in_place  # start-up: as above

    try:
        change = change_in_place(root, head, sources, options, read=read_file, ask=ask)
    except NotInPlace:
        return None
    return ViewResult(path, True, change.added, notes=change.notes, removed=change.removed)


def remove_view(path: str) -> ViewResult:
    """Remove what belongs to the view at *path*; unmanaged files stay.

    :returns: with ``kept`` naming those; the directory is removed when there are none.
    :raises ViewError: there is no view, or it cannot be removed.
    """
    from spack.view.swap import remove_own, staging  # start-up: as above

    root = os.path.realpath(path)
    old = load_manifest(root)
    if old is None:
        raise ViewError(f"there is no view at {path}", facts={"path": path}, ref="view-missing")
    try:
        with _locked(os.path.dirname(root)):
            state = examine(root, old)
            unmanaged = [*state.extra, *state.modified]
            if not unmanaged and not os.path.isdir(os.path.join(root, DISPLACED)):
                location = staging(root, "new")
                os.rename(root, location)
                remove_tree(location)
                return ViewResult(path, True, 0)
            remove_own(root, old, state)
            return ViewResult(path, True, 0, kept=tuple(unmanaged))
    except OSError as error:
        raise _unwritable(path, error) from error


def recover(root: str) -> None:
    """Finish or undo what a killed process left beside the view at *root*; needs the lock."""
    parent, name = os.path.split(root)
    start = f".{name[:200]}."
    left = []
    with os.scandir(parent) as listing:
        for entry in listing:
            stem, _, kind = entry.name.rpartition(".")
            token = stem[len(start) :] if stem.startswith(start) and kind in _KINDS else ""
            if len(token) == 8 and _HEX.issuperset(token):
                left.append((kind, entry.path))
    for kind, path in sorted(left):
        if kind == "old" and not os.path.lexists(root):
            os.rename(path, root)
    for _, path in left:
        remove_tree(path)


#: Where Spack keeps the views of an environment; their path in it is a link.
_VIEWS_OF_SPACK = "/.spack-env/._view/"


def _refuse_unmanaged(root: str, shown: str) -> None:
    """Refuse a *root* that exists and is not a view of this tool.

    :raises ViewError: if *root* exists and is not a view of this tool.
    """
    if not os.path.lexists(root):
        return
    if os.path.isdir(root) and not os.listdir(root):
        return
    hint = "move it away, or choose another path for the view in spack.yaml"
    if _VIEWS_OF_SPACK in os.path.realpath(root):
        hint = "Spack made it: `spack -e ENV view make DIR` makes one beside it; else " + hint
    raise ViewError(
        f"{shown} is {describe(root)} that was not made as a view, so it is not replaced",
        facts={"path": shown},
        hint=hint,
        ref="view-foreign",
    )


@contextmanager
def _locked(parent: str) -> Iterator[None]:
    """Hold the lock on the folder of a view; without locks (some network file systems) go on."""
    descriptor = os.open(parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        except OSError:
            pass
        yield
    finally:
        os.close(descriptor)


_HINTS = {
    errno.ENOSPC: "make room on that file system, or use symbolic links (link_type: symlink)",
    errno.EDQUOT: "your quota on that file system is used up",
    errno.EACCES: "choose another path for the view, or make its folder writable",
    errno.EROFS: "that file system is read-only: choose another path for the view",
}


def _unwritable(path: str, error: OSError) -> ViewError:
    where = error.filename if isinstance(error.filename, str) else path
    return ViewError(
        f"the view {path} cannot be written: {where}: {error.strerror}",
        facts={"path": path, "errno": error.errno},
        hint=_HINTS.get(error.errno or 0),
        ref="view-write",
    )
