"""What a hostile build can read, write, signal and connect to, by the mechanisms that are there."""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Callable

import pytest

from kits.attacks import ATTEMPTS, add_hostile_recipe
from kits.command import Command, Home, Result, network_variables
from kits.recipe_repository import RecipeRepository

USER = 54321
#: Seconds that processes stay which a build leaves behind; unlike any other number.
STAY = "47.25"

#: By name of what is missing: the system calls that a test takes away.
MISSING = {
    "nothing": "",
    "namespaces": "unshare",
    "Landlock": "landlock",
    "both": "unshare,landlock",
}


class Machine:
    """A home, a clone, and what a build must not reach; all of them belong to *user*."""

    def __init__(self, base: Path, user: int) -> None:
        self.base, self.user = base, user
        self.home = base / "home"
        (self.home / ".ssh").mkdir(parents=True)
        (self.home / ".ssh" / "id").write_text("secret")
        (self.home / "notes").write_text("private")
        (base / "loose").write_text("x")
        (base / "shown").mkdir()
        (base / "shown" / "file").write_text("x")
        self.marks = [f"{place}/mark-of-{base.name}" for place in ("/tmp", "/var/tmp", "/dev/shm")]
        self.strays = {
            "write into a home": self.home / "stray",
            "write into another package's wheels": self.home / "sources" / "wheels" / "stray",
        }

    def under(self, missing: str) -> tuple[str, ...]:
        kit = Path(__file__).parents[1] / "kits" / "deny_system_calls.py"
        shutil.copy(kit, self.base)
        change = ("setpriv", f"--reuid={self.user}", f"--regid={self.user}", "--clear-groups")
        deny = ("/usr/bin/python3", str(self.base / kit.name), MISSING[missing])
        return (*(change if self.user != os.getuid() else ()), *deny)

    @contextlib.contextmanager
    def targets(self) -> Iterator[dict[str, object]]:
        """Yield what is attacked; when it is left, ``happened`` says what the machine saw."""
        libc = ctypes.CDLL(None)
        who = {"user": self.user, "group": self.user} if os.getuid() == 0 else {}
        sleeper = subprocess.Popen(["sleep", "1000"], **who)  # type: ignore[call-overload]
        tcp = socket.create_server(("127.0.0.1", 0))
        udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        udp.bind(("127.0.0.1", 0))
        agent, abstract = socket.socket(socket.AF_UNIX), socket.socket(socket.AF_UNIX)
        agent.bind(str(self.home / "agent"))
        os.chmod(self.home / "agent", 0o777)
        abstract.bind(f"\0{self.base.name}")
        for listening in (agent, abstract):
            listening.listen()
        key = os.getpid() + 77_000_000
        segment = libc.shmget(key, 4096, 0o1666)
        happened: dict[str, bool] = {}
        try:
            yield {
                "sleeper": sleeper.pid,
                "tcp": tcp.getsockname()[1],
                "udp": udp.getsockname()[1],
                "abstract": self.base.name,
                "key": key,
                "home": str(self.home),
                "loose": str(self.base / "loose"),
                "shown": str(self.base / "shown" / "file"),
                "wheels": str(self.home / "sources" / "wheels"),
                "marks": self.marks,
                "covered": "/tmp",
                "seconds": STAY,
                "happened": happened,
            }
            happened["signal another process"] = sleeper.poll() is not None
            udp.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                happened["send by UDP"] = False
                happened["send by UDP"] = bool(udp.recv(1))
            for place, mark in zip(("/tmp", "/var/tmp", "/dev/shm"), self.marks):
                happened[f"leave a file in {place}"] = os.path.exists(mark)
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(mark)
            for name, path in self.strays.items():
                happened[name] = path.exists()
        finally:
            libc.shmctl(segment, 0, None)
            for each in (tcp, udp, agent, abstract):
                each.close()
            sleeper.kill()
            sleeper.wait()


def left_processes() -> list[str]:
    """Return the processes that builds have left: sleeping for the odd time, or workers."""
    found = []
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            words = (entry / "cmdline").read_bytes()
            cwd = os.readlink(entry / "cwd")
            if f"sleep\0{STAY}\0".encode() == words or "spack-stage-hostile" in cwd:
                found.append(entry.name)
    return found


@pytest.fixture(params=["root", "user"])
def machine(request: pytest.FixtureRequest, copy_tree: Callable[[Path], Path]) -> Iterator[Machine]:
    if request.param == "root" and os.getuid() != 0:
        pytest.skip("attacks by root need root: run the tests as root")
    user = os.getuid() if os.getuid() != 0 else USER if request.param == "user" else 0
    base = Path(tempfile.mkdtemp(prefix="attack-", dir="/var/tmp"))
    try:
        base.chmod(0o755)
        copy_tree(base / "clone")
        yield Machine(base, user)
    finally:
        shutil.rmtree(base)


def attack(machine: Machine, missing: str) -> tuple[Mapping[str, bool], str, Result]:
    """Return which attempts succeeded, the log, and how the install ended."""
    base, home = machine.base, machine.home
    environ = {
        "HOME": str(home),
        "PATH": "/usr/bin:/bin",
        "SECRET_OF_THE_INSTALLER": "1",
        **network_variables(),
    }
    if os.path.isfile(environ.get("PIP_CONFIG_FILE", "")):  # it may be in another user's home
        shutil.copy(environ["PIP_CONFIG_FILE"], base / "pip.conf")
        environ["PIP_CONFIG_FILE"] = str(base / "pip.conf")
    spack = Command(base / "clone", environ, home, Home(home))
    (home / ".spack").mkdir(exist_ok=True)
    (home / ".spack" / "config.yaml").write_text(
        f"config:\n  install_tree: {{root: {home}/store}}\n  build_stage: [{home}/stages]\n"
        f"  source_cache: {home}/sources\n  misc_cache: {home}/misc\n"
        f"  build_env: {{read: ['{base}/shown']}}\n"
    )
    recipes = RecipeRepository(base / "tiny")
    (home / ".spack" / "repos.yaml").write_text(f"repos:\n  tiny: {recipes.root}\n")
    recipes.plain("victim")
    (home / "sources" / "wheels").mkdir(parents=True)
    if machine.user != os.getuid():
        subprocess.run(["chown", "-R", f"{machine.user}:{machine.user}", str(base)], check=True)
    under = machine.under(missing)
    spack("install", "victim", under=under)
    victim = spack("location", "-i", "victim", under=under).out.strip()
    with machine.targets() as targets:
        targets.update(dependency=victim, file=f"{victim}/bin/victim")
        happened = targets.pop("happened")
        add_hostile_recipe(recipes, targets)
        machine.strays["write into a dependency"] = Path(victim, "stray")
        result = spack("install", "hostile", under=under, check=False)
        left = left_processes()
    log = next(path.read_text() for path in logs(home / "store"))
    line = next(line for line in log.splitlines() if line.startswith("FOUND "))
    found = {name: not error for name, error in json.loads(line.partition(" ")[2]).items()}
    assert isinstance(happened, dict)
    found.update(happened)
    for name in ("leave a process", "leave a process that holds its pipes"):
        found[name] = bool(left)
    for process in left:
        os.kill(int(process), 9)
    return found, log, result


def logs(store: Path) -> Iterator[Path]:
    """Yield the log of the hostile build, installed or not."""
    yield from store.glob("*/hostile-*/.spack/spack-build-out.txt")
    logs = store / ".spack-db" / "logs"
    yield from (x for x in logs.glob("hostile@*.txt") if not x.name.endswith(".env.txt"))


def table() -> dict[str, list[str]]:
    """Return what CONTRIBUTING says of each attempt, by the order of :data:`MISSING`."""
    text = (Path(__file__).parents[2] / "CONTRIBUTING.md").read_text()
    rows = text.partition("<!-- attacks -->\n")[2].partition("<!-- end -->")[0].splitlines()[2:]
    cells = [[cell.strip() for cell in row.strip("| ").split("|")] for row in rows]
    return {name: (marks + [""] * 4)[:4] for name, *marks in cells}


def test_all_attempts_are_in_the_table() -> None:
    assert list(table()) == list(ATTEMPTS)


@pytest.mark.parametrize("missing", MISSING)
def test_attacks(machine: Machine, missing: str) -> None:
    found, log, result = attack(machine, missing)
    column = list(MISSING).index(missing)
    yes = ("yes", "root" if machine.user == 0 else "user")
    expected = {name: marks[column] in yes for name, marks in table().items()}
    assert found == expected
    assert result.seconds < float(STAY)
    # where nothing prevents it, what it did to a dependency is undone, and it is not installed
    assert result.code == (1 if missing == "both" else 0)
    for mechanism, line in (
        ("unshare", "not protected by: namespaces (unshare: Function not implemented)"),
        ("landlock", "not protected by: Landlock (the kernel has none, or it is switched off)"),
    ):
        assert (line in log) is (mechanism in MISSING[missing])
    assert "all processes end with it" in log
