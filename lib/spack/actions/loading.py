"""Run views: what ``spack load`` puts onto PATH."""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from pathlib import Path

from spack.actions.views import ViewParts, make_view
from spack.config.schema import Origin
from spack.environment.spack_yaml import ViewDescriptor
from spack.store import Store
from spack.util.hashing import sha256_hex
from spack.view.view_manifest import MANIFEST, is_view, load_head

__all__ = ["VIEWS", "run_view"]

#: Below the store's root, or else the cache.
VIEWS = ".views"


def run_view(parts: ViewParts, hashes: Sequence[str], staging: Path) -> str:
    """Return a view of installed nodes and their run dependencies; made once for each set of nodes.

    Prefixes seldom change, so a view that is there is right, unless one of the nodes was installed
    again or is elsewhere since.

    :param staging: the directory for a store that other users write, or this one cannot.
    :returns: its path.
    :raises ViewError: the nodes' files conflict, or it cannot be written.
    """
    store = parts.store
    name = hashes[0]
    if len(hashes) > 1:
        name = sha256_hex(" ".join(sorted(hashes)))[:32]
    shared = os.path.join(store.root, VIEWS, name)
    own = os.path.join(staging, sha256_hex(str(store.root))[:8], name)
    present = next(filter(_is_readable, (shared, own)), "")
    if not present or _is_stale(present, store, hashes):
        root = shared if _is_own(store.root) else own
        specs = store.database.specs(hashes)
        descriptor = ViewDescriptor("run", root, Origin("spack load"))
        make_view(descriptor, [specs[digest] for digest in hashes], parts)
        return root
    return present


def _is_readable(root: str) -> bool:
    return is_view(root) and os.access(os.path.join(root, MANIFEST), os.R_OK)


def _is_own(root: Path) -> bool:
    """Return whether this user alone writes to an install tree: views of it can be in it.

    A tree that nothing was installed in is not there yet.
    """
    if not root.is_dir():
        return False
    info = os.stat(root)
    alone = info.st_uid == os.geteuid() and not info.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
    return alone and os.access(root, os.W_OK)


def _is_stale(root: str, store: Store, hashes: Sequence[str]) -> bool:
    """Return whether one of the nodes is not where a view shows it from, or is newer."""
    head = load_head(root)
    made = os.stat(os.path.join(root, MANIFEST)).st_mtime
    shown = {} if head is None else {owner.hash: owner.prefix for owner in head.owners}
    for digest in hashes:
        record = store.database.record(digest)
        if record is None or record.external:
            continue
        if shown.get(digest) != record.prefix or record.installed_at > made:
            return True
    return False
