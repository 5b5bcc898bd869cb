"""Putting a new tree of a view at the path of the old one, and removing one.

See :mod:`spack.view.apply` for the way, and for what a crash leaves.
"""

from __future__ import annotations

import errno
import os
from typing import Callable, NamedTuple

from spack.util.filesystem import remove_tree
from spack.view.materialize import Maker
from spack.view.plan_types import ViewPlan
from spack.view.preserve import PreservedFiles, Preserver, carry_late
from spack.view.verify import VerificationResult
from spack.view.view_manifest import DISPLACED, FOLDER, ViewManifest, write_records

__all__ = ["Exchange", "ViewDirectory", "Replaced", "staging", "remove_own", "replace_tree"]

#: Swaps two paths in one step; False: nothing has changed, it cannot be done here.
Exchange = Callable[[str, str], bool]


def staging(root: str, kind: str) -> str:
    """Return a new name beside *root* that :func:`spack.view.apply.recover` knows."""
    parent, name = os.path.split(root)
    return os.path.join(parent, f".{name[:200]}.{os.urandom(4).hex()}.{kind}")


class ViewDirectory(NamedTuple):
    """The path of a view, how the user wrote that, and how it gets there."""

    root: str
    shown: str
    exchange: Exchange


class Replaced(NamedTuple):
    """The result of putting a new tree at its path."""

    carried: PreservedFiles
    notes: tuple[str, ...]


def replace_tree(
    location: ViewDirectory,
    plan: ViewPlan,
    prompt: str,
    old: ViewManifest | None,
    state: VerificationResult | None,
) -> Replaced:
    """Make the tree of *plan* in staging, with the *old* one's unmanaged files, and exchange them.

    :raises OSError: it cannot be done; the old tree is as it was.
    """
    new = staging(location.root, "new")
    try:
        maker = Maker(plan, new)
        maker.make()
        carried = PreservedFiles()
        if old is not None and state is not None:
            carried = Preserver(location.root, new, plan, old, state).carry()
        write_records(new, plan, prompt, maker.made)
        _exchange(new, location)
        if old is not None and state is not None:
            late = carry_late(new, location.root, old, state)
            taken = {path: there for path, there in late.items() if path != there}
            carried = carried._replace(
                kept=(*carried.kept, *(path for path in late if path not in taken)),
                displaced={**carried.displaced, **taken},
            )
    except BaseException:
        remove_tree(new)
        raise
    remove_tree(new)
    return Replaced(carried, tuple(maker.notes))


def _exchange(new: str, location: ViewDirectory) -> None:
    """Put *new* at its path; *new* is then the old tree, or missing."""
    root = location.root
    try:
        mode = os.stat(root).st_mode
    except FileNotFoundError:
        os.rename(new, root)
        return
    os.chmod(new, mode & 0o7777)
    if location.exchange(new, root):
        return
    old = staging(root, "old")
    os.rename(root, old)
    try:
        os.rename(new, root)
    except OSError:
        os.rename(old, root)
        raise
    os.rename(old, new)


def remove_own(root: str, old: ViewManifest, state: VerificationResult) -> None:
    """Remove what belongs to a view, and the folders that are empty then."""
    missing_paths: set[str] = {*state.missing, *state.modified}
    for path in [*old.items, *state.bytecode]:
        if path not in missing_paths and not path.endswith("/"):
            os.unlink(os.path.join(root, path))
    for name in os.listdir(os.path.join(root, FOLDER)):
        path = os.path.join(root, FOLDER, name)
        if path != os.path.join(root, DISPLACED):
            remove_tree(path) if os.path.isdir(path) else os.unlink(path)
    caches = {path.rpartition("/")[0] for path in state.bytecode}
    for folder in sorted({*old.folders, *caches, FOLDER}, reverse=True):
        try:
            os.rmdir(os.path.join(root, folder))
        except OSError as error:
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST, errno.ENOENT, errno.ENOTDIR):
                raise
