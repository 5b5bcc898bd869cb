"""Unmanaged files of a view (pip's, the user's), carried into the tree that replaces it.

They get a second name there, so at no moment are they missing. What the new plan needs the path
of, and a distribution that hides a package's, is kept in ``.spack-view/displaced/<number>/``.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from spack.view.plan_types import ViewPlan
from spack.view.user_distributions import UserDistribution, distributions, own_names
from spack.view.verify import VerificationResult
from spack.view.view_manifest import DISPLACED, FOLDER, ViewManifest

__all__ = ["PreservedFiles", "Preserver", "carry_late"]


class PreservedFiles(NamedTuple):
    """What was carried over; see :class:`spack.view.apply.ViewResult`."""

    kept: tuple[str, ...] = ()
    displaced: Mapping[str, str] = {}  # never changed
    distributions: tuple[tuple[UserDistribution, str], ...] = ()


class Preserver:
    """Gives unmanaged files a second name in the new tree.

    :param root: the old view. :param new: the new tree, complete but for them.
    """

    def __init__(
        self, root: str, new: str, plan: ViewPlan, old: ViewManifest, state: VerificationResult
    ) -> None:
        self.root = root
        self.new = new
        self.plan = plan
        self.old = old
        self.state = state
        self.folders = set(plan.folders)
        self.displaced: dict[str, str] = {}
        self.number = 0

    def carry(self) -> PreservedFiles:
        """Carry the unmanaged files into the new tree.

        :raises OSError: a file can neither be linked nor copied.
        """
        self.carry_displaced()
        users = distributions(self.root, self.old, self.state)
        planned = own_names(self.plan.items) if users else {}
        over = [x for x in users if x.key in planned]
        moved = {path for x in over for path in x.files}
        kept: list[str] = []
        for path in self.state.extra:
            if path in moved:
                self.displace(path)
            elif path.endswith("/") and path.startswith(tuple(f"{x.info}/" for x in over)):
                continue
            elif self.is_free(path.rstrip("/")):
                kept += [path] if self.put(path, path) else []
            elif path.rstrip("/") not in self.folders or not path.endswith("/"):
                self.displace(path)
        for path in self.state.modified:
            if path not in moved and self.is_free(path):
                kept += [path] if self.put(path, path) else []
            else:
                self.displace(path)
        for path in self.state.bytecode:
            folder, _, name = path.rstrip("/").rpartition("/")
            source = f"{folder.rpartition('/')[0]}/{name.partition('.')[0]}.py"
            if not path.endswith("/") and source in self.plan.items and self.is_free(path):
                self.put(path, path)
        location = f"{DISPLACED}/{self.number}"
        return PreservedFiles(
            tuple(kept), self.displaced, tuple((x, location if x in over else "") for x in users)
        )

    def is_free(self, path: str) -> bool:
        """Return whether the new plan leaves room for *path* and the folders above it."""
        if path in self.plan.items or path in self.folders:
            return False
        above = path.rpartition("/")[0]
        while above:
            if above in self.plan.items:
                return False
            above = above.rpartition("/")[0]
        return True

    def put(self, path: str, location: str) -> bool:
        """Give a file a second name in the new tree; return False if it is not there any more.

        Its owner may remove it at any time: Python renames bytecode that it has written.
        """
        source = os.path.join(self.root, path)
        target = os.path.join(self.new, location)
        if path.endswith("/"):
            os.makedirs(target, exist_ok=True)
            return True
        os.makedirs(os.path.dirname(target), exist_ok=True)
        try:
            self._link(path, location, source, target)
        except FileNotFoundError:
            if os.path.lexists(source):
                raise
            return False
        return True

    def _link(self, path: str, location: str, source: str, target: str) -> None:
        if os.path.isdir(source) and not os.path.islink(source):
            for name in os.listdir(source):
                self.put(f"{path}/{name}", f"{location}/{name}")
            return
        try:
            os.link(source, target, follow_symlinks=False)
        except OSError as error:
            if error.errno not in (errno.EPERM, errno.EMLINK, errno.EOPNOTSUPP, errno.EXDEV):
                raise
            import shutil  # start-up: nearly every file system has hard links

            shutil.copy2(source, target, follow_symlinks=False)

    def displace(self, path: str) -> None:
        if not self.number:
            self.number = _next_number(self.new)
        location = f"{DISPLACED}/{self.number}/{path}"
        if self.put(path, location) and not path.endswith("/"):
            self.displaced[path] = location

    def carry_displaced(self) -> None:
        """Carry what earlier runs displaced, until the user removes it."""
        start = os.path.join(self.root, DISPLACED)
        for folder, _, names in os.walk(start):
            relative = os.path.relpath(folder, self.root)
            for name in names:
                self.put(f"{relative}/{name}", f"{relative}/{name}")


def carry_late(
    left: str, root: str, old: ViewManifest, state: VerificationResult
) -> Mapping[str, str]:
    """Move what came into the old view after it was examined, such as by a pip that runs.

    :param left: the old tree, which no process reaches any more. :param root: the new one.
    :returns: for each file that was moved its path: its own or, where that is taken, one
        among what is displaced. Cost: 1 µs a path.
    """
    known = {path.rstrip("/") for path in state.extra}
    known.update(old.folders, (FOLDER,))
    folders = [path.rstrip("/") for path in state.extra if path.endswith("/")]
    displaced = f"{DISPLACED}/{_next_number(root)}"
    moved: dict[str, str] = {}
    for folder in ("", *old.folders, *folders):
        start = f"{folder}/" if folder else ""
        try:
            names = os.listdir(os.path.join(left, folder))
        except (FileNotFoundError, NotADirectoryError):
            continue
        for name in names:
            path = start + name
            if path not in old.items and path not in known and name != "__pycache__":
                moved.update(_moved(left, root, path, displaced))
    return moved


def _moved(left: str, root: str, path: str, displaced: str) -> Iterator[tuple[str, str]]:
    source, target = os.path.join(left, path), os.path.join(root, path)
    if os.path.isdir(source) and not os.path.islink(source):
        # Writers may be waiting for the folder: it is made before it is filled.
        _make_free(target)
        for name in os.listdir(source):
            yield from _moved(left, root, f"{path}/{name}", displaced)
        return
    location = path
    if os.path.lexists(target) or not _make_free(os.path.dirname(target)):
        location = f"{displaced}/{path}"
        os.makedirs(os.path.dirname(os.path.join(root, location)), exist_ok=True)
    try:
        os.rename(source, os.path.join(root, location))
    except FileNotFoundError:
        return  # its owner has removed it meanwhile
    yield path, location


def _make_free(folder: str) -> bool:
    """Make *folder* unless a file is at its path or above it."""
    try:
        os.makedirs(folder, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        return False
    return True


def _next_number(root: str) -> int:
    """Return the number of a new directory for what is displaced."""
    try:
        names = os.listdir(os.path.join(root, DISPLACED))
    except FileNotFoundError:
        names = []
    return 1 + max((int(name) for name in names if name.isdigit()), default=0)
