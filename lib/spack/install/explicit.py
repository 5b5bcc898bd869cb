"""Changing whether a person asked for a package."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Iterable

from spack.errors import StoreError
from spack.store import Metadata, Store
from spack.util.filesystem import atomic_write

__all__ = ["mark_explicit"]


def mark_explicit(store: Store, hashes: Iterable[str], explicit: bool = True) -> None:
    """Mark installed nodes; those that are marked so already cost no write.

    The prefix's own record is changed too, so that ``reindex`` knows. Where it cannot be
    written, the database alone is.

    :raises StoreError: if the database cannot be written.
    """
    changed = []
    for spec_hash in hashes:
        record = store.database.record(spec_hash)
        if record is not None and record.explicit != explicit:
            changed.append(record)
    if not changed:
        return
    store.writer().mark_explicit([record.hash for record in changed], explicit)
    for record in changed:
        path = Metadata(Path(record.prefix)).record
        try:
            if not record.external:
                data = json.loads(path.read_bytes())
                data["explicit"] = explicit
                atomic_write(path, json.dumps(data, indent=1) + "\n")
        except (OSError, ValueError, StoreError):
            continue
