"""Run views: what ``spack load`` puts onto PATH."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from spack.actions.views import ViewParts, make_view
from spack.config.schema import Origin
from spack.environment.spack_yaml import ViewDescriptor
from spack.util.hashing import sha256_hex
from spack.view.view_manifest import is_view

__all__ = ["VIEWS", "run_view"]

#: Below the store's root, or else the cache.
VIEWS = ".views"


def run_view(parts: ViewParts, hashes: Sequence[str], staging: Path) -> str:
    """Return a view of installed nodes and their run dependencies; made once for each set of nodes.

    Prefixes do not change, so a view that is there is right.

    :param staging: the directory for a store that this user cannot write.
    :returns: its path.
    :raises ViewError: the nodes' files conflict, or it cannot be written.
    """
    store = parts.store
    name = hashes[0]
    if len(hashes) > 1:
        name = sha256_hex(" ".join(sorted(hashes)))[:32]
    shared = os.path.join(store.root, VIEWS, name)
    own = os.path.join(staging, sha256_hex(str(store.root))[:8], name)
    root = next(filter(is_view, (shared, own)), "")
    if not root:
        root = shared if os.access(store.root, os.W_OK) else own
        specs = store.database.specs(hashes)
        descriptor = ViewDescriptor("run", root, Origin("spack load"))
        make_view(descriptor, [specs[digest] for digest in hashes], parts)
    return root
