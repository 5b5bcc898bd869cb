"""Views that are in use, or whose command is killed, while the real command changes them.

``SPACK_TEST_ROUNDS`` (100) says how often a view in use is changed, and ``SPACK_TEST_KILLS`` (12)
how often a command is killed; a sweep over many moments is ``SPACK_TEST_KILLS=300``.
"""

from __future__ import annotations

import os
import random
import subprocess
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Callable

import pytest

from kits.command import TakeSnapshot
from kits.recipe_repository import RecipeRepository

if TYPE_CHECKING:
    from kits.command import Command

pytestmark = pytest.mark.slow

ROUNDS = int(os.environ.get("SPACK_TEST_ROUNDS", "100"))
KILLS = int(os.environ.get("SPACK_TEST_KILLS", "12"))

LINK_TYPES = ("symlink", "hardlink", "copy")

CLEAN = {"PATH": "/usr/bin:/bin", "HOME": "/nonexistent", "LC_ALL": "C.UTF-8"}

Tree = Callable[..., "dict[str, tuple[str, ...]]"]


class Work:
    """An environment whose view is changed: its link type, or whether ``extra`` is in it."""

    def __init__(self, spack: Command, location: Path, tree_of: Tree) -> None:
        self.spack = spack
        self.location = location
        self.view = location / "view"
        self.tree_of = tree_of

    def write(self, link_type: str, extra: bool) -> None:
        specs = "py-tool, big" + (", extra" if extra else "")
        (self.location / "spack.yaml").write_text(
            f"spack:\n  specs: [{specs}]\n"
            f"  view: {{default: {{root: view, link_type: {link_type}}}}}\n"
        )

    def make(self, link_type: str, extra: bool) -> None:
        self.write(link_type, extra)
        self.spack("-e", self.location, "install")

    def tree(self) -> dict[str, tuple[str, ...]]:
        """Return the view's files without its records and Python's bytecode."""
        return self.tree_of(self.view, ".spack-view", "__pycache__")

    def beside(self) -> list[str]:
        """Return what is in the environment's directory that is hidden, but for the tool's own."""
        names = [name for name in os.listdir(self.location) if name.startswith(".")]
        return sorted(name for name in names if name != ".spack-env")


@pytest.fixture
def work(spack: Command, recipes: RecipeRepository, tmp_path: Path, tree_of: TakeSnapshot) -> Work:
    recipes.tool()
    for name, count in (("big", 600), ("extra", 200)):
        recipes.plain(
            name,
            install=f"for number in range({count}):\n"
            f"    folder = join_path(prefix.share, '{name}', str(number % 20))\n"
            "    mkdirp(folder)\n"
            "    with open(join_path(folder, str(number)), 'w') as stream:\n"
            "        stream.write(str(number))\n",
        )
    location = tmp_path / "env"
    location.mkdir()
    return Work(spack, location, tree_of)


class User(threading.Thread):
    """Runs a program of the view again and again; every run must say the same."""

    def __init__(self, command: list[str], expected: str) -> None:
        super().__init__()
        self.command = command
        self.expected = expected
        self.runs = 0
        self.failures: list[str] = []
        self.done = threading.Event()

    def run(self) -> None:
        while not self.done.is_set():
            ran = subprocess.run(self.command, env=CLEAN, cwd="/", capture_output=True, text=True)
            self.runs += 1
            time.sleep(0.05)
            if (ran.returncode, ran.stdout.strip(), ran.stderr) != (0, self.expected, ""):
                self.failures.append(f"{ran.returncode} {ran.stdout}{ran.stderr}")


def test_in_use_while_it_changes(work: Work) -> None:
    """Every change is a real one: another link type, in a backup.

    A package that comes or goes, in place; not one run of the interpreter or of a script fails
    meanwhile.
    """
    work.make("symlink", extra=True)
    view = work.view
    users = [
        User([f"{view}/bin/python", "-c", "import tool; print(tool.X)"], "42"),
        User([f"{view}/bin/tool"], f"42 {view}"),
        User(["/bin/sh", "-c", f". {view}/bin/activate && tool && deactivate"], f"42 {view}"),
    ]
    for user in users:
        user.start()
    changes = {"aside": 0, "in place": 0}
    extra = True
    try:
        for number in range(ROUNDS):
            if number % 10 == 9:
                extra = not extra
                work.spack("-e", work.location, "add" if extra else "remove", "extra")
                said = work.spack("-e", work.location, "install").text
                changes["in place"] += ("files added" in said) or (" removed" in said)
            else:
                work.write(LINK_TYPES[(number + 1) % 3], extra)
                said = work.spack("-e", work.location, "env", "view", "regenerate").text
                changes["aside"] += "shows" in said
            assert "up to date" not in said, said
    finally:
        for user in users:
            user.done.set()
            user.join()
    print(f"{changes}; runs: {[user.runs for user in users]}")
    assert sum(changes.values()) == ROUNDS and changes["in place"] == ROUNDS // 10
    assert [user.failures for user in users] == [[], [], []]
    assert all(user.runs > ROUNDS // 2 for user in users)
    assert work.beside() == []


def killed(work: Work, *words: object, after: float) -> bool:
    """Whether the command was still running *after* some seconds, when it was killed."""
    with work.spack.start(*words) as process:
        try:
            process.wait(timeout=after)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            return True
    return False


def duration(work: Work, *words: object) -> float:
    begin = time.monotonic()
    work.spack(*words)
    return time.monotonic() - begin


def test_killed_while_it_is_rebuilt(work: Work) -> None:
    """The old or the new view, complete; the next command leaves nothing of the killed one."""
    regenerate = ("-e", work.location, "env", "view", "regenerate")
    expected = []
    for link_type in ("copy", "symlink"):
        work.make(link_type, extra=True)
        expected.append(work.tree())
    work.write("copy", extra=True)
    length = duration(work, *regenerate)
    moments = random.Random(11)
    counts = {"old": 0, "new": 0, "killed": 0, "left something": 0}
    for number in range(KILLS):
        old, new = (0, 1) if number % 2 == 0 else (1, 0)
        work.write(("copy", "symlink")[new], extra=True)
        was_killed = killed(work, *regenerate, after=length * moments.uniform(0.2, 1.0))
        counts["killed"] += was_killed
        # Other things run on the machine: what was over too soon is killed sooner next time.
        length *= 1.05 if was_killed else 0.8
        found = work.tree()
        assert found in expected, f"kill {number}: neither the old nor the new view"
        counts["old" if found == expected[old] else "new"] += 1
        counts["left something"] += bool(work.beside())
        ran = subprocess.run([work.view / "bin/tool"], env=CLEAN, capture_output=True, text=True)
        assert ran.stdout == f"42 {work.view}\n", ran.stderr
        work.spack(*regenerate)
        assert work.tree() == expected[new]
        assert work.beside() == [], f"kill {number}"
    print(counts)
    assert counts["old"] and counts["killed"] > KILLS // 3
    assert KILLS < 24 or counts["left something"]


def test_killed_while_a_package_comes_or_goes(work: Work) -> None:
    """In location: what stays works after every kill, and the next command gives the new view."""
    install = ("-e", work.location, "install")
    work.make("symlink", extra=False)
    expected = {False: work.tree()}
    work.write("symlink", extra=True)
    length = duration(work, *install)
    expected[True] = work.tree()
    moments = random.Random(12)
    counts = {"killed": 0, "between": 0}
    extra = True
    for number in range(KILLS):
        extra = not extra
        work.write("symlink", extra)
        was_killed = killed(work, *install, after=length * moments.uniform(0.3, 1.0))
        counts["killed"] += was_killed
        length *= 1.05 if was_killed else 0.8
        counts["between"] += work.tree() not in expected.values()
        ran = subprocess.run([work.view / "bin/tool"], env=CLEAN, capture_output=True, text=True)
        assert ran.stdout == f"42 {work.view}\n", ran.stderr
        work.spack(*install)
        assert work.tree() == expected[extra], f"kill {number}"
        assert work.beside() == []
    print(counts)
    assert counts["killed"] > KILLS // 3
