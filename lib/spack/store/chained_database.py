"""What is installed here and in upstreams, for reading: as one database.

An upstream is another install tree, of this tool or of Spack, which is not written to
(``upstreams`` configuration). A node that is installed in several trees is that of the first one,
the own tree before upstreams.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from spack.store.database import Database

if TYPE_CHECKING:
    from spack.spec import ConcreteSpec
    from spack.store.database import DependencyLink, Instance
    from spack.store.record import InstallRecord

__all__ = ["ChainedDatabase"]


class ChainedDatabase(Database):
    """A database in front of further ones; it is read only.

    :param own: of this tool's install tree.
    :param upstreams: by the paths of their trees, in order of precedence.
    """

    def __init__(self, own: Database, upstreams: Sequence[tuple[str, Database]]) -> None:
        super().__init__(own.path)
        self._own = own
        self._upstreams = tuple(database for _, database in upstreams)
        for root, database in upstreams:
            database.upstream = root

    def records(
        self,
        *,
        name: str | None = None,
        hash_prefix: str | None = None,
        explicit: bool | None = None,
        external: bool | None = None,
        installed: bool | None = True,
    ) -> list[InstallRecord]:
        """Return the records for which all of the given hold, in order; see the base class."""
        found: dict[str, InstallRecord] = {}
        of_any = True if installed else None
        for database in (self._own, *self._upstreams):
            for record in database.records(name=name, hash_prefix=hash_prefix, installed=of_any):
                known = found.get(record.hash)
                if known is None or (record.installed and not known.installed):
                    found[record.hash] = record
        wanted = (("explicit", explicit), ("external", external), ("installed", installed))
        chosen = [
            record
            for record in found.values()
            if all(value is None or getattr(record, key) == value for key, value in wanted)
        ]
        return sorted(chosen, key=lambda record: (record.name, record.version, record.hash))

    def record(self, spec_hash: str, installed: bool | None = True) -> InstallRecord | None:
        """Return the record of one node by its full hash, or None."""
        found = self._own.record(spec_hash, installed=None)
        if found is None or not found.installed:
            for database in self._upstreams:
                record = database.record(spec_hash)
                if record is not None:
                    found = record
                    break
        if found is None or (installed is not None and found.installed != installed):
            return None
        return found

    def records_of(
        self, hashes: Iterable[str], installed: bool | None = True
    ) -> list[InstallRecord]:
        """Return the records of those of *hashes* that are known, by name, version and hash."""
        found: dict[str, InstallRecord] = {}
        wanted = list(hashes)
        for database in (self._own, *self._upstreams):
            of_any = None if database is self._own else True
            for record in database.records_of(wanted, of_any):
                known = found.get(record.hash)
                if known is None or (record.installed and not known.installed):
                    found[record.hash] = record
        chosen = [x for x in found.values() if installed is None or x.installed == installed]
        return sorted(chosen, key=lambda record: (record.name, record.version, record.hash))

    def specs(self, hashes: Iterable[str] | None = None) -> dict[str, ConcreteSpec]:
        """Return the nodes with these hashes, with their DAGs; all installed ones by default."""
        wanted = list(self.installed_hashes() if hashes is None else hashes)
        found = self._own.specs(wanted)
        for database in self._upstreams:
            missing = [item for item in wanted if item not in found]
            if missing:
                found.update(database.specs(missing))
        return {item: found[item] for item in wanted if item in found}

    def instances(self, name: str) -> list[Instance]:
        """Return the installed nodes of package *name*, by hash."""
        found: dict[str, Instance] = {}
        for database in (self._own, *self._upstreams):
            for row in database.instances(name):
                found.setdefault(row.hash, row)
        return sorted(found.values())

    def installed_hashes(self) -> frozenset[str]:
        """Return the hashes of all installed nodes, externals included."""
        parts = [database.installed_hashes() for database in self._upstreams]
        return self._own.installed_hashes().union(*parts)

    def known_names(self) -> frozenset[str]:
        """Return the names of all known nodes."""
        return self._own.known_names().union(*(x.known_names() for x in self._upstreams))

    def installed_targets(self) -> frozenset[str]:
        """Return the targets of all installed nodes."""
        return self._own.installed_targets().union(
            *(x.installed_targets() for x in self._upstreams)
        )

    def links(self) -> list[DependencyLink]:
        """Return all edges between known nodes."""
        found = {(link.parent, link.child): link for link in self._own.links()}
        for database in self._upstreams:
            for link in database.links():
                found.setdefault((link.parent, link.child), link)
        return list(found.values())

    def links_of(self, hashes: Iterable[str], *, above: bool) -> list[DependencyLink]:
        """Return the edges from *hashes*, or (*above*) those that lead to them."""
        wanted = list(hashes)
        found: dict[tuple[str, str], DependencyLink] = {}
        for database in (self._own, *self._upstreams):
            for link in database.links_of(wanted, above=above):
                found.setdefault((link.parent, link.child), link)
        return list(found.values())

    def check(self) -> None:
        """Read all files. :raises StoreError: if one is damaged."""
        for database in (self._own, *self._upstreams):
            database.check()

    def close(self) -> None:
        """Leave it open: the trees' own handles close it."""
