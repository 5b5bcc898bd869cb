"""What installed packages depend on, and what depends on them; marking them explicit."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from spack.actions import installed
from spack.install.bookkeeping import mark_explicit
from spack.spec import DEPTYPES, Spec
from spack.store import InstallRecord, Store

__all__ = ["extensions_installed", "mark", "relatives"]


def relatives(
    store: Store,
    record: InstallRecord,
    *,
    above: bool,
    transitive: bool = False,
    types: Collection[str] = DEPTYPES,
) -> list[InstallRecord]:
    """Return the installed nodes that *record* depends on, or (*above*) that depend on it."""
    found: set[str] = set()
    pending = {record.hash}
    while pending:
        links = store.database.links_of(pending, above=above)
        kept = [link for link in links if not link.deptypes.isdisjoint(types)]
        fresh = {link.parent if above else link.child for link in kept} - found
        found |= fresh
        pending = fresh if transitive else set()
    return installed.find(store, [], among=found - {record.hash})


def extensions_installed(
    store: Store, record: InstallRecord, names: Collection[str]
) -> list[InstallRecord]:
    """Return the installed nodes of *names* that run with *record*, which they extend."""
    above = relatives(store, record, above=True, transitive=True, types=("run",))
    return [x for x in above if x.name in names]


def mark(
    store: Store, specs: Sequence[Spec], explicit: bool, *, all_matches: bool = False
) -> list[InstallRecord]:
    """Record that installed packages are, or are not, explicit; ``gc`` keeps those that are.

    :param specs: with none and *all_matches*, everything that is installed.
    :returns: those whose mark has changed.
    :raises StoreError: a spec matches nothing, or several without *all_matches*.
    """
    if specs:
        records = installed.several(store, specs, all_matches=all_matches)
    else:
        records = installed.find(store, [])
    changed = [record for record in records if record.explicit != explicit]
    if changed:
        mark_explicit(store, [record.hash for record in changed], explicit)
    return changed
