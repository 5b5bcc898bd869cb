"""Files that others put into a view (pip, a person), carried into the tree that replaces it.

They get a second name there, so at no moment are they missing. What the new plan needs the path
of, and a distribution that hides a package's, is kept in ``.spack-view/displaced/<number>/``.
"""

from __future__ import annotations

import errno
import os
from typing import Dict, List, Mapping, NamedTuple, Tuple

from spack.view.examination import Examination
from spack.view.foreign import Distribution, distributions, own_names
from spack.view.manifest import DISPLACED, ViewManifest
from spack.view.records import ViewPlan

__all__ = ["Carried", "Carrier"]


class Carried(NamedTuple):
    """What was carried over; see :class:`spack.view.apply.ViewResult`."""

    kept: Tuple[str, ...] = ()
    displaced: Mapping[str, str] = {}  # never changed
    distributions: Tuple[Tuple[Distribution, str], ...] = ()


class Carrier:
    """Gives files of others a second name in the new tree.

    :param root: the old view. :param new: the new tree, complete but for them.
    """

    def __init__(
        self, root: str, new: str, plan: ViewPlan, old: ViewManifest, state: Examination
    ) -> None:
        self.root = root
        self.new = new
        self.plan = plan
        self.old = old
        self.state = state
        self.folders = set(plan.folders)
        self.displaced: Dict[str, str] = {}
        self.number = 0

    def carry(self) -> Carried:
        """:raises OSError: a file can neither be linked nor copied."""
        self.carry_displaced()
        users = distributions(self.root, self.old, self.state)
        planned = own_names(self.plan.items) if users else {}
        over = [x for x in users if x.key in planned]
        moved = {path for x in over for path in x.files}
        kept: List[str] = []
        for path in self.state.extra:
            if path in moved:
                self.displace(path)
            elif path.endswith("/") and path.startswith(tuple(f"{x.info}/" for x in over)):
                continue
            elif self.is_free(path.rstrip("/")):
                self.put(path, path)
                kept.append(path)
            elif path.rstrip("/") not in self.folders or not path.endswith("/"):
                self.displace(path)
        for path in self.state.altered:
            if path not in moved and self.is_free(path):
                self.put(path, path)
                kept.append(path)
            else:
                self.displace(path)
        for path in self.state.bytecode:
            folder, _, name = path.rstrip("/").rpartition("/")
            source = f"{folder.rpartition('/')[0]}/{name.partition('.')[0]}.py"
            if not path.endswith("/") and source in self.plan.items and self.is_free(path):
                self.put(path, path)
        place = f"{DISPLACED}/{self.number}"
        return Carried(
            tuple(kept), self.displaced, tuple((x, place if x in over else "") for x in users)
        )

    def is_free(self, path: str) -> bool:
        """Whether the new plan leaves room for *path* and the folders above it."""
        if path in self.plan.items or path in self.folders:
            return False
        above = path.rpartition("/")[0]
        while above:
            if above in self.plan.items:
                return False
            above = above.rpartition("/")[0]
        return True

    def put(self, path: str, place: str) -> None:
        source = os.path.join(self.root, path)
        target = os.path.join(self.new, place)
        if path.endswith("/"):
            os.makedirs(target, exist_ok=True)
            return
        os.makedirs(os.path.dirname(target), exist_ok=True)
        if os.path.isdir(source) and not os.path.islink(source):
            for name in os.listdir(source):
                self.put(f"{path}/{name}", f"{place}/{name}")
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
            place = os.path.join(self.new, DISPLACED)
            os.makedirs(place, exist_ok=True)
            self.number = 1 + max((int(x) for x in os.listdir(place) if x.isdigit()), default=0)
        place = f"{DISPLACED}/{self.number}/{path}"
        self.put(path, place)
        if not path.endswith("/"):
            self.displaced[path] = place

    def carry_displaced(self) -> None:
        """What earlier runs moved out of the way stays until the person removes it."""
        start = os.path.join(self.root, DISPLACED)
        for folder, _, names in os.walk(start):
            relative = os.path.relpath(folder, self.root)
            for name in names:
                self.put(f"{relative}/{name}", f"{relative}/{name}")
