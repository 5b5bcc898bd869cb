"""Rebuilding the database from the prefixes, and comparing prefixes with their manifests."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from spack.errors import SpecError, StoreError
from spack.spec import ConcreteSpec, from_specfile
from spack.store import METADATA, Difference, InstallRecord, Manifest, Metadata, Store, verify
from spack.store.database import Database
from spack.store.journal import Marker, recover
from spack.store.layout import PADDING
from spack.store.locks import DATABASE
from spack.store.moves import earlier_root, note_earlier_root
from spack.store.os_errors import unwritable
from spack.store.store import is_committed
from spack.util.json_input import parse_json

__all__ = ["Reindexed", "Verified", "reindex", "verify_records"]

#: How deep below the root prefixes are looked for.
_DEPTH = 8


@dataclass(frozen=True)
class Reindexed:
    """What :func:`reindex` found.

    :param records: everything that the database now knows as installed, externals included.
    :param problems: folders that look like prefixes and are not usable, each with the reason.
    :param damaged: the path of the old database, if it could not be read.
    """

    records: tuple[InstallRecord, ...]
    problems: tuple[tuple[Path, str], ...]
    damaged: Path | None = None


@dataclass(frozen=True)
class Verified:
    """One installed node compared with the disk; *problem* is set if that was impossible."""

    record: InstallRecord
    differences: tuple[Difference, ...] = ()
    problem: str = ""

    @property
    def good(self) -> bool:
        return not self.differences and not self.problem


def reindex(store: Store, *, patience: float | None = None) -> Reindexed:
    """Rebuild the database from the ``.spack`` of the prefixes.

    A database that cannot be read is kept beside the new one. Externals have no ``.spack``: they
    are taken from the old database, or, if that is lost, from the nodes that depend on them.

    :param patience: seconds to wait for transactions of other processes; default: as configured.
    :raises StoreError: if other processes do not end their transactions, or the tree cannot be
        written.
    """
    store.close()
    with store.locks.exclusive(DATABASE, store.patience if patience is None else patience):
        externals, damaged = _old_externals(store)
        with Database(store.layout.database, write=True) as database:
            trusted = database if damaged is None else None
            recover(
                store.layout,
                store.locks,
                lambda marker: is_committed(trusted, marker) if trusted else _is_described(marker),
            )
            items: dict[str, tuple[ConcreteSpec, InstallRecord]] = {}
            problems: list[tuple[Path, str]] = []
            for prefix in _prefixes(store.layout.root, store.layout.database_folder):
                try:
                    spec, record = _read(prefix)
                except StoreError as error:
                    problems.append((prefix, str(error)))
                    continue
                if record.hash in items:
                    other = items[record.hash][1].prefix
                    problems.append((prefix, f"the same node is installed in {other}"))
                    continue
                items[record.hash] = (spec, record)
                _note_move(store, prefix)
            items.update(_externals(items, externals))
            database.replace_all(items.values())
            records = tuple(database.records())
    return Reindexed(records, tuple(problems), damaged)


def _note_move(store: Store, prefix: Path) -> None:
    """Note where the tree was when *prefix* was installed, if it is elsewhere now."""
    try:
        data = parse_json(Metadata(prefix).record.read_bytes())
        below = str(prefix.relative_to(store.layout.root))
        recorded = str(data["prefix"])
        if recorded != str(prefix) and recorded.endswith(f"/{below}"):
            old = earlier_root(str(store.layout.root), [recorded])
            if old is not None:
                note_earlier_root(store.layout, old)
    except (OSError, ValueError, KeyError) as error:
        raise StoreError(f"{prefix}: cannot be read: {error}") from error


def verify_records(records: Sequence[InstallRecord]) -> Iterator[Verified]:
    """Compare installed nodes with their manifests, contents included; externals are left out."""
    for record in records:
        if record.external:
            continue
        prefix = Path(record.prefix)
        try:
            manifest = Manifest.load(Metadata(prefix).manifest)
            yield Verified(record, verify(prefix, manifest))
        except StoreError as error:
            yield Verified(record, (), str(error))


def _old_externals(
    store: Store,
) -> tuple[list[tuple[ConcreteSpec, InstallRecord]], Path | None]:
    """Return the externals of the old database, and the path of its backup if it is damaged."""
    path = store.layout.database
    try:
        with Database(path) as database:
            database.check()
            records = database.records(external=True)
            specs = database.specs(record.hash for record in records)
            return [(specs[record.hash], record) for record in records], None
    except StoreError as error:
        if error.ref not in ("store-corrupt", "store-format"):
            raise
    backup = path.with_name(f"{path.name}.damaged-{store.clock():.0f}")
    try:
        os.replace(path, backup)
        for suffix in ("-wal", "-shm", "-journal"):
            extra = path.with_name(path.name + suffix)
            if extra.exists():
                os.replace(extra, backup.with_name(backup.name + suffix))
    except OSError as error:
        raise unwritable(path, error) from error
    return [], backup


def _externals(
    items: dict[str, tuple[ConcreteSpec, InstallRecord]],
    known: Sequence[tuple[ConcreteSpec, InstallRecord]],
) -> dict[str, tuple[ConcreteSpec, InstallRecord]]:
    found = {record.hash: (spec, record) for spec, record in known}
    for spec, record in items.values():
        for node in spec.traverse(root=False):
            spec_hash = node.dag_hash()
            if node.external is not None and spec_hash not in found:
                prefix = Path(node.external.path or "/")
                at = record.installed_at
                found[spec_hash] = (node, InstallRecord.of(node, prefix, installed_at=at))
    return found


def _is_described(marker: Marker) -> bool:
    """Complete transactions: an install counts if it got as far as its last file.

    A removal that has begun is always finished, for its prefix may be partly removed.
    """
    if marker.kind != "install":
        return True
    try:
        data = parse_json(Metadata(marker.prefix).record.read_bytes())
        return bool(data["transaction"] == marker.transaction)
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _prefixes(root: Path, excluded: Path) -> Iterator[Path]:
    """Yield all folders below *root* that hold a ``.spack``, in order of path."""
    pending = [(root, 0)]
    while pending:
        folder, depth = pending.pop()
        try:
            with os.scandir(folder) as entries:
                below = sorted(e.name for e in entries if e.is_dir(follow_symlinks=False))
        except OSError:
            continue
        if METADATA in below and folder != root:
            yield folder
        elif depth < _DEPTH:
            for name in reversed(below):
                if folder / name != excluded:
                    deeper = depth + (not PADDING.startswith(name))
                    pending.append((folder / name, deeper))


def _read(prefix: Path) -> tuple[ConcreteSpec, InstallRecord]:
    metadata = Metadata(prefix)
    try:
        data = parse_json(metadata.spec.read_bytes())
        root, nodes = from_specfile(data)
        spec, earlier = nodes[root], data.get("roots", [""])[0]
        text = metadata.record.read_text(encoding="utf-8")
    except OSError as error:
        raise StoreError(f"{error.filename}: {error.strerror}") from error
    except (ValueError, KeyError, TypeError, IndexError, SpecError) as error:
        raise StoreError(f"{metadata.spec}: cannot be read: {error}") from error
    origin = str(metadata.record)
    return spec, InstallRecord.from_json(text, spec, prefix, origin, earlier_hash=earlier)
