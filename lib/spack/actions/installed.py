"""What is installed: which records a query matches, and what may be removed."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from spack.errors import SpackError, StoreError
from spack.spec import Version

if TYPE_CHECKING:
    from spack.spec import Spec
    from spack.store import InstallRecord, Store

__all__ = ["build_log", "find", "one", "several"]

#: How many candidates an error names.
_SHOWN = 10


def find(
    store: Store,
    specs: Sequence[Spec],
    *,
    explicit: bool | None = None,
    external: bool | None = None,
    among: Collection[str] | None = None,
    present: bool | None = True,
) -> list[InstallRecord]:
    """Return the installed nodes that satisfy any of *specs* (all, when there are none).

    A spec file (``./spec.json``) means the node in it.

    :param among: only nodes with these hashes, such as those of an environment.
    :param present: False for nodes that are not installed and that something depends on; None
        for both.
    """
    database = store.database
    records: list[InstallRecord] = []
    for spec in _without_files(specs) or (None,):
        if spec is None and among is not None:
            records += [
                record
                for record in database.records_of(among, present)
                if (explicit is None or record.explicit == explicit)
                and (external is None or record.external == external)
            ]
        elif spec is None:
            records += database.records(explicit=explicit, external=external, installed=present)
        else:
            records += database.query(spec, explicit=explicit, external=external, installed=present)
    if among is not None:
        chosen = frozenset(among)
        records = [record for record in records if record.hash in chosen]
    unique = {record.hash: record for record in records}
    return sorted(unique.values(), key=_order)


def _without_files(specs: Sequence[Spec]) -> Sequence[Spec]:
    if not specs:
        return ()
    from spack.actions.spec_files import without_files  # start-up: needs all that DAGs do

    return without_files(specs)[0]


def is_database_lost(store: Store) -> bool:
    """Return whether there are prefixes that no database knows. Cost: one listing of the root."""
    if store.layout.database.exists() or not store.root.is_dir():
        return False
    return any(store.root.glob("*/*/.spack/install_record.json"))


def _order(record: InstallRecord) -> tuple[str, str, Version, str]:
    return (record.architecture, record.name, Version(record.version), record.hash)


def one(
    store: Store, spec: Spec, *, among: Collection[str] | None = None, first: bool = False
) -> InstallRecord:
    """Return the one installed node that satisfies *spec*.

    :param among: see :func:`find`.
    :param first: take the newest version of several.
    :raises StoreError: none matches, or several do; those are named.
    """
    records = find(store, [spec], among=among)
    if not records and among is not None and find(store, [spec]):
        raise StoreError(
            f"nothing that is installed of this environment matches {spec}",
            facts={"spec": str(spec)},
            hint="to look at everything that is installed: spack -E ...",
            ref="not-installed",
        )
    if not records:
        raise StoreError(
            f"no installed package matches {spec}",
            facts={"spec": str(spec)},
            hint=f"`spack find {spec.name}` lists what is installed; "
            f"`spack install {spec}` installs it"
            if spec.name
            else "`spack find -L` lists what is installed, with hashes",
            ref="not-installed",
        )
    if len(records) > 1 and not first:
        raise _ambiguous(spec, records)
    return records[-1]


def several(
    store: Store, specs: Sequence[Spec], *, all_matches: bool = False
) -> list[InstallRecord]:
    """Return the installed nodes for each of *specs*; with *all_matches* a spec may match several.

    :raises StoreError: for every spec that means none, or too many, at once.
    """
    records: list[InstallRecord] = []
    problems: list[SpackError] = []
    for spec in specs:
        try:
            found = find(store, [spec])
            records += found if all_matches and found else [one(store, spec)]
        except SpackError as error:
            problems.append(error)
    if len(problems) == 1:
        raise problems[0]
    if problems:
        raise StoreError("some specs name no single installed package", causes=problems)
    return list({record.hash: record for record in records}.values())


def build_log(store: Store, spec: Spec) -> Path:
    """Return the log of the one installed node that *spec* means.

    Without such a node, of the last build that runs or failed whose name, version and hash *spec*
    allows.

    :raises StoreError: there is neither; or *spec* means several installed nodes and no build.
    """
    records = [record for record in find(store, [spec]) if not record.external]
    unfinished = [
        path
        for name, version, spec_hash, path in store.layout.running_logs()
        if spec.name in (None, name)
        and Version(version) in spec.versions
        and spec_hash.startswith(spec.hash_prefix or "")
    ]
    log: Path | None = None
    if len(records) == 1:
        log = store.log(records[0])
    elif unfinished:
        log = unfinished[-1]
    elif records:
        raise _ambiguous(spec, records)
    if log is None:
        raise StoreError(
            f"there is no build log of {spec}",
            facts={"spec": str(spec)},
            hint="only packages that were built here, or failed to, have one",
            ref="no-log",
        )
    return log


def _ambiguous(spec: Spec, records: Sequence[InstallRecord]) -> StoreError:
    lines = [f"/{record.hash[:7]} {record.name}@{record.version}" for record in records[:_SHOWN]]
    if len(records) > _SHOWN:
        lines.append(f"and {len(records) - _SHOWN} more")
    return StoreError(
        f"{spec} matches {len(records)} installed packages",
        "\n".join(lines),
        facts={"spec": str(spec), "hashes": [record.hash for record in records]},
        hint=f"name one by its hash, such as /{records[0].hash[:7]}",
        ref="ambiguous-spec",
    )
