from __future__ import annotations

import os
import random
import sqlite3
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kits.specs import MakeSpec
from spack.errors import StoreError
from spack.spec import ConcreteSpec, Spec
from spack.store import InstallRecord
from spack.store.database import Database
from spack.store.database_tables import SCHEMA_VERSION


def add(database: Any, spec: ConcreteSpec, prefix: str = "/p", **parts: Any) -> Any:
    record = InstallRecord.of(spec, Path(prefix), installed_at=5.0, transaction="t", **parts)
    database.add(spec, record)
    return record


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Any]:
    with Database(tmp_path / "db" / "index.sqlite", write=True) as database:
        yield database


def test_reading_a_missing_database_finds_nothing_and_makes_nothing(tmp_path: Path) -> None:
    database = Database(tmp_path / "none" / "index.sqlite")
    assert database.records() == [] and database.specs() == {} and database.links() == []
    assert not (tmp_path / "none").exists()


def test_a_record_comes_back_as_it_went_in(database: Any, spec: MakeSpec) -> None:
    node = spec("a@1.5", spec("b@2"), shared=True)
    record = add(database, node, explicit=True, run_environment=[["set", "A", "1"]], facts={"d": 1})
    assert database.record(node.dag_hash()) == record
    assert database.specs() == {node.dag_hash(): node}
    again = database.specs()[node.dag_hash()]
    assert again.variants["shared"].value is True
    assert again.edges[0].spec.name == "b"


def test_dependencies_are_known_but_not_installed(database: Any, spec: MakeSpec) -> None:
    low = spec("low")
    top = spec("top", (low, ("build",)))
    add(database, top)
    assert database.record(low.dag_hash()) is None
    assert database.record(low.dag_hash(), installed=None).installed is False
    assert [r.name for r in database.records()] == ["top"]
    assert database.links() == [(top.dag_hash(), low.dag_hash(), frozenset(["build"]))]


def test_queries_by_name_version_variant_dependency_and_hash(database: Any, spec: MakeSpec) -> None:
    z1, z2 = spec("zlib@1.2.11", shared=True), spec("zlib@1.3", shared=False)
    top = spec("top@2", z2)
    for node in (z1, z2, top):
        add(database, node)

    def names(text: Any) -> Any:
        return [f"{r.name}@{r.version}" for r in database.query(Spec(text))]

    assert names("zlib") == ["zlib@1.2.11", "zlib@1.3"]
    assert names("zlib@1.3:") == ["zlib@1.3"]
    assert names("zlib+shared") == ["zlib@1.2.11"]
    assert names("top ^zlib@1.3") == ["top@2"] and names("top ^zlib@1.2") == []
    assert names(f"/{z1.dag_hash(7)}") == ["zlib@1.2.11"]
    assert names(f"zlib@1.3/{z1.dag_hash(7)}") == []
    assert names("@2") == ["top@2"] and names("nothing") == []
    assert [r.hash for r in database.records(hash_prefix=top.dag_hash(5))] == [top.dag_hash()]


def test_explicit_and_external_select(database: Any, spec: MakeSpec) -> None:
    python = spec("python@3.11", external="/usr")
    tool = spec("tool", python)
    add(database, python, "/usr")
    add(database, tool, explicit=True)
    assert [r.name for r in database.records(explicit=True)] == ["tool"]
    assert [r.name for r in database.records(external=True)] == ["python"]
    assert database.record(python.dag_hash()).external
    database.mark_explicit([python.dag_hash()])
    assert len(database.records(explicit=True)) == 2
    add(database, tool, explicit=False)
    assert database.record(tool.dag_hash()).explicit, "what was explicit stays so"
    database.mark_explicit([tool.dag_hash()], False)
    assert not database.record(tool.dag_hash()).explicit


def test_removal_forgets_what_nothing_leads_to(database: Any, spec: MakeSpec) -> None:
    shared, own = spec("shared"), spec("own")
    one = spec("one", (shared, ("build",)), own)
    two = spec("two", shared)
    for node in (own, one, two):
        add(database, node)
    database.remove([one.dag_hash()])
    assert {r.name for r in database.records(installed=None)} == {"two", "shared", "own"}
    database.remove([own.dag_hash()])
    assert {r.name for r in database.records(installed=None)} == {"two", "shared"}
    database.remove([two.dag_hash()])
    assert database.records(installed=None) == [] and database.links() == []


def test_a_removed_dependency_stays_known_for_its_dependents(database: Any, spec: MakeSpec) -> None:
    low = spec("low")
    top = spec("top", (low, ("build",)))
    add(database, low)
    add(database, top)
    database.remove([low.dag_hash()])
    assert database.record(low.dag_hash()) is None
    assert database.specs()[top.dag_hash()].edges[0].spec == low


@pytest.mark.parametrize("content", [b"this is no database at all " * 50, b"SQLite format 3\0" * 9])
@pytest.mark.parametrize("write", [False, True])
def test_a_damaged_file_points_at_reindex(tmp_path: Path, content: Any, write: Any) -> None:
    path = tmp_path / "index.sqlite"
    path.write_bytes(content)
    with pytest.raises(StoreError) as caught:
        Database(path, write=write).records()
    assert "damaged" in caught.value.message and "spack reindex" in caught.value.hint
    assert caught.value.ref == "store-corrupt"
    assert path.read_bytes() == content


def test_damage_inside_is_found(tmp_path: Path, spec: MakeSpec) -> None:
    path = tmp_path / "index.sqlite"
    with Database(path, write=True) as database:
        for number in range(50):
            add(database, spec(f"p{number}"))
    size = path.stat().st_size
    with open(path, "r+b") as stream:
        stream.seek(4096)
        stream.write(b"\xff" * (size - 4096))
    with pytest.raises(StoreError, match="damaged"):
        Database(path).check()
    with pytest.raises(StoreError, match="damaged"):
        Database(path).records()


def test_missing_tables_are_damage(tmp_path: Path) -> None:
    path = tmp_path / "index.sqlite"
    connection = sqlite3.connect(path)
    connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
    connection.execute("CREATE TABLE x (y)")
    connection.close()
    with pytest.raises(StoreError, match="damaged"):
        Database(path).records()


def test_damaged_documents_are_damage(tmp_path: Path, spec: MakeSpec) -> None:
    path = tmp_path / "index.sqlite"
    with Database(path, write=True) as database:
        add(database, spec("a"))
    connection = sqlite3.connect(path)
    connection.execute("UPDATE documents SET node = '{}'")
    connection.commit()
    connection.close()
    with pytest.raises(StoreError, match="damaged"), Database(path) as database:
        database.specs()


@pytest.mark.parametrize(
    "version, hint", [(SCHEMA_VERSION - 1, "spack reindex"), (SCHEMA_VERSION + 1, "newer version")]
)
def test_other_formats_are_refused(tmp_path: Path, version: Any, hint: Any) -> None:
    path = tmp_path / "index.sqlite"
    Database(path, write=True).add_all([])
    connection = sqlite3.connect(path)
    connection.execute(f"PRAGMA user_version = {version}")
    connection.close()
    with pytest.raises(StoreError) as caught:
        Database(path).records()
    assert hint in caught.value.hint and caught.value.ref == "store-format"


def test_readers_do_not_write(tmp_path: Path, spec: MakeSpec) -> None:
    path = tmp_path / "index.sqlite"
    Database(path, write=True).add_all([])
    with pytest.raises(StoreError, match="reading only"):
        add(Database(path), spec("a"))


def test_readers_and_writers_leave_no_files_beside_the_database(
    tmp_path: Path, spec: MakeSpec
) -> None:
    """A log of one user's would lock the others out of a shared store."""
    path = tmp_path / "index.sqlite"
    with Database(path, write=True) as database:
        add(database, spec("a"))
        with Database(path) as reader:
            assert [r.name for r in reader.records()] == ["a"]
            assert [p.name for p in tmp_path.iterdir()] == ["index.sqlite"]
    assert [p.name for p in tmp_path.iterdir()] == ["index.sqlite"]


def test_a_database_with_a_write_ahead_log_is_converted(tmp_path: Path, spec: MakeSpec) -> None:
    path = tmp_path / "index.sqlite"
    with Database(path, write=True) as database:
        add(database, spec("a"))
    connection = sqlite3.connect(path)
    assert connection.execute("PRAGMA journal_mode = WAL").fetchone() == ("wal",)
    connection.close()
    with Database(path, write=True) as database:
        add(database, spec("b"))
        assert {r.name for r in database.records()} == {"a", "b"}
    assert [p.name for p in tmp_path.iterdir()] == ["index.sqlite"]


def test_a_reader_undoes_a_commit_that_a_dead_process_had_begun(
    tmp_path: Path, spec: MakeSpec
) -> None:
    path, killed = tmp_path / "index.sqlite", tmp_path / "killed" / "index.sqlite"
    with Database(path, write=True) as database:
        add(database, spec("a"))
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA cache_size = 1")
    connection.execute("BEGIN IMMEDIATE")
    connection.execute("UPDATE nodes SET name = 'b'")
    connection.execute("CREATE TABLE filler (text)")
    connection.executemany("INSERT INTO filler VALUES (?)", [("x" * 3000,)] * 50)
    killed.parent.mkdir()
    for name in ("index.sqlite", "index.sqlite-journal"):
        (killed.parent / name).write_bytes((tmp_path / name).read_bytes())
    connection.close()
    assert b"x" * 2000 in killed.read_bytes(), "the file has a part of the commit"
    with Database(killed) as database:
        assert [record.name for record in database.records()] == ["a"]
    assert not killed.with_name("index.sqlite-journal").exists()


@pytest.mark.parametrize(("mode", "umask", "group"), [(0o2775, 0o077, True), (0o755, 0o022, False)])
def test_the_group_may_write_the_database_as_it_may_the_directory(
    tmp_path: Path, spec: MakeSpec, mode: Any, umask: Any, group: Any
) -> None:
    folder = tmp_path / "store"
    folder.mkdir()
    folder.chmod(mode)
    old = os.umask(umask)
    try:
        with Database(folder / "index.sqlite", write=True) as database:
            add(database, spec("a"))
    finally:
        os.umask(old)
    assert bool((folder / "index.sqlite").stat().st_mode & 0o020) is group


def test_another_users_store_can_be_read(spec: MakeSpec) -> None:
    """A store in a folder that the user may not write, as on a shared machine."""
    with tempfile.TemporaryDirectory() as name:
        path = Path(name, "index.sqlite")
        with Database(path, write=True) as database:
            add(database, spec("a"))
        path.chmod(0o444)
        os.chmod(name, 0o555)
        child = os.fork()
        if child == 0:
            status = 1
            try:
                if os.geteuid() == 0:
                    os.setuid(65534)
                status = 0 if [r.name for r in Database(path).records()] == ["a"] else 2
            finally:
                os._exit(status)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        os.chmod(name, 0o755)


def test_a_failed_write_changes_nothing(database: Any, spec: MakeSpec) -> None:
    def items() -> Iterator[Any]:
        node = spec("a")
        yield node, InstallRecord.of(node, Path("/a"))
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        database.add_all(items())
    assert database.records() == []
    add(database, spec("b"))
    assert [r.name for r in database.records()] == ["b"]


def test_a_writer_follows_a_database_that_was_rebuilt(tmp_path: Path, spec: MakeSpec) -> None:
    path = tmp_path / "index.sqlite"
    with Database(path, write=True) as database:
        add(database, spec("a"))
        os.replace(path, tmp_path / "old")
        with Database(path, write=True) as other:
            add(other, spec("b"))
        add(database, spec("c"))
        assert {r.name for r in database.records()} == {"b", "c"}


def test_many_threads_and_connections_at_once(tmp_path: Path, spec: MakeSpec) -> None:
    path = tmp_path / "index.sqlite"
    errors = []

    def work(number: Any) -> None:
        try:
            with Database(path, write=True) as database:
                for index in range(10):
                    add(database, spec(f"p{number}-{index}"))
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    with Database(path) as database:
        assert len(database.records()) == 40


def test_finding_a_hundred_takes_less_than_ten_milliseconds(tmp_path: Path, spec: MakeSpec) -> None:
    path = tmp_path / "index.sqlite"
    base = [spec(f"base{n}") for n in range(10)]
    with Database(path, write=True) as database:
        items = [(node, InstallRecord.of(node, Path(f"/store/{node.name}"))) for node in base]
        for number in range(90):
            node = spec(f"p{number}", *base[: number % 10], (base[number % 10], ("build",)))
            items.append((node, InstallRecord.of(node, Path(f"/store/{node.name}"), explicit=True)))
        database.add_all(items)
    times = []
    for _ in range(5):
        start = time.perf_counter()
        with Database(path) as database:
            assert len(database.records()) == 100
        times.append(time.perf_counter() - start)
    assert min(times) < 0.010
    times = []
    for _ in range(5):
        start = time.perf_counter()
        with Database(path) as database:
            assert len(database.specs()) == 100
        times.append(time.perf_counter() - start)
    assert min(times) < 0.030


def test_records_and_edges_of_some_nodes(database: Any, spec: MakeSpec) -> None:
    low = spec("low")
    middle = spec("middle", (low, ("link",)))
    top = spec("top", (middle, ("build", "run")))
    add(database, middle)
    add(database, top)
    every = [node.dag_hash() for node in (low, middle, top)]
    assert [r.name for r in database.records_of([*every, "unknown"])] == ["middle", "top"]
    assert [r.name for r in database.records_of(every, None)] == ["low", "middle", "top"]
    assert [r.name for r in database.records_of(every, False)] == ["low"]
    below, above = (
        (*every[1::-1], frozenset(["link"])),
        (*every[:0:-1], frozenset(["build", "run"])),
    )
    assert database.links_of([every[1]], above=False) == [below]
    assert database.links_of([every[1]], above=True) == [above]
    assert [x.hash for x in database.instances("top")] == [every[2]]
    assert database.known_names() == {"low", "middle", "top"}
    assert database.installed_targets() == {"x86_64"}


def test_a_version_is_asked_without_making_nodes(database: Any, spec: MakeSpec) -> None:
    for number in range(3):
        add(database, spec(f"a@1.{number}"))
    database.specs = None  # would fail when called
    assert [r.version for r in database.query(Spec("a@1.1:"))] == ["1.1", "1.2"]
    assert database.query(Spec("a@2")) == []


@pytest.mark.parametrize("seed", range(5))
def test_removing_forgets_what_no_installed_node_leads_to(
    database: Any, spec: MakeSpec, seed: int
) -> None:
    chance = random.Random(seed)
    nodes: list[ConcreteSpec] = []
    for number in range(20):
        below = chance.sample(nodes, min(len(nodes), chance.randrange(4)))
        nodes.append(spec(f"n{number}", *((node, ("link",)) for node in below)))
    there = {node.dag_hash(): node for node in nodes}
    for node in nodes:
        add(database, node)
    while there:
        gone = chance.sample(sorted(there), min(len(there), chance.randrange(1, 5)))
        database.remove(gone)
        for digest in gone:
            del there[digest]
        known = {x.dag_hash() for node in there.values() for x in node.traverse()}
        assert {x.hash for x in database.records(installed=None)} == known
        assert {x.parent for x in database.links()} <= known
    assert database.links() == []


def test_a_file_of_an_earlier_version_gets_its_index_from_a_writer(
    tmp_path: Path, spec: MakeSpec
) -> None:
    path = tmp_path / "index.sqlite"
    with Database(path, write=True) as database:
        add(database, spec("a"))
    connection = sqlite3.connect(path)
    connection.execute("DROP INDEX nodes_installed")
    connection.commit()
    with Database(path) as database:
        assert database.installed_targets() == {"x86_64"}
    with Database(path, write=True) as database:
        database.known_names()
    query = "SELECT count(*) FROM sqlite_master WHERE name = 'nodes_installed'"
    assert connection.execute(query).fetchone() == (1,)
    connection.close()
