"""Which nodes ``spack find`` shows: what is installed, and what an environment still lacks."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from spack.actions import installed
from spack.store import InstallRecord
from spack.util.frozen import frozen

if TYPE_CHECKING:
    # start-up: most queries ask no recipe
    from spack.repo import RepoPath
    from spack.spec import ConcreteSpec, Spec
    from spack.store import Store

__all__ = ["Selection", "select", "to_be_installed"]


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
