"""Kills at random moments, many installers at once, and a damaged database: real commands.

``SPACK_TEST_KILLS`` is the number of kills of the sweep, ``SPACK_TEST_SEED`` repeats one.
"""

from __future__ import annotations

import os
import random
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from kits.command import Command, Snapshot, TakeSnapshot, WaitUntil
from kits.recipe_repository import RecipeRepository

KILLS = int(os.environ.get("SPACK_TEST_KILLS", "30"))
SEED = int(os.environ.get("SPACK_TEST_SEED", "0")) or random.SystemRandom().randrange(1, 10**6)

#: What is killed, again and again; most of it installs into an empty tree.
OPERATIONS = (
    "install",
    "overwrite",
    "install",
    "uninstall",
    "install",
    "gc",
    "install",
    "reindex",
    "install",
    "view",
)

#: What is killed: the command, its whole group, or the process of a build.
VICTIMS = ("command", "group", "worker")

EVERYTHING = ("base", "prog", "py-sweet", "top")

C = "int main(void) { return 0; }\n"


def workers_of(process: subprocess.Popen[str]) -> list[int]:
    """Return the processes of builds that *process* has started, or its fork server has."""
    parents: dict[int, int] = {}
    words: dict[int, bytes] = {}
    for entry in Path("/proc").iterdir():
        try:
            fields = (entry / "stat").read_text().rpartition(")")[2].split()
            words[int(entry.name)] = (entry / "cmdline").read_bytes()
        except (OSError, ValueError):
            continue
        parents[int(entry.name)] = int(fields[1])
    own = [pid for pid, parent in parents.items() if parent == process.pid]
    servers = [pid for pid in own if b"spack.build.forkserver" in words[pid]]
    started = [pid for pid in own if b"spack.build.worker" in words[pid]]
    return started + [pid for pid, parent in parents.items() if parent in servers]


class Sweep:
    """A store with four packages and a view of them, and what they look like undisturbed."""

    def __init__(
        self, spack: Any, recipes: Any, tree_of: Callable[..., Any], processes_of: Any
    ) -> None:
        self.spack, self.tree_of, self.processes_of = spack, tree_of, processes_of
        recipes.plain("base")
        recipes.c_program("prog", C, "base")
        recipes.python_project("sweet", {"sweet.py": "x = 1\n", "deep.py": "y = 2\n"})
        recipes.plain("top", "base", "prog", "py-sweet")
        self.environment = spack.home.path / "environment"
        self.environment.mkdir()
        (self.environment / "spack.yaml").write_text("spack:\n  specs: [top]\n  view: view\n")
        self.env = ("-e", self.environment)
        self.commands: dict[str, tuple[object, ...]] = {
            "install": (*self.env, "install"),
            "overwrite": ("install", "--overwrite", *EVERYTHING),
            "uninstall": ("uninstall", "-y", "--force", "--dependents", "base"),
            "gc": ("gc", "-y"),
            "reindex": ("reindex",),
            "view": (*self.env, "env", "view", "regenerate"),
        }
        spack(*self.env, "concretize")
        self.spans = {"install": self.timed("install")}
        self.packages, self.view = self.trees()
        self.check_clean()
        for name in OPERATIONS[1:]:
            if name not in self.spans:
                self.prepare(name)
                self.spans[name] = self.timed(name)
                self.complete()

    def timed(self, name: str) -> float:
        return float(self.spack(*self.commands[name]).seconds)

    def trees(self) -> tuple[Any, Any]:
        """Return the packages, with the names of their metadata, and the view."""
        packages = self.tree_of(self.spack.home.store, ".spack-db")
        for path, row in packages.items():
            if "/.spack/" in path and row[0] == "file":
                packages[path] = row[:2]
        return packages, self.tree_of(self.environment / "view", ".spack-view")

    def prepare(self, name: str) -> None:
        """Return the state in which the operation has something to do."""
        location = self.spack.home
        if name == "install":
            for folder in (location.store, self.environment / "view"):
                subprocess.run(["rm", "-rf", folder], check=True)
        elif name == "gc":
            lock = self.environment / "spack.lock"
            lock.rename(self.environment / "lock")
            (self.environment / "spack.yaml").rename(self.environment / "yaml")
            self.spack("uninstall", "-y", "top")
        elif name == "view":
            self.spack(*self.env, "install")
            for path in (self.environment / "view" / "bin").iterdir():
                path.unlink()

    def complete(self) -> None:
        """Bring everything back, as a user would, and compare it with the undisturbed."""
        for name in ("lock", "yaml"):
            if (self.environment / name).exists():
                (self.environment / name).rename(self.environment / f"spack.{name}")
        self.spack(*self.env, "install")
        packages, view = self.trees()
        assert packages == self.packages
        assert view == self.view
        self.check_agreement(complete=True)
        self.check_clean()

    def check_agreement(self, complete: bool = False) -> None:
        """Return what is found is on the disk as it was installed; at the end, nothing else is."""
        found = set(self.spack("find", "--format", "{prefix}").lines)
        found = {path for path in found if path.startswith(str(self.spack.home.store))}
        assert all(os.path.isdir(path) for path in found), found
        checked = self.spack("verify")
        assert checked.lines[-1].endswith(", 0 with differences")
        on_disk = {
            str(path.parent)
            for path in self.spack.home.store.glob("*/*/.spack")
            if path.parent.parent.name != ".spack-db"
        }
        assert found <= on_disk
        assert not complete or found == on_disk

    def check_clean(self) -> None:
        """No stages, markers, prefixes in a backup, half-written files, processes."""
        location = self.spack.home
        left = [
            *location.stages.glob("*/*"),
            *location.path.rglob("*.tmp"),
            *location.path.rglob(".new-*"),
        ]
        for name in ("pending", "aside"):
            left += (location.store / ".spack-db" / name).glob("*")
        left += self.environment.glob(".view*")
        assert left == []
        assert self.processes_of(location.path) == []

    def kill(self, name: str, victim: str, chance: random.Random) -> bool:
        """Kill the operation at a random moment; whether it still ran then."""
        self.prepare(name)
        self.spack("find")  # warm, and the same for all
        with self.spack.start(*self.commands[name]) as process:
            time.sleep(chance.uniform(0.02, self.spans[name] * 0.7))
            if process.poll() is not None:
                return False
            workers = workers_of(process) if victim == "worker" else []
            if workers:
                os.kill(chance.choice(workers), signal.SIGKILL)
                output, _ = process.communicate(timeout=120)
                assert process.returncode == 0 or "SIGKILL" in output, output
                assert "Traceback" not in output
            elif victim == "group":
                os.killpg(process.pid, signal.SIGKILL)
            else:
                process.kill()
            process.wait()
        return True


@pytest.mark.slow
def test_killed_at_random_moments(
    spack: Command,
    recipes: RecipeRepository,
    tree_of: TakeSnapshot,
    processes_of: Callable[[Path], list[str]],
    capsys: pytest.CaptureFixture[str],
) -> None:
    """After each kill ``find`` and ``verify`` agree with the disk, the same command completes.

    The trees equal those of an install that nothing killed.
    """
    sweep = Sweep(spack, recipes, tree_of, processes_of)
    chance = random.Random(SEED)
    killed = dict.fromkeys(OPERATIONS, 0)
    late = 0
    for number in range(2 * KILLS):
        if sum(killed.values()) == KILLS:
            break
        name = OPERATIONS[number % len(OPERATIONS)]
        victim = VICTIMS[number // 2 % len(VICTIMS)]
        print(f"seed {SEED}, number {number}: {name}, {victim}")
        if sweep.kill(name, victim, chance):
            killed[name] += 1
        else:
            late += 1
        sweep.check_agreement()
        sweep.spack(*sweep.commands[name], check=name not in ("uninstall", "gc"))
        sweep.complete()
    with capsys.disabled():
        print(f"\nseed {SEED}: {sum(killed.values())} kills {killed}, {late} came too late")
    assert sum(killed.values()) == KILLS


# -- several at once ---------------------------------------------------------------------------

#: Says of a build that begins while the same node is built already, or was.
ONCE = """\
import os, time
os.makedirs("{marks}", exist_ok=True)
os.mkdir("{marks}/" + spec.name + "-" + str(os.getpid()))
time.sleep(0.1)
"""


@pytest.mark.parametrize("count", [2, 4, 8])
def test_installers_at_once(
    spack: Command, recipes: RecipeRepository, count: int, reports: Path
) -> None:
    """Overlapping environments in one store: all succeed, and each node is built once."""
    marks = reports / "marks"
    once = ONCE.format(marks=marks)
    recipes.plain("base", install=once)
    for number in range(count):
        recipes.plain(f"part{number}", "base", install=once)
    names = {"base", *(f"part{number}" for number in range(count))}
    locations = []
    for number in range(count):
        location = spack.home.path / f"environment{number}"
        location.mkdir()
        chosen = sorted({f"part{number}", f"part{(number + 1) % count}", "base"})
        (location / "spack.yaml").write_text(
            f"spack:\n  specs: [{', '.join(chosen)}]\n  view: view\n"
        )
        locations.append(location)
    with ExitStack() as stack:
        started = [
            stack.enter_context(spack.start("-e", location, "install")) for location in locations
        ]
        texts = [process.communicate(timeout=300)[0] for process in started]
    assert [process.returncode for process in started] == [0] * count, texts
    assert {path.name.rpartition("-")[0] for path in marks.iterdir()} == names
    assert len(list(marks.iterdir())) == len(names), "nothing is built twice"
    assert sorted(spack.names()) == sorted(names)
    assert spack("verify").lines[-1].endswith(", 0 with differences")
    for number, location in enumerate(locations):
        assert (location / "view" / "bin" / f"part{number}").exists()


@pytest.fixture
def held(
    spack: Command, recipes: RecipeRepository, reports: Path, until: WaitUntil
) -> Iterator[subprocess.Popen[str]]:
    """Return an installer of ``slow`` that has been stopped while it builds.

    Gives it and its hash.
    """
    reached = reports / "reached"
    recipes.plain("slow", install=f"import time\ntouch('{reached}')\ntime.sleep(1)\n")
    recipes.plain("other", "slow")
    with spack.start("install", "slow") as process:
        until(reached.exists, "slow is being built")
        os.killpg(process.pid, signal.SIGSTOP)
        yield process
        os.killpg(process.pid, signal.SIGCONT)


def test_a_stopped_installer(spack: Command, held: subprocess.Popen[str], until: WaitUntil) -> None:
    """Other processes are reported for which they wait, give up when the configuration says so.

    Go on when the lock is free: the stopped one is killed, and its lock goes with it.
    """
    waits = f"waiting for process {held.pid} on "
    result = spack.fails("-c", "config:package_lock_timeout:1", "install", "other")
    assert waits in result.text
    assert re.search(
        rf"slow@1\.0/\w+ has been locked by process {held.pid} on .* for 1 s", result.err
    )
    assert "config:package_lock_timeout" in result.err
    assert spack.names() == [], "readers need no lock"
    with spack.start("install", "other") as patient:
        time.sleep(1)
        assert patient.poll() is None
        held.kill()
        text, _ = patient.communicate(timeout=120)
    assert patient.returncode == 0, text
    assert waits in text
    assert sorted(spack.names()) == ["other", "slow"]


def test_the_database_is_locked(spack: Command, recipes: RecipeRepository) -> None:
    """Another process's transaction that does not end."""
    import sqlite3

    recipes.plain("one")
    recipes.plain("two")
    spack("install", "one")
    connection = sqlite3.connect(
        spack.home.store / ".spack-db" / "index.sqlite", isolation_level=None
    )
    try:
        connection.execute("BEGIN IMMEDIATE")
        result = spack.fails("-c", "config:db_lock_timeout:1", "install", "two")
        assert "has kept the database locked for 1 s" in result.err
        assert "config:db_lock_timeout" in result.err
        assert result.seconds < 30
        assert spack.names() == ["one"]
    finally:
        connection.close()
    spack("install", "two")
    assert spack("verify").lines[-1].endswith(", 0 with differences")


# -- the database ------------------------------------------------------------------------------


def _empty(path: Path) -> None:
    path.write_bytes(b"")


def _schema(path: Path) -> None:
    import sqlite3

    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version = 0")
    connection.close()


def _lost_table(path: Path) -> None:
    import sqlite3

    with sqlite3.connect(path) as connection:
        connection.execute("DROP TABLE nodes")
    connection.close()


DAMAGE: dict[str, Callable[[Path], object]] = {
    "truncated": lambda path: os.truncate(path, path.stat().st_size // 2),
    "garbage": lambda path: path.write_bytes(b"not a database " * 500),
    "zero bytes": _empty,
    "zeros": lambda path: path.write_bytes(bytes(path.stat().st_size)),
    "another schema": _schema,
    "a table is gone": _lost_table,
    "removed": lambda path: path.unlink(),
}


def test_damaged_databases(
    spack: Command, recipes: RecipeRepository, packages_of: Callable[[Path], Snapshot]
) -> None:
    """Each command says what to do, and that has everything back from the prefixes alone."""
    recipes.plain("base")
    recipes.plain("top", "base")
    spack("install", "top")
    database = spack.home.store / ".spack-db" / "index.sqlite"
    before = spack("find", "--format", "{name} {hash} {prefix}").out
    explicit = spack("find", "--explicit", "--format", "{name}").out
    tree = packages_of(spack.home.store)
    for name, damage in DAMAGE.items():
        for extra in database.parent.glob("index.sqlite-*"):
            extra.unlink()
        damage(database)
        for words in (("find",), ("install", "top")):
            result = spack(*words, check=False)
            # Without the file, the store may be one that other ones have begun to fill.
            assert result.code == 1 or (name, words) == ("removed", ("find",)), result.text
            assert "spack reindex" in result.err, name
        spack("reindex")
        assert spack("find", "--format", "{name} {hash} {prefix}").out == before, name
        assert spack("find", "--explicit", "--format", "{name}").out == explicit, name
        assert spack("verify").lines[-1] == "==> 2 packages checked, 0 with differences"
        assert packages_of(spack.home.store) == tree


# -- a store that cannot be written --------------------------------------------------------------


def test_a_read_only_store(
    spack: Command, recipes: RecipeRepository, tree_of: TakeSnapshot, tmp_path: Path
) -> None:
    """Mounted read-only, so that not even root writes: what reads works, what writes says so."""
    words = ("unshare", "-m") if os.getuid() == 0 else ("unshare", "-rm")
    recipes.plain("base")
    recipes.plain("top", "base")
    recipes.plain("new", "base")
    recipes.python_project("sweet", {"sweet.py": "x = 1\n"})
    environment = tmp_path / "environment"
    environment.mkdir()
    (environment / "spack.yaml").write_text("spack:\n  specs: [top, py-sweet]\n  view: view\n")
    spack("-e", environment, "install")
    shutil.rmtree(environment / "view")
    (environment / "view").unlink(missing_ok=True)
    store = spack.home.store
    mount = f'mount --bind {store} {store} && mount -o remount,ro,bind {store} && exec "$@"'
    under = (*words, "sh", "-c", mount, "sh")
    before = tree_of(store, ".spack-db")
    assert sorted(spack("find", "--format", "{name}", under=under).lines) == sorted(spack.names())
    assert "base@1.0" in spack("spec", "-I", "top", under=under).out
    assert "PATH" in spack("load", "--sh", "top", under=under).out
    spack("-e", environment, "env", "view", "regenerate", under=under)
    assert (environment / "view" / "bin" / "top").exists()
    assert "VIRTUAL_ENV" in spack("env", "activate", "--sh", environment, under=under).out
    spack("-e", environment, "install", under=under)
    spack("verify", under=under)
    for command in (("install", "new"), ("uninstall", "-y", "--force", "top"), ("reindex",)):
        result = spack.fails(*command, under=under)
        assert str(store) in result.err
        assert "Read-only file system" in result.err or "Permission denied" in result.err
        assert result.err.count("==> Error") == 1
    assert tree_of(store, ".spack-db") == before
