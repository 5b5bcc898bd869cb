"""The install tree: where prefixes are, what is installed, which process may change it.

:class:`Store` is the one handle that upper layers get. Everything in it is made when first
used, so that a command that needs no database pays nothing for it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from spack.util.lazy_names import lazy_names

if TYPE_CHECKING:
    from spack.store.database import Database, DependencyLink
    from spack.store.layout import DEFAULT_PROJECTION, METADATA, Layout, Metadata
    from spack.store.locks import Lock, LockOwner, Locks, current_owner, is_alive
    from spack.store.modes import Modes, apply_modes, modes_of
    from spack.store.prefix_manifest import Difference, Manifest, ManifestEntry, scan, verify
    from spack.store.record import InstallRecord
    from spack.store.store import Store, Upstreams

__all__ = [
    "DEFAULT_PROJECTION",
    "METADATA",
    "Database",
    "Difference",
    "ManifestEntry",
    "InstallRecord",
    "Layout",
    "DependencyLink",
    "Lock",
    "Locks",
    "Manifest",
    "Metadata",
    "Modes",
    "LockOwner",
    "Store",
    "Upstreams",
    "apply_modes",
    "current_owner",
    "is_alive",
    "modes_of",
    "scan",
    "verify",
]

__getattr__ = lazy_names(
    __name__,
    {
        "database": "Database DependencyLink",
        "layout": "DEFAULT_PROJECTION METADATA Layout Metadata",
        "locks": "Lock LockOwner Locks current_owner is_alive",
        "modes": "Modes apply_modes modes_of",
        "prefix_manifest": "Difference Manifest ManifestEntry scan verify",
        "record": "InstallRecord",
        "store": "Store Upstreams",
    },
)
