"""Which versions of virtual packages a concrete spec provides, by its recipe's records."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from spack.recipe.records import ProvidesRecord
from spack.spec import ConcreteSpec, ProvidedVersions, Spec, VersionList

__all__ = ["provided_by"]


def provided_by(
    records: Callable[[ConcreteSpec], Iterable[ProvidesRecord]],
) -> ProvidedVersions:
    """Return the function that :meth:`ConcreteSpec.satisfies` asks for versions of virtuals.

    :param records: what the recipe of a node declares with ``provides``.
    """

    def provided(node: ConcreteSpec, virtual: str) -> VersionList | None:
        found = [
            provision.versions
            for record in records(node)
            for provision in map(Spec.parse, record.virtuals)
            if provision.name == virtual
            and (not record.when or node.satisfies(record.when, provided=provided))
        ]
        return VersionList(found) if found else None

    return provided
