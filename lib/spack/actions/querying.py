"""Which nodes ``spack find`` shows: what is installed, and what an environment still lacks."""

from __future__ import annotations

import datetime
import re
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from spack.actions import installed
from spack.errors import UsageError
from spack.spec import ConcreteSpec, Spec
from spack.store import InstallRecord, Store
from spack.util.frozen import frozen

if TYPE_CHECKING:
    # start-up: most queries ask no recipe
    from spack.repo import RepoPath

__all__ = ["Selection", "parse_date", "select", "to_be_installed"]

_AGO = re.compile(r"(\d+)\s+(day|week|month|year)s?\s+ago\Z")
_FORMATS = (
    (re.compile(r"\d{4}\Z"), "%Y"),
    (re.compile(r"\d{4}-\d{2}\Z"), "%Y-%m"),
    (re.compile(r"\d{4}-\d{2}-\d{2}\Z"), "%Y-%m-%d"),
    (re.compile(r"\d{4}-\d{2}-\d{2}[ T]\d{2}:\d{2}\Z"), "%Y-%m-%d %H:%M"),
    (re.compile(r"\d{4}-\d{2}-\d{2}[ T]\d{2}:\d{2}:\d{2}\Z"), "%Y-%m-%d %H:%M:%S"),
)
_DAYS = {"day": 1, "week": 7, "month": 30, "year": 365}


@frozen
class Selection:
    """What is asked for; a node is shown if all of it holds.

    :param specs: it satisfies one of these, if there are any.
    :param present: it is installed (True), only known because something depends on it (False), or
        either (None).
    :param among: its hash is one of these.
    :param tags: its recipe has one of these tags, if there are any.
    :param unknown: no repository has its recipe any more.
    :param since: with *until*, the span of time of its installation, in seconds since the epoch.
    """

    specs: Sequence[Spec] = ()
    explicit: bool | None = None
    external: bool | None = None
    present: bool | None = True
    among: Collection[str] | None = None
    tags: frozenset[str] = frozenset()
    unknown: bool = False
    since: float | None = None
    until: float | None = None


def select(store: Store, recipes: RepoPath | None, selection: Selection) -> list[InstallRecord]:
    """Return the records of the nodes that are asked for, in the order of ``find``.

    :param recipes: needed for tags and unknown recipes only.
    """
    records = installed.find(
        store,
        selection.specs,
        explicit=selection.explicit,
        external=selection.external,
        among=selection.among,
        present=selection.present,
    )
    return [x for x in records if _is_in_time(x, selection) and _is_of(x, selection, recipes)]


def _is_in_time(record: InstallRecord, selection: Selection) -> bool:
    since, until = selection.since, selection.until
    return (since is None or record.installed_at >= since) and (
        until is None or record.installed_at <= until
    )


def _is_of(record: InstallRecord, selection: Selection, recipes: RepoPath | None) -> bool:
    if not selection.tags and not selection.unknown:
        return True
    assert recipes is not None  # the caller has them for these questions
    fullname = f"{record.namespace}.{record.name}"
    if selection.unknown and recipes.exists(fullname):
        return False
    if not selection.tags:
        return True
    recipe = recipes.get(record.name) if recipes.exists(record.name) else None
    have = () if recipe is None else recipe.attributes.get("tags") or ()
    return isinstance(have, tuple) and not selection.tags.isdisjoint(have)


def to_be_installed(
    nodes: Iterable[ConcreteSpec], store: Store, specs: Sequence[Spec] = ()
) -> list[InstallRecord]:
    """Return records of those nodes that are not installed; externals are not among them."""
    there = store.database.installed_hashes()
    missing = {
        node.dag_hash(): node
        for node in nodes
        if node.dag_hash() not in there
        and node.external is None
        and (not specs or any(node.satisfies(spec) for spec in specs))
    }
    return [
        InstallRecord.of(node, Path(store.prefix(node)), installed=False)
        for node in sorted(missing.values())
    ]


def parse_date(text: str, now: datetime.datetime) -> float:
    """Return the moment that *text* means, in seconds since the epoch, in local time.

    :param text: ``2026``, ``2026-01``, ``2026-01-31``, with ``12:00`` or ``12:00:30``, ``now``,
        ``yesterday``, or ``3 days ago`` (weeks, months, years).
    :raises UsageError: it is none of these.
    """
    wanted = text.strip().lower()
    if wanted == "now":
        return now.timestamp()
    if wanted == "yesterday":
        return (now - datetime.timedelta(days=1)).timestamp()
    ago = _AGO.match(wanted)
    if ago:
        days = int(ago.group(1)) * _DAYS[ago.group(2)]
        return (now - datetime.timedelta(days=days)).timestamp()
    for pattern, form in _FORMATS:
        if pattern.match(text.strip()):
            try:
                return datetime.datetime.strptime(text.strip().replace("T", " "), form).timestamp()
            except ValueError:
                break
    raise UsageError(
        f"cannot read the date '{text}'",
        hint="write 2026-01-31, 2026-01-31 12:00, yesterday, or '3 days ago'",
        ref="date",
    )
