"""Which installed specs the concretizer is offered."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from kits.specs import make_spec
from spack.actions.concretizing import InstalledSpecs
from spack.config.setting_types import ReuseSettings
from spack.config.settings import Settings
from spack.spec import ConcreteSpec, Spec
from spack.store import InstallRecord
from spack.store.database import Database


class CountingDatabase(Database):
    """A database that counts the specs that are made."""

    made = 0

    def _load(self, hashes: list[str]) -> dict[str, ConcreteSpec]:
        found = super()._load(hashes)
        self.made += len(found)
        return found


@pytest.fixture
def database(tmp_path: Path) -> Iterator[CountingDatabase]:
    """Return a database with a@1, a@2 and b@1."""
    path = tmp_path / "index.sqlite"
    with Database(path, write=True) as written:
        for text in ("a@1", "a@2", "b@1"):
            spec = make_spec(text)
            written.add(spec, InstallRecord.of(spec, Path("/p"), installed_at=5.0, transaction="t"))
    counting = CountingDatabase(path)
    yield counting
    counting.close()


def reuse_settings(reuse: Any) -> ReuseSettings:
    return Settings.from_data({"concretizer": {"reuse": reuse}}).concretizer.reuse_settings


def named(specs: InstalledSpecs, name: str) -> list[ConcreteSpec]:
    return specs.best(name, sorted, 100)[0]


def texts(specs: Sequence[ConcreteSpec]) -> list[str]:
    return sorted(f"{spec.name}@{spec.version}" for spec in specs)


@pytest.mark.parametrize(
    ("reuse", "expected"),
    [
        (True, ["a@1", "a@2", "b@1"]),
        ({"include": ["a"]}, ["a@1", "a@2"]),
        ({"exclude": ["a@2"]}, ["a@1", "b@1"]),
        ({"include": ["a"], "exclude": ["@1"]}, ["a@2"]),
        ({"from": [{"type": "local"}]}, ["a@1", "a@2", "b@1"]),
        ({"from": [{"type": "buildcache"}, {"type": "external"}]}, []),
        ({"from": [{"type": "local", "include": ["b"]}], "exclude": ["a"]}, ["b@1"]),
        (
            {"from": [{"type": "local", "include": ["b"]}, {"type": "local", "exclude": ["@1"]}]},
            ["a@2", "b@1"],
        ),
    ],
)
def test_include_exclude_and_from(database: Database, reuse: Any, expected: list[str]) -> None:
    specs = InstalledSpecs(database, reuse_settings(reuse))
    assert texts([*named(specs, "a"), *named(specs, "b")]) == expected


def test_what_is_named_by_hash_is_admitted(database: Database) -> None:
    node = make_spec("b@1")
    wanted = [Spec(f"/{node.dag_hash()[:7]}")]
    specs = InstalledSpecs(database, reuse_settings({"exclude": ["a", "b"]}), wanted)
    assert [*named(specs, "a"), *named(specs, "b")] == [node]
    assert specs.by_hash(node.dag_hash()[:7]) == [node]


def test_only_what_is_asked_for_is_made(database: CountingDatabase) -> None:
    specs = InstalledSpecs(database, reuse_settings(True))
    assert specs.names() == {"a", "b"} and specs.targets() == {"x86_64"}
    assert database.made == 0
    assert texts(named(specs, "b")) == ["b@1"] and named(specs, "c") == []
    assert database.made == 1


def test_fixed_specs_come_after_installed_ones_and_once(database: Database) -> None:
    fixed = [make_spec("a@1"), make_spec("c@3")]
    specs = InstalledSpecs(database, reuse_settings(True), fixed=fixed)
    assert specs.names() == {"a", "b", "c"}
    assert texts(named(specs, "a")) == ["a@1", "a@2"] and named(specs, "c") == [fixed[1]]


def test_without_a_database_only_fixed_specs_are_offered() -> None:
    specs = InstalledSpecs(None, reuse_settings(True), fixed=[make_spec("c@3")])
    assert specs.names() == {"c"} and named(specs, "a") == []
    assert specs.by_hash(make_spec("c@3").dag_hash()) == [make_spec("c@3")]


def test_of_many_specs_those_of_the_best_versions_are_made(tmp_path: Path) -> None:
    path = tmp_path / "index.sqlite"
    with Database(path, write=True) as written:
        for number in range(30):
            for shared in (True, False):
                node = make_spec(f"a@{number}", shared=shared)
                record = InstallRecord.of(node, Path("/p"), installed_at=float(shared))
                written.add(node, record)
    database = CountingDatabase(path)
    specs = InstalledSpecs(database, reuse_settings(True), fixed=[make_spec("a@3")])

    def best_first(versions: Collection[str]) -> list[str]:
        return sorted(versions, key=int, reverse=True)

    found, rest = specs.best("a", best_first, 3)
    assert texts(found) == ["a@28", "a@29", "a@29", "a@3"] and rest == 57
    assert {x.variants["shared"].value for x in found if str(x.version) == "28"} == {True}
    assert database.made == 3
    database.close()
