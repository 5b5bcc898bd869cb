"""What is installed here and in upstreams, asked as one database."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from kits.specs import make_spec
from spack.spec import ConcreteSpec
from spack.store import InstallRecord
from spack.store.chained_database import ChainedDatabase
from spack.store.database import Database

LOW, OTHER = make_spec("low@1"), make_spec("low@2", target="x86_64_v3")
TOP = make_spec("top@1", (LOW, ("link",)))


def filled(path: Path, specs: Sequence[ConcreteSpec]) -> Database:
    with Database(path / "index.sqlite", write=True) as database:
        for spec in specs:
            database.add(spec, InstallRecord.of(spec, path / spec.name))
    return Database(path / "index.sqlite")


@pytest.fixture
def chained(tmp_path: Path) -> ChainedDatabase:
    own, site = filled(tmp_path / "own", [TOP]), filled(tmp_path / "site", [LOW, OTHER])
    return ChainedDatabase(own, [("/site", site)])


def test_records_are_those_of_the_first_tree_that_has_them_installed(
    chained: ChainedDatabase,
) -> None:
    hashes = [spec.dag_hash() for spec in (LOW, OTHER, TOP)]
    found = {record.hash: record for record in chained.records_of([*hashes, "unknown"])}
    upstreams = {digest: found[digest].upstream for digest in hashes}
    assert upstreams == dict(zip(hashes, ("/site", "/site", "")))
    assert chained.records_of(hashes, False) == []
    assert sorted(row.version for row in chained.instances("low")) == ["1", "2"]


def test_edges_names_and_targets_are_of_all_trees(chained: ChainedDatabase) -> None:
    link = (TOP.dag_hash(), LOW.dag_hash(), frozenset(["link"]))
    assert chained.links_of([LOW.dag_hash()], above=True) == [link]
    assert chained.links_of([TOP.dag_hash()], above=False) == [link]
    assert chained.known_names() == {"low", "top"}
    assert chained.installed_targets() == {"x86_64", "x86_64_v3"}
