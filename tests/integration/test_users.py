"""Two real users at work in one install tree at the same time, behind two upstreams, with kills.

``SPACK_TEST_OPERATIONS`` is the number of commands of both, ``SPACK_TEST_SEED`` repeats one run as
far as the two users' clocks allow. Needs root, which becomes the users.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import stat
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from kits.command import Command, TakeSnapshot
from kits.recipe_repository import RecipeRepository

OPERATIONS = int(os.environ.get("SPACK_TEST_OPERATIONS", "60"))
SEED = int(os.environ.get("SPACK_TEST_SEED", "0")) or random.SystemRandom().randrange(1, 10**6)

USERS, GROUP = (54321, 54322), 54320
UMASKS = {0: "022", 54321: "002", 54322: "077"}

#: What both do; ``{}`` is one of the packages.
COMMANDS = (
    ("install", "{}"),
    ("install", "{}"),
    ("install", "--overwrite", "{}"),
    ("uninstall", "-y", "{}"),
    ("uninstall", "-y", "--force", "{}"),
    ("find",),
    ("find", "-lvd"),
    ("location", "-i", "{}"),
    ("load", "--sh", "{}"),
    ("-e", "stack", "install"),
    ("gc", "-y"),
    ("reindex",),
    ("verify", "manifest", "-a"),
)
PACKAGES = ("base", "middle", "first", "second", "third")

#: Ends of commands that another user's command can bring about.
EXPECTED = (
    "no installed package matches",
    "is wanted by the environment",
    "needed by",
    "is not installed",
    "it is in the upstream",
    "not found",
    "differences",
    "cannot be made: not installed",
)

#: One command of this many is killed.
KILLED = 4


class Users:
    """The area of the test: a clone, the trees, and a home for each user."""

    def __init__(self, area: Path, spack: Command, recipes: RecipeRepository) -> None:
        self.area = area
        self.store = area / "store"
        self.upstreams = [area / "far", area / "near"]
        self.problems: list[str] = []
        shutil.copytree(recipes.root, area / "tiny", ignore=shutil.ignore_patterns("archives"))
        spack("spec", "base")  # the clone has its own dependencies then
        shutil.copytree(spack.root, area / "clone", symlinks=True)
        self.spack = replace(spack, root=area / "clone")
        self.store.mkdir()
        os.chown(self.store, 0, GROUP)
        self.store.chmod(0o2775)
        for number in (0, *USERS):
            self.make_home(number)

    def make_home(self, number: int) -> None:
        home = self.area / f"home{number}"
        (home / "stack").mkdir(parents=True)
        (home / ".spack").mkdir()
        (home / "stack/spack.yaml").write_text("spack:\n  specs: [first]\n  view: view\n")
        (home / ".spack/repos.yaml").write_text(f"repos: [{self.area / 'tiny'}]\n")
        (home / ".spack/packages.yaml").write_text(
            "packages:\n  all:\n    permissions: {read: world, write: group}\n"
        )
        if number:
            near, far = self.area / "near", self.area / "far"
            (home / ".spack/upstreams.yaml").write_text(
                f"upstreams:\n  near: {{install_tree: {near}}}\n  far: {{install_tree: {far}}}\n"
            )
        for path in (home, *home.rglob("*")):
            os.chown(path, number, GROUP if number else 0)

    def start(self, number: int, *words: str, tree: Path | None = None) -> subprocess.Popen[str]:
        """Start a command as one of the users, in a process group of its own."""
        home = self.area / f"home{number}"
        become = ["setpriv", f"--reuid={number}", f"--regid={GROUP}", "--clear-groups"]
        option = f"config:install_tree:root:{tree or self.store}"
        umask = UMASKS[number]
        spack = self.spack.argv(["-c", option, *words])
        return subprocess.Popen(
            [*become, "sh", "-c", f'umask {umask}; exec "$@"', "sh", *spack],
            env=self.spack.variables({"HOME": str(home), "TMPDIR": "/tmp"}),
            cwd=home,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def run(self, number: int, *words: str, tree: Path | None = None) -> str:
        """Run a command to its end; it succeeds."""
        process = self.start(number, *words, tree=tree)
        text, _ = process.communicate(timeout=300)
        print(f"{number}$ spack {' '.join(words)}\n{text}[status {process.returncode}]")
        assert process.returncode == 0, text
        return text

    def work(self, number: int, count: int) -> None:
        """Run *count* random commands as one user; some are killed."""
        chance = random.Random(SEED + number)
        for _ in range(count):
            package = chance.choice(PACKAGES)
            words = [word.format(package) for word in chance.choice(COMMANDS)]
            process = self.start(number, *words)
            if chance.randrange(KILLED) == 0:
                try:
                    process.wait(chance.uniform(0.05, 1.5))
                except subprocess.TimeoutExpired:
                    os.killpg(process.pid, signal.SIGKILL)
            text, _ = process.communicate(timeout=300)
            self.judge(number, words, process.returncode, text)

    def judge(self, number: int, words: list[str], status: int, text: str) -> None:
        print(f"{number}$ spack {' '.join(words)}\n{text}[status {status}]")
        fine = status in (0, -signal.SIGKILL) or any(part in text for part in EXPECTED)
        if not fine or "Traceback" in text or "ermission denied" in text:
            self.problems.append(f"{number}$ spack {' '.join(words)}: {status}\n{text}")


@pytest.fixture
def users(spack: Command, recipes: RecipeRepository) -> Iterator[Users]:
    recipes.plain("base")
    recipes.plain("middle", "base")
    recipes.plain("first", "middle")
    recipes.plain("second", "first")
    recipes.plain("third")
    area = Path(tempfile.mkdtemp(prefix="users-"))
    try:
        area.chmod(0o755)
        yield Users(area, spack, recipes)
    finally:
        subprocess.run(["chmod", "-R", "u+w", area], check=False)
        shutil.rmtree(area)


@pytest.mark.slow
@pytest.mark.skipif(os.getuid() != 0, reason="only root can be two other users")
def test_two_users_behind_a_chain_of_upstreams(users: Users, tree_of: TakeSnapshot) -> None:
    users.run(0, "install", "base", tree=users.area / "far")
    (users.area / "home0/.spack/upstreams.yaml").write_text(
        f"upstreams:\n  far: {{install_tree: {users.area / 'far'}}}\n"
    )
    users.run(0, "install", "middle", tree=users.area / "near")
    before = [tree_of(tree) for tree in users.upstreams]
    print(f"SPACK_TEST_SEED={SEED}")

    threads = [threading.Thread(target=users.work, args=(x, OPERATIONS // 2)) for x in USERS]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not users.problems, f"SPACK_TEST_SEED={SEED}\n" + "\n".join(users.problems)

    for number in USERS:
        users.run(number, "install", "second", "third")
        users.run(number, "reindex")
        assert "0 with differences" in users.run(number, "verify", "manifest", "-a")
        users.run(number, "-e", "stack", "install")
        program = users.area / f"home{number}/stack/view/bin/first"
        assert subprocess.check_output([program], text=True) == "first 1.0\n"
    # The second user's environment is closed to the first, and keeps what it needs all the same.
    users.run(USERS[0], "gc", "-y", "-E")
    subprocess.run([users.area / f"home{USERS[1]}/stack/view/bin/first"], check=True)
    for number in USERS:
        users.run(number, "install", "--overwrite", "third")
    assert [tree_of(tree) for tree in users.upstreams] == before
    assert not list((users.store / ".spack-db/pending").iterdir())
    directories = [x for x in users.store.rglob("*") if x.is_dir() and not x.is_symlink()]
    private = [x for x in directories if not _is_shared(x) and ".spack-db" not in x.parts]
    assert not private
    used = users.run(USERS[0], "find", "-I", "base", "middle")
    assert "[^]" in used or "[+]" in used

    database = users.area / "far/.spack-db"
    database.chmod(0o700)
    text, _ = users.start(USERS[0], "find").communicate(timeout=300)
    said = " ".join(text.split())
    assert f"the upstream {users.area}/far cannot be read: {database}" in said
    assert "chmod a+rX" in said


def _is_shared(path: Path) -> bool:
    """Return whether the group may write a directory."""
    info = path.stat()
    return info.st_gid == GROUP and bool(info.st_mode & stat.S_IWGRP)
