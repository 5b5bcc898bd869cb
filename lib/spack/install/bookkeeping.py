"""The database's data on packages that need no build: explicit ones, and externals."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from spack.errors import StoreError
from spack.store import InstallRecord, Metadata
from spack.util.filesystem import atomic_write
from spack.util.json_input import parse_json

if TYPE_CHECKING:
    from spack.install.plan import Plan
    from spack.store import Store

__all__ = ["is_recorded", "mark_explicit", "record_present"]


def mark_explicit(store: Store, hashes: Iterable[str], explicit: bool = True) -> None:
    """Mark installed nodes; those that are marked so, or are in an upstream, cost no write.

    The prefix's own record is changed too, so that ``reindex`` knows. Where it cannot be
    written, the database alone is.

    :raises StoreError: if the database cannot be written.
    """
    changed = []
    for spec_hash in hashes:
        record = store.database.record(spec_hash)
        if record is not None and record.explicit != explicit and not record.upstream:
            changed.append(record)
    if not changed:
        return
    store.writer().mark_explicit([record.hash for record in changed], explicit)
    for record in changed:
        path = Metadata(Path(record.prefix)).record
        try:
            if not record.external:
                data = parse_json(path.read_bytes())
                data["explicit"] = explicit
                atomic_write(path, json.dumps(data, indent=1) + "\n")
        except (OSError, ValueError, StoreError):
            continue


def is_recorded(plan: Plan, store: Store) -> bool:
    """Return whether :func:`record_present` has nothing to write."""
    records = store.database.records_of(x.hash for x in (*plan.reused, *plan.externals))
    known = {record.hash: record.explicit or bool(record.upstream) for record in records}
    return all(known.get(x.hash, False) >= x.explicit for x in plan.reused) and all(
        x.hash in known and known[x.hash] >= x.explicit for x in plan.externals
    )


def record_present(plan: Plan, store: Store) -> None:
    """Update the database with what needs no build; write only if it changes."""
    missing = []
    for step in plan.externals:
        record = store.database.record(step.hash)
        explicit = record is not None and (record.explicit or bool(record.upstream))
        if record is None or (step.explicit and not explicit):
            new = InstallRecord.of(
                step.spec,
                store.layout.prefix(step.spec),
                explicit=step.explicit,
                installed_at=store.clock(),
            )
            missing.append((step.spec, new))
    if missing:
        store.writer().add_all(missing)
    marked = [step.hash for step in plan.reused if step.explicit]
    mark_explicit(store, marked)
