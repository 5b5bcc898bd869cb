from __future__ import annotations

import json
import os
import shutil
import threading
from pathlib import Path
from typing import Any

import pytest

from kits.command import change_file
from kits.installs import MakeServices
from kits.specs import MakeSpec
from spack.errors import StoreError
from spack.install.bookkeeping import mark_explicit
from spack.install.execute import execute
from spack.install.plan import make_plan
from spack.install.rebuild_database import reindex, verify_records
from spack.store import InstallRecord, Layout, Metadata, Store
from spack.store.locks import DATABASE


@pytest.fixture
def installed(spec: MakeSpec, services: MakeServices, store: Store) -> Any:
    python = spec("python", external="/usr")
    backend = spec("backend", (python, ("run",)))
    app = spec("app", (python, ("run",)), (backend, ("build",)))
    execute(make_plan([app], set()), services()).raise_failures()
    return app


def everything(store: Store) -> Any:
    database = store.database
    return database.records(installed=None), sorted(database.links()), database.specs()


def test_the_same_database_from_the_prefixes_alone(installed: Any, store: Store) -> None:
    before = everything(store)
    store.close()
    store.layout.database.unlink()
    result = reindex(store)
    assert result.problems == () and result.damaged is None
    assert everything(store) == before


@pytest.mark.parametrize("damage", [b"", b"rubbish" * 1000])
def test_a_damaged_database_is_kept_in_a_backup(installed: Any, store: Store, damage: Any) -> None:
    before = everything(store)
    store.close()
    store.layout.database.write_bytes(damage)
    result = reindex(store)
    assert result.damaged is not None and result.damaged.read_bytes() == damage
    assert everything(store) == before


def test_explicit_externals_survive_a_readable_database(installed: Any, store: Store) -> None:
    python = store.database.records(name="python")[0]
    mark_explicit(store, [python.hash])
    reindex(store)
    assert store.database.records(name="python")[0].explicit


def test_prefixes_that_cannot_be_read_are_named(installed: Any, store: Store) -> None:
    record = store.database.records(name="backend")[0]
    change_file(Metadata(Path(record.prefix)).record, "{}")
    unmanaged = store.root / "linux-x86_64" / "foreign"
    (unmanaged / ".spack").mkdir(parents=True)
    result = reindex(store)
    assert [path for path, _ in result.problems] == [Path(record.prefix), unmanaged]
    assert "install_record.json" in result.problems[0][1]
    assert [r.name for r in store.database.records()] == ["app", "python"]


def test_a_copy_of_a_prefix_counts_once(installed: Any, store: Store) -> None:
    record = store.database.records(name="app")[0]
    shutil.copytree(record.prefix, store.root / "linux-x86_64" / "zz-copy")
    result = reindex(store)
    assert len(result.problems) == 1 and "is installed in" in result.problems[0][1]
    assert store.database.record(record.hash).prefix == record.prefix


def test_a_moved_tree_has_its_new_prefixes(installed: Any, store: Store, tmp_path: Path) -> None:
    store.close()
    os.rename(store.root, tmp_path / "moved")
    moved = Store(Layout(tmp_path / "moved"))
    result = reindex(moved)
    prefixes = [r.prefix for r in result.records if not r.external]
    assert prefixes and all(p.startswith(str(tmp_path / "moved")) for p in prefixes)
    moved.close()


def test_it_waits_for_transactions(installed: Any, store: Store) -> None:
    other = Store(Layout(store.root))
    with other.locks.shared(DATABASE), pytest.raises(StoreError, match="locked by"):
        reindex(store, patience=0.1)
    lock = other.locks.shared(DATABASE)
    threading.Timer(0.2, lock.release).start()
    assert len(reindex(store).records) == 3


def test_an_empty_tree(store: Store) -> None:
    assert reindex(store).records == ()


def test_verify(installed: Any, store: Store) -> None:
    records = store.database.records()
    assert all(verified.good for verified in verify_records(records))
    app = next(record for record in records if record.name == "app")
    change_file(Path(app.prefix) / "bin" / "app", "changed")
    found = {v.record.name: v for v in verify_records(records)}
    assert set(found) == {"app", "backend"}, "externals are not verified"
    assert found["app"].differences[0][:2] == ("bin/app", "content") and found["backend"].good
    shutil.rmtree(app.prefix)
    missing = next(v for v in verify_records(records) if v.record.name == "app")
    assert not missing.good and "cannot be read" in missing.problem


def test_an_explicit_mark_on_a_prefix_that_cannot_be_written(installed: Any, store: Store) -> None:
    record: InstallRecord = store.database.records(name="backend")[0]
    Metadata(Path(record.prefix)).record.unlink()
    mark_explicit(store, [record.hash])
    assert store.database.record(record.hash).explicit


def test_prefixes_of_an_earlier_version(store: Store, tmp_path: Path) -> None:
    """Their nodes get the hashes of Spack; the prefixes keep their names."""
    lock = Path(__file__).parents[2] / "cases" / "spack" / "earlier" / "spack.lock"
    data = json.loads(lock.read_text())
    old = data["roots"][0]["hash"]
    prefix = store.layout.root / "linux-x86_64" / f"py-flake8-7.3.0-{old}"
    metadata = Metadata(prefix)
    metadata.folder.mkdir(parents=True)
    metadata.spec.write_text(json.dumps({"roots": [old], "nodes": data["concrete_specs"]}))
    row = {"format": 1, "hash": old, "prefix": str(prefix), "explicit": True}
    row.update(installed_at=5.0, transaction="t", run_environment=None, facts={})
    metadata.record.write_text(json.dumps(row))
    found = reindex(store)
    assert found.problems == ()
    (record,) = store.database.records(external=False)
    assert record.prefix == str(prefix) and record.explicit
    assert record.hash != old
    (spec,) = store.database.specs([record.hash]).values()
    assert spec.satisfies("py-flake8@7.3.0 build_system=python_wheel")

    metadata.record.write_text(json.dumps({**row, "hash": "x"}))
    ((where, problem),) = reindex(store).problems
    assert where == prefix and f"it is of x, the spec of {record.hash}" in problem
