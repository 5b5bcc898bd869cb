"""What becomes of an install tree when its processes die at any moment."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kits.installs import MakeServices
from kits.specs import MakeSpec
from spack.errors import SpackError, StoreError
from spack.install.check import check_prefix
from spack.install.execute import Schedule, execute
from spack.install.interfaces import InstallerDependencies
from spack.install.plan import PlanOptions, make_plan
from spack.install.prefix_transaction import PrefixTransaction
from spack.install.rebuild_database import reindex, verify_records
from spack.install.removal import plan_removal, remove
from spack.store import Layout, LockOwner, Metadata, Store
from spack.store.journal import INSTALL, Marker, markers
from spack.util.report import SilentReporter

#: Writes for about 10 ms, so that there is something to be interrupted.
SCRIPT = """
mkdir -p "$PREFIX/lib/deep" "$PREFIX/bin"
for i in 1 2 3 4 5; do echo "$NAME $i" > "$PREFIX/lib/deep/$i"; done
chmod 555 "$PREFIX/lib/deep"
echo done > "$PREFIX/bin/$NAME"
"""


PLAIN = PlanOptions()


def install(services: InstallerDependencies, *roots: Any, options: Any = PLAIN) -> Any:
    plan = make_plan(roots, services.store.database.installed_hashes(), options)
    return execute(plan, services, Schedule(concurrent=2))


def check_consistent(store: Store) -> None:
    """Return the database and the disk agree, and nothing is left over.

    A child that was forked and has not come to its exec holds its parent's locks for a moment.
    """
    deadline = time.monotonic() + 5
    store.writer()
    while markers(store.layout) and time.monotonic() < deadline:
        time.sleep(0.01)
        store.close()
        store.writer()
    records = store.database.records()
    for verified in verify_records(records):
        assert verified.good, (verified.record.short, verified.differences, verified.problem)
    known = {record.prefix for record in records}
    on_disk = {str(path) for path in store.root.glob("*/*") if path.parent.name != ".spack-db"}
    assert on_disk == known
    assert markers(store.layout) == []
    assert not store.layout.pending.exists() or os.listdir(store.layout.pending) == []
    assert not store.layout.backup.exists() or os.listdir(store.layout.backup) == []


def in_child(work: Any) -> int:
    """Run *work* in a forked process; its id."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            work()
            status = 0
        finally:
            os._exit(status)
    return child


@pytest.fixture
def dag(spec: MakeSpec) -> Any:
    a = spec("a")
    b = spec("b", a)
    return [spec("d", b, spec("c", a))]


def test_killed_at_any_moment(
    dag: Any, services: MakeServices, store: Store, tmp_path: Path
) -> None:
    """Fifty installs, replacements and removals, each killed at a random point of time."""
    chance = random.Random(20)
    scripts = dict.fromkeys("abcd", SCRIPT)
    everything = {node.dag_hash() for node in dag[0].traverse()}
    root = store.root
    again = PlanOptions(overwrite=frozenset(everything))

    def take_away(at: Any) -> None:
        hashes = at.database.installed_hashes()
        removal = plan_removal(at.database.records(), at.database.links(), hashes)
        remove(at, removal, SilentReporter())

    def work(kind: Any) -> None:
        own = Store(Layout(root))
        if kind == "remove":
            take_away(own)
        else:
            options = again if kind == "overwrite" else PlanOptions()
            install(services(at=own, **scripts), *dag, options=options)

    begin = time.monotonic()
    install(services(**scripts), *dag).raise_failures()
    span = {"install": time.monotonic() - begin}
    span["overwrite"] = span["install"] * 1.2
    begin = time.monotonic()
    take_away(store)
    span["remove"] = time.monotonic() - begin
    killed = dict.fromkeys(span, 0)
    for number in range(200):
        if sum(killed.values()) >= 50:
            break
        kind = ("install", "overwrite", "install", "remove")[number % 4]
        if kind == "install":
            take_away(store)
        else:
            install(services(**scripts), *dag).raise_failures()
        store.close()
        child = in_child(lambda kind=kind: work(kind))
        time.sleep(chance.uniform(0.0, 0.8 * span[kind]))
        os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        killed[kind] += os.WIFSIGNALED(status)
        check_consistent(store)
        if kind == "overwrite":
            assert store.database.installed_hashes() == everything, "the old ones are back"
    assert sum(killed.values()) >= 50 and min(killed.values()) >= 3, killed


def test_a_build_that_outlives_its_installer_is_ended(
    spec: MakeSpec, services: MakeServices, store: Store, tmp_path: Path
) -> None:
    node = spec("a")
    script = 'while :; do mkdir -p "$PREFIX/x"; date > "$PREFIX/x/f"; done & sleep 60'
    root = store.root

    def work() -> None:
        own = Store(Layout(root))
        install(services(at=own, a=script), node)

    child = in_child(work)
    prefix = store.layout.prefix(node)
    while not (prefix / "x" / "f").exists() or not markers(store.layout)[0].build:
        time.sleep(0.01)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    assert prefix.exists()
    check_consistent(store)
    assert [str(r).partition(" that ")[0] for r in store.recovered] == [
        f"the installation of {node.short}"
    ]
    time.sleep(0.1)
    assert not prefix.exists()


def test_transactions_of_the_living_are_left_alone(
    spec: MakeSpec, services: MakeServices, store: Store
) -> None:
    node = spec("a")
    store.writer()
    with store.locks.exclusive(node.dag_hash()), PrefixTransaction(store, node) as transaction:
        other = Store(Layout(store.root))
        other.writer()
        assert other.recovered == () and transaction.prefix.exists()
        other.close()
    assert not transaction.prefix.exists()


def test_damaged_and_unfinished_markers(spec: MakeSpec, store: Store) -> None:
    node = spec("a")
    store.layout.pending.mkdir(parents=True)
    (store.layout.pending / f"{node.dag_hash()}.json").write_text("{")
    (store.layout.pending / f".{node.dag_hash()}.json.77-0.tmp").write_text("{")
    check_consistent(store)


def test_a_marker_never_leads_out_of_the_tree(spec: MakeSpec, store: Store, tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.mkdir()
    node = spec("a")
    owner = LockOwner(1, "elsewhere", "")
    Marker.new(INSTALL, node.dag_hash(), node.short, precious, owner, 0.0).write(store.layout)
    store.writer()
    assert precious.exists() and not list(store.layout.pending.iterdir())


@pytest.mark.parametrize("step", ["describe", "commit"])
def test_a_full_disk_while_recording(
    spec: MakeSpec,
    services: MakeServices,
    store: Store,
    contents: Callable[[Path], list[str]],
    monkeypatch: pytest.MonkeyPatch,
    step: Any,
) -> None:
    """The disk is full in effect: the file that would be written cannot be."""
    node = spec("a")
    store.writer()
    (store.root / ".spack-db" / "logs").mkdir(parents=True, exist_ok=True)
    with (
        pytest.raises(StoreError) as caught,
        store.locks.exclusive(node.dag_hash()),
        PrefixTransaction(store, node) as transaction,
    ):
        (transaction.prefix / "f").write_text("x")
        if step == "describe":
            Metadata(transaction.prefix).folder.rmdir()
            Metadata(transaction.prefix).folder.write_text("in the way")
        else:
            # SQLite meets the limit as it would meet the end of the disk.
            store.writer()._connect().execute("PRAGMA max_page_count = 1")
        transaction.commit(check_prefix(transaction.prefix), run_environment="x" * 200_000)
    assert caught.value.hint
    if step == "commit":
        assert caught.value.ref == "store-full"
    store.close()
    assert contents(store.root) == []
    check_consistent(store)


def small_file_system(path: Path, size: str) -> bool:
    path.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(path)]
    return subprocess.run(command, capture_output=True).returncode == 0


def test_a_full_disk(
    spec: MakeSpec,
    services: MakeServices,
    tmp_path: Path,
    contents: Callable[[Path], list[str]],
) -> None:
    """A file system of 1 MiB, on which a build writes 2 MiB."""
    mount = tmp_path / "small"
    if not small_file_system(mount, "1m"):
        pytest.skip("mounting a tmpfs needs privileges (root with CAP_SYS_ADMIN)")
    try:
        store = Store(Layout(mount / "store"))
        node, good = spec("big"), spec("good")
        script = 'head -c 2000000 /dev/zero > "$PREFIX/big"'
        report = install(services(at=store, big=script), node)
        assert [f.step.spec.name for f in report.failures] == ["big"]
        install(services(at=store, good='head -c 100000 /dev/zero > "$PREFIX/f"'), good)
        check_consistent(store)
        # Full to the last byte: not even a marker can be written.
        filler = os.open(mount / "filler", os.O_WRONLY | os.O_CREAT)
        with pytest.raises(OSError, match="No space"):
            while True:
                os.write(filler, b"x" * 4096)
        os.close(filler)
        other = spec("other")
        report = install(services(at=store), other)
        error = report.failures[0].error
        assert isinstance(error, SpackError) and error.hint, error
        assert not any("other" in path for path in contents(store.root))
        removal = plan_removal(store.database.records(), [], [good.dag_hash()])
        assert len(remove(store, removal, SilentReporter())) == 1, "that makes room"
        check_consistent(store)
        (mount / "filler").unlink()
        install(services(at=store), other).raise_failures()
        check_consistent(store)
        store.close()
    finally:
        subprocess.run(["umount", "-l", str(mount)], check=True)


def test_an_unwritable_tree(spec: MakeSpec, services: MakeServices, tmp_path: Path) -> None:
    """A file where the install tree would be: nothing, not even root, can write into it."""
    (tmp_path / "file").write_text("")
    store = Store(Layout(tmp_path / "file" / "store"))
    with pytest.raises(StoreError) as caught:
        install(services(at=store), spec("a"))
    assert str(tmp_path / "file") in caught.value.message and "install_tree" in caught.value.hint


def test_a_read_only_tree(spec: MakeSpec, services: MakeServices, tmp_path: Path) -> None:
    mount = tmp_path / "ro"
    if not small_file_system(mount, "1m"):
        pytest.skip("mounting a tmpfs needs privileges (root with CAP_SYS_ADMIN)")
    try:
        store = Store(Layout(mount / "store"))
        low = spec("low")
        install(services(at=store), low).raise_failures()
        store.close()
        subprocess.run(["mount", "-o", "remount,ro", str(mount)], check=True)
        assert [r.name for r in store.database.records()] == ["low"]
        store.close()
        with pytest.raises(StoreError) as caught:
            install(services(at=store), spec("top", low))
        assert caught.value.ref == "store-unwritable" and "install_tree" in caught.value.hint
        with pytest.raises(StoreError):
            remove(
                store,
                plan_removal(store.database.records(), [], [low.dag_hash()]),
                SilentReporter(),
            )
        store.close()
    finally:
        subprocess.run(["umount", "-l", str(mount)], check=True)


def test_kill_then_reindex_without_the_database(
    dag: Any, services: MakeServices, store: Store
) -> None:
    """Marker on disk, database lost: what is complete is kept, what is not goes."""
    install(services(), *dag).raise_failures()
    complete, half = list(dag[0].traverse())[:2]
    store.close()
    owner = LockOwner(1, os.uname().nodename, "never")
    for node in (complete, half):
        prefix = store.layout.prefix(node)
        marker = Marker.new(INSTALL, node.dag_hash(), node.short, prefix, owner, 0.0)
        if node is complete:
            path = Metadata(prefix).record
            text = path.read_text()
            transaction = json.loads(text)["transaction"]
            marker = Marker(**{**vars(marker), "transaction": transaction})
        marker.write(store.layout)
    store.layout.database.write_bytes(b"not a database" * 100)
    with pytest.raises(StoreError, match="damaged"):
        store.writer()
    result = reindex(store)
    assert result.damaged is not None and result.problems == ()
    assert half.dag_hash() not in {r.hash for r in result.records}
    assert complete.dag_hash() in {r.hash for r in result.records}
    check_consistent(store)


def test_several_installers_of_which_one_is_killed(
    spec: MakeSpec, services: MakeServices, store: Store, tmp_path: Path
) -> None:
    """Four processes on overlapping plans.

    One dies, the other ones complete, and no node is ever built by two at the same time.
    """
    parts = [spec(f"p{n}", spec("base")) for n in range(4)]
    tops = [spec(f"top{n}", *parts[n:], parts[0]) for n in range(4)]
    script = """
mkdir "$STAGE/../../building-$NAME" || { echo "$NAME" >> "$STAGE/../../twice"; exit 1; }
sleep 0.05; echo x > "$PREFIX/x"
rmdir "$STAGE/../../building-$NAME"
"""
    names = ["base", *(f"p{n}" for n in range(4)), *(f"top{n}" for n in range(4))]
    scripts = dict.fromkeys(names, script)
    # The one that is killed leaves its trace behind, so it builds without one.
    quiet = dict.fromkeys(names, 'sleep 0.05; echo x > "$PREFIX/x"')
    root = store.root

    def work(number: Any) -> None:
        own = Store(Layout(root))
        used = quiet if number == 0 else scripts
        install(services(at=own, **used), tops[number]).raise_failures()
        own.close()

    children = [in_child(lambda number=number: work(number)) for number in range(4)]
    time.sleep(0.15)
    os.kill(children[0], signal.SIGKILL)
    statuses = [os.waitpid(child, 0)[1] for child in children]
    assert os.WIFSIGNALED(statuses[0]) and statuses[1:] == [0, 0, 0]
    assert not (tmp_path / "twice").exists()
    check_consistent(store)
    assert {r.name for r in store.database.records()} >= {"base", "top1", "top2", "top3"}
