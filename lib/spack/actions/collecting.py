"""What ``spack gc`` may remove: what must stay, and which of the rest is asked for."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from spack.install.removal import Removal, unneeded
from spack.spec.deptypes import RUN_TIME
from spack.util.frozen import frozen

if TYPE_CHECKING:
    from spack.environment import Environment
    from spack.spec import Spec
    from spack.store import Database, DependencyLink

__all__ = ["Keeping", "collectable", "keep_for"]


@frozen
class Keeping:
    """What a collection leaves, with what that needs at run time.

    :param roots: hashes.
    :param explicit: whether explicit packages stay too.
    :param build: whether what stays keeps what it was built with.
    """

    roots: frozenset[str]
    explicit: bool = True
    build: bool = False


def keep_for(
    database: Database,
    environment_roots: Mapping[str, Sequence[str]],
    *,
    within: Environment | None = None,
    only: Collection[Environment] = (),
    any_environment: bool = False,
    build: bool = False,
) -> Keeping:
    """Return what stays.

    :param environment_roots: root hashes of all existing environments.
    :param within: the active environment, outside of which nothing is collected.
    :param only: environments for which alone packages stay (``-e``).
    :param any_environment: packages stay for environments only (``-E``).
    """
    if only or any_environment:
        roots = {root.hash for x in only if x.lockfile is not None for root in x.lockfile.roots}
        if any_environment:
            roots |= set(environment_roots)
        return Keeping(frozenset(roots), explicit=False, build=build)
    if within is not None:
        outside = database.installed_hashes() - within.hashes()
        return Keeping(outside | frozenset(environment_roots), build=build)
    return Keeping(frozenset(environment_roots), build=build)


def collectable(database: Database, keeping: Keeping, specs: Sequence[Spec] = ()) -> Removal:
    """Return what may be removed; with *specs* only what satisfies one of them.

    What something else needs that goes only without *specs* is left out too.
    """
    links = database.links()
    removal = unneeded(
        database.records(),
        links,
        keeping.roots,
        keep_build=keeping.build,
        keep_explicit=keeping.explicit,
    )
    if not specs:
        return removal
    nodes = database.specs(record.hash for record in removal.records)
    chosen = {
        record.hash
        for record in removal.records
        if any(nodes[record.hash].satisfies(spec) for spec in specs)
    }
    stays = {record.hash for record in removal.records} - chosen
    stays |= _needed_by(stays, links)
    return Removal(tuple(x for x in removal.records if x.hash not in stays))


def _needed_by(hashes: Iterable[str], links: Iterable[DependencyLink]) -> set[str]:
    below: dict[str, list[str]] = {}
    for link in links:
        if not link.deptypes.isdisjoint(RUN_TIME):
            below.setdefault(link.parent, []).append(link.child)
    reached: set[str] = set()
    pending = list(hashes)
    while pending:
        for child in below.get(pending.pop(), ()):
            if child not in reached:
                reached.add(child)
                pending.append(child)
    return reached
