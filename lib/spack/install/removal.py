"""Taking packages away: what must go or stay (pure), and the removal itself.

What an installed node needs is what it links to and runs with; it does not need what it was
built with, so a build dependency can be removed although its dependents stay.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from spack.errors import StoreError
from spack.install.events import Removed, Removing
from spack.spec import RUN_TIME
from spack.store import METADATA
from spack.store.journal import REMOVE, Marker, clear, discard
from spack.store.locks import DATABASE
from spack.store.os_errors import unwritable
from spack.util.filesystem import make_shared_directory, remove_tree
from spack.util.report import Failed

if TYPE_CHECKING:
    from spack.store import Database, DependencyLink, InstallRecord, Store
    from spack.util.report import Reporter

__all__ = [
    "Removal",
    "collect",
    "needing",
    "plan_removal",
    "refuse_roots",
    "refuse_upstream",
    "remove",
    "unneeded",
]

#: Seconds to wait for a node that is in use, where nothing is configured.
_PATIENCE = 10.0


@dataclass(frozen=True)
class Removal:
    """What is to be removed, in this order: dependents before what they need.

    :param force: dependents that are not among ``records`` are left broken.
    """

    records: tuple[InstallRecord, ...]
    force: bool = False


def plan_removal(
    records: Sequence[InstallRecord],
    links: Sequence[DependencyLink],
    hashes: Iterable[str],
    *,
    dependents: bool = False,
    force: bool = False,
) -> Removal:
    """Return the removal of the nodes with these hashes.

    :param records: everything that is installed.
    :param dependents: also remove all that needs them, directly or not.
    :param force: remove them although something needs them.
    :raises StoreError: if something that stays needs them; it is named.
    """
    known = {record.hash: record for record in records}
    needed_by = _needed_by(links, known, RUN_TIME)
    chosen = {spec_hash for spec_hash in hashes if spec_hash in known}
    above = _reach(chosen, needed_by) - chosen
    if dependents:
        chosen |= above
    elif above and not force:
        raise _needed(chosen, above, known, needed_by)
    return Removal(_dependents_first(chosen, known, links), force)


def refuse_upstream(records: Iterable[InstallRecord]) -> None:
    """Refuse what is in an upstream install tree. :raises StoreError: one of *records* is."""
    for record in records:
        if record.upstream:
            raise StoreError(
                f"cannot remove {record.short}: it is in the upstream {record.upstream}",
                facts={"hash": record.hash, "upstream": record.upstream},
                hint="let its owner remove it, or take the upstream out of the configuration",
                ref="upstream",
            )


def refuse_roots(removal: Removal, roots: Mapping[str, Sequence[str]]) -> None:
    """Refuse to remove a root of an environment.

    :raises StoreError: something of *removal* is a root of an environment.

    :param roots: hashes and the environments whose roots they are. What these need besides is
        safe with them: dependents go with what they depend on, or nothing goes.
    """
    wanted = [record for record in removal.records if record.hash in roots]
    if not wanted:
        return
    lines = [f"{x.short} is wanted by the environment {', '.join(roots[x.hash])}" for x in wanted]
    raise StoreError(
        lines[0],
        "\n".join(lines[1:]) or None,
        facts={"needed": tuple(record.hash for record in wanted)},
        hint="`spack -e ENV uninstall --remove` takes it out there too; --force leaves views "
        "broken that show it",
        ref="store-environment",
    )


def unneeded(
    records: Sequence[InstallRecord],
    links: Sequence[DependencyLink],
    roots: Iterable[str] = (),
    *,
    keep_build: bool = False,
    keep_explicit: bool = True,
) -> Removal:
    """Return the nodes that are neither explicit, nor roots, nor needed by one of those.

    :param roots: hashes that must stay although they are not explicit: those of environments.
    :param keep_build: whether what stays also needs what it was built with.
    :param keep_explicit: False lets explicit ones go that are not among *roots* or needed by them.
    """
    known = {record.hash: record for record in records}
    types = RUN_TIME | {"build"} if keep_build else RUN_TIME
    needs: dict[str, list[str]] = {}
    for link in links:
        if not types.isdisjoint(link.deptypes):
            needs.setdefault(link.parent, []).append(link.child)
    start = {x.hash for x in records if x.explicit and keep_explicit} | set(roots)
    kept = _reach(start, needs)
    return Removal(_dependents_first(set(known) - kept, known, links))


def remove(
    store: Store, removal: Removal, reporter: Reporter, *, patience: float | None = None
) -> tuple[InstallRecord, ...]:
    """Remove the prefixes and the database's records, one node after the other.

    Of externals only the record goes.

    :param patience: seconds to wait for a node that another process uses; default: as configured,
        else 10.
    :returns: what was removed; a node that another process removed meanwhile is not in it.
    :raises StoreError: if a node is in use, if something needs it by now, or if it cannot be
        removed; those before it are removed, it and those after it are intact.
    """
    if patience is None:
        patience = store.package_patience or _PATIENCE
    database = store.writer()
    removed: list[InstallRecord] = []
    with store.locks.shared(DATABASE, patience):
        for record in removal.records:
            task = reporter.task(record.hash, record.short)
            task.phase(Removing())
            try:
                with store.locks.exclusive(record.hash, patience):
                    current = store.settle(record.hash)
                    if current is not None:
                        if not removal.force:
                            _check_free(current, database)
                        _remove_one(store, current)
                        removed.append(current)
            except BaseException as error:
                task.fail(Failed(error))
                raise
            task.finish(Removed())
    return tuple(removed)


def collect(
    store: Store,
    agreed: Removal,
    reporter: Reporter,
    roots: Iterable[str] = (),
    *,
    keep_build: bool = False,
    keep_explicit: bool = True,
) -> tuple[InstallRecord, ...]:
    """Remove what is in *agreed* and still needed by nothing.

    As :func:`unneeded` and :func:`remove`.

    :raises StoreError: an install is running, which may need what nothing else does.
    """
    with store.locks.quiet():
        database = store.own
        now = unneeded(
            database.records(),
            database.links(),
            roots,
            keep_build=keep_build,
            keep_explicit=keep_explicit,
        )
        hashes = {record.hash for record in agreed.records}
        return remove(store, Removal(tuple(x for x in now.records if x.hash in hashes)), reporter)


def _remove_one(store: Store, record: InstallRecord) -> None:
    database = store.writer()
    if record.external:
        database.remove([record.hash])
        return
    prefix = Path(record.prefix)
    marker = Marker.new(
        REMOVE,
        record.hash,
        record.short,
        prefix,
        owner=store.owner,
        started=store.clock(),
        replaces=False,
    )
    backup = marker.backup(store.layout)
    try:
        make_shared_directory(backup.parent, store.root)
        if prefix.exists() and not os.access(prefix.parent, os.W_OK | os.X_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(prefix.parent))
        try:
            marker.write(store.layout)
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EDQUOT):
                raise
            # A full disk, and this is how one makes room: the files go before the marker. Dying
            # here leaves an install without files, which uninstalling again removes.
            _empty(prefix)
            marker.write(store.layout)
    except OSError as error:
        raise unwritable(prefix, error, "cannot be removed") from error
    try:
        database.remove([record.hash])
    except BaseException:
        clear(store.layout, marker)
        raise
    try:
        # Removed for every process at once; the deletion itself may take its time.
        if os.path.lexists(prefix):
            os.rename(prefix, backup)
        discard(store.layout, prefix)
        remove_tree(backup)
        clear(store.layout, marker)
    except OSError as error:
        raise unwritable(prefix, error, "cannot be removed") from error


def _empty(prefix: Path) -> None:
    for name in os.listdir(prefix) if prefix.is_dir() else ():
        if name != METADATA:
            remove_tree(prefix / name)


def needing(
    database: Database, hashes: Collection[str]
) -> tuple[list[InstallRecord], list[DependencyLink]]:
    """Return the installed nodes among *hashes* and above them, and the edges that lead there."""
    records = {record.hash: record for record in database.records_of(hashes)}
    links: list[DependencyLink] = []
    pending = set(hashes)
    while pending:
        fresh = database.links_of(pending, above=True)
        links += fresh
        above = {x.parent for x in fresh if not RUN_TIME.isdisjoint(x.deptypes)}
        found = database.records_of(above - records.keys())
        records.update((record.hash, record) for record in found)
        pending = {record.hash for record in found}
    return list(records.values()), links


def _check_free(record: InstallRecord, database: Database) -> None:
    records, links = needing(database, [record.hash])
    known = {item.hash: item for item in records}
    needed_by = _needed_by(links, known, RUN_TIME)
    above = _reach({record.hash}, needed_by) - {record.hash}
    if above:
        raise _needed({record.hash}, above, known, needed_by)


def _needed(
    chosen: set[str],
    above: set[str],
    known: Mapping[str, InstallRecord],
    needed_by: Mapping[str, Sequence[str]],
) -> StoreError:
    lines = []
    for spec_hash in sorted(chosen, key=lambda item: known[item].short):
        direct = {h for h in needed_by.get(spec_hash, ()) if h in above}
        if direct:
            further = _reach(direct, needed_by) - direct - chosen
            names = (sorted(known[h].short for h in group) for group in (direct, further))
            line = ", and through these by ".join(filter(None, map(", ".join, names)))
            lines.append(f"{known[spec_hash].short} is needed by {line}")
    return StoreError(
        lines[0],
        "\n".join(lines[1:]) or None,
        facts={"needed": tuple(sorted(chosen)), "dependents": tuple(sorted(above))},
        hint="--dependents removes these too, --force leaves them broken",
        ref="store-needed",
    )


def _needed_by(
    links: Sequence[DependencyLink], known: Mapping[str, InstallRecord], types: frozenset[str]
) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for link in links:
        if link.parent in known and not types.isdisjoint(link.deptypes):
            found.setdefault(link.child, []).append(link.parent)
    return found


def _reach(start: Iterable[str], edges: Mapping[str, Sequence[str]]) -> set[str]:
    reached = set(start)
    pending = list(reached)
    while pending:
        for item in edges.get(pending.pop(), ()):
            if item not in reached:
                reached.add(item)
                pending.append(item)
    return reached


def _dependents_first(
    chosen: set[str], known: Mapping[str, InstallRecord], links: Sequence[DependencyLink]
) -> tuple[InstallRecord, ...]:
    below: dict[str, list[str]] = {}
    for link in links:
        if link.parent in chosen and link.child in chosen:
            below.setdefault(link.parent, []).append(link.child)
    order: list[str] = []
    done: set[str] = set()
    start = sorted(chosen, key=lambda item: (known[item].name, item))
    pending: list[tuple[str, bool]] = [(item, False) for item in reversed(start)]
    while pending:
        item, finished = pending.pop()
        if finished:
            order.append(item)
        elif item not in done:
            done.add(item)
            pending.append((item, True))
            pending.extend((child, False) for child in below.get(item, ()) if child not in done)
    return tuple(known[item] for item in reversed(order))
