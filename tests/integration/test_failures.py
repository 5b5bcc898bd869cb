"""What happens when things go wrong half way: builds that fail, kills, interrupts, two at once."""

from __future__ import annotations

import os
import re
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from kits.command import Command, Result, Snapshot, TakeSnapshot, WaitUntil
from kits.recipe_repository import RecipeRepository

GOOD = "int main(void) { return 0; }\n"
BAD = "int main(void) { return undeclared; }\n"

#: Statements of a recipe that say where the build is and wait for a file, not indefinitely.
GATE = """\
import time
open("{gate}.reached", "w").close()
for _ in range(3000):
    if os.path.exists("{gate}"):
        break
    time.sleep(0.02)
"""


#: How often an install is killed, at even distances.
MOMENTS = 6


@pytest.fixture
def gated(recipes: RecipeRepository, reports: Path) -> Path:
    """``first``, then ``middle``, which half-fills its prefix and waits, then ``last``."""
    gate = reports / "gate"
    recipes.plain("first")
    recipes.plain(
        "middle",
        "first",
        install='import os\nmkdirp(prefix.lib)\nopen(prefix.lib.half, "w").close()\n'
        + GATE.format(gate=gate),
    )
    recipes.plain("last", "middle")
    return gate


def test_a_compilers_error_is_shown(
    spack: Command, recipes: RecipeRepository, packages_of: Callable[[Path], Snapshot]
) -> None:
    recipes.plain("base")
    recipes.c_program("broken", BAD, "base")
    result = spack.fails("install", "broken")
    assert re.search(r"main\.c:1:25: error: .undeclared. undeclared", result.err)
    assert "broken@1.0/" in result.err
    assert "phase 'build'" in result.err
    assert "exited with status 1\n" not in result.err.splitlines()[0]
    assert "Traceback" not in result.text
    assert not [path for path in packages_of(spack.home.store) if "broken" in path]
    assert spack.names("--explicit") == []


def test_a_python_traceback_ends_with_its_error(spack: Command, recipes: RecipeRepository) -> None:
    recipes.python_project("sour", {"sour.py": ""}, backend="raise ValueError('no such flavour')")
    result = spack.fails("install", "py-sour")
    assert "ValueError: no such flavour" in result.err
    assert "backend.py" in result.err, "and where it was raised"
    assert "py-sour@1.0" in result.err


def test_a_recipes_own_error_has_its_file_and_line(
    spack: Command, recipes: RecipeRepository
) -> None:
    path = recipes.plain("sulky", install='raise InstallError("no licence file", "buy one")\n')
    line = 1 + next(
        number for number, text in enumerate(path.read_text().splitlines()) if "raise" in text
    )
    result = spack.fails("install", "sulky")
    assert "no licence file" in result.err
    assert "buy one" in result.err
    assert f"{path}:{line}" in result.err


def test_the_log_of_a_failed_build_is_at_hand(spack: Command, recipes: RecipeRepository) -> None:
    recipes.c_program("broken", BAD)
    result = spack.fails("install", "broken")
    log = spack("logs", "broken").out
    assert re.search(r"error: .undeclared. undeclared", log)
    path = spack("logs", "--path", "broken").out.strip()
    assert path in result.err


def test_after_the_repair_only_what_is_missing_is_built(
    spack: Command, recipes: RecipeRepository
) -> None:
    recipes.plain("base")
    recipes.c_program("broken", BAD, "base")
    recipes.plain("top", "broken")
    result = spack.fails("install", "top")
    assert "==> Installing base@1.0" in result.out
    assert "Installing top" not in result.out
    assert {"base", "compiler-wrapper"} <= set(spack.names())
    assert not {"broken", "top"} & set(spack.names())

    recipes.c_program("broken", GOOD, "base")
    again = spack("install", "top")
    built = re.findall(r"==> Installing ([\w-]+)@", again.out)
    assert built == ["broken", "top"]
    assert spack.names("--explicit") == ["top"]
    assert spack("verify").lines[-1].endswith(" 0 with differences")


def test_what_does_not_need_the_broken_one_is_built(
    spack: Command, recipes: RecipeRepository
) -> None:
    recipes.plain("one")
    recipes.plain("broken", install='raise InstallError("no")\n')
    recipes.plain("two", "one")
    recipes.plain("over", "broken")
    result = spack.fails("install", "over", "two")
    assert set(spack.names()) == {"one", "two"}
    assert "over" in result.err, "what was not tried is named"


def test_fail_fast_stops_the_other_ones(spack: Command, recipes: RecipeRepository) -> None:
    recipes.plain("broken", install='raise InstallError("no")\n')
    recipes.plain("other")
    recipes.plain("slow", "other", install="import time\ntime.sleep(0.1)\n")
    spack.fails("install", "--fail-fast", "-p", "1", "broken", "slow")
    assert "slow" not in spack.names()


def test_an_environment_keeps_its_view_when_a_build_fails(
    spack: Command, recipes: RecipeRepository, tree_of: TakeSnapshot
) -> None:
    directory = spack.home.path / "work"
    recipes.plain("one")
    spack("env", "create", "--dir", directory)
    spack("-e", directory, "add", "one")
    spack("-e", directory, "install")
    (view,) = [path for path in directory.rglob("one") if path.parent.name == "bin"]
    before = tree_of(view.parent.parent)
    recipes.plain("two", install='raise InstallError("no")\n')
    spack("-e", directory, "add", "two")
    spack.fails("-e", directory, "install")
    assert tree_of(view.parent.parent) == before


def complete(spack: Command, result: Result) -> None:
    """Return the same command again has done it: everything is there and as recorded."""
    assert {"first", "middle", "last"} <= set(spack.names())
    assert spack("verify").lines[-1].endswith(" 0 with differences")
    assert not (spack.prefix("middle") / "lib" / "half.part").exists()
    assert list((spack.home.store / ".spack-db" / "pending").iterdir()) == []
    assert spack("install", "last").out.count("Installing") == 0
    assert result.code == 0


@pytest.mark.parametrize("whom", ["the process", "its whole tree"])
def test_a_kill_in_the_middle_and_then_again(
    spack: Command,
    recipes: RecipeRepository,
    gated: Path,
    whom: str,
    until: WaitUntil,
    packages_of: Callable[[Path], Snapshot],
    processes_of: Callable[[Path], list[str]],
) -> None:
    reached = gated.with_name("gate.reached")
    with spack.start("install", "last") as process:
        until(reached.exists, "the build of middle is under way")
        if whom == "the process":
            process.kill()
        else:
            for pid in [process.pid, *children(process.pid)]:
                os.kill(pid, signal.SIGKILL)
        process.wait()
        assert spack.names() == ["first"]
        reached.unlink()
        gated.touch()
        again = spack("install", "last")
    assert "Installing first" not in again.out
    complete(spack, again)
    assert processes_of(spack.home.path) == []


@pytest.mark.slow
def test_kills_at_many_moments(spack: Command, recipes: RecipeRepository, until: WaitUntil) -> None:
    """Whatever it was doing: the next command finds a store in order."""
    recipes.plain("first", install="import time\ntime.sleep(0.05)\n")
    recipes.plain("middle", "first")
    recipes.plain("last", "middle")
    full = spack("install", "last").seconds
    for step in range(MOMENTS):
        spack("uninstall", "-y", "--all", "--dependents", "first")
        with spack.start("install", "last") as process:
            time.sleep(full * (step + 1) / (MOMENTS + 1))
            process.kill()
            process.wait()
            there = set(spack.names())
            assert there <= {"first", "middle", "last"}
            assert spack("verify").lines[-1].endswith(" 0 with differences")
            again = spack("install", "last")
            built = set(re.findall(r"==> Installing ([\w-]+)@", again.out))
            assert built == {"first", "middle", "last"} - there
        complete(spack, again)


def children(pid: int) -> list[int]:
    """All descendants of a process."""
    found = []
    for task in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{task}/children") as stream:
            for child in map(int, stream.read().split()):
                found += [child, *children(child)]
    return found


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_leaves_nothing_half_installed(
    spack: Command,
    recipes: RecipeRepository,
    gated: Path,
    number: signal.Signals,
    until: WaitUntil,
    packages_of: Callable[[Path], Snapshot],
    processes_of: Callable[[Path], list[str]],
) -> None:
    """Ctrl-C goes to the whole group of processes in the foreground; kill, to the one."""
    reached = gated.with_name("gate.reached")
    with spack.start("install", "last") as process:
        until(reached.exists, "the build of middle is under way")
        if number == signal.SIGINT:
            os.killpg(process.pid, number)
        else:
            process.send_signal(number)
        output, _ = process.communicate(timeout=60)
    assert process.returncode == (130 if number == signal.SIGINT else 143), output
    assert "Traceback" not in output
    assert processes_of(spack.home.path) == []
    left = {
        path.split("/")[1].split("-")[0] for path in packages_of(spack.home.store) if "/" in path
    }
    assert left == {"first"}
    assert spack.names() == ["first"]
    assert list((spack.home.store / ".spack-db" / "pending").iterdir()) == []

    gated.touch()
    complete(spack, spack("install", "last"))


def test_an_interrupt_while_concretizing(spack: Command, recipes: RecipeRepository) -> None:
    recipes.plain("one")
    with spack.start("spec", "one") as process:
        time.sleep(0.1)
        os.killpg(process.pid, signal.SIGINT)
        output, _ = process.communicate(timeout=60)
    assert process.returncode in (0, 130), output
    assert "Traceback" not in output


def test_two_at_once_in_one_store(
    spack: Command, recipes: RecipeRepository, gated: Path, until: WaitUntil
) -> None:
    """The second waits for what the first builds, builds the rest, and builds nothing twice."""
    reached = gated.with_name("gate.reached")
    recipes.plain("other", "first")
    with spack.start("install", "last") as one:
        until(reached.exists, "the build of middle is under way")
        with spack.start("install", "last", "other") as two:
            until(lambda: "other" in spack.names(), "the second builds what it can")
            assert two.poll() is None, "the second waits"
            reached.unlink()
            gated.touch()
            texts = [one.communicate(timeout=120)[0], two.communicate(timeout=120)[0]]
    assert (one.returncode, two.returncode) == (0, 0), texts
    assert not reached.exists(), "middle was built once"
    assert set(spack.names()) == {"first", "middle", "last", "other"}


def test_two_stores_at_once(
    make_spack: Callable[[Path], Command],
    recipes: RecipeRepository,
    spack: Command,
    tmp_path: Path,
    area: Path,
) -> None:
    """Two trees of one user that build the same node share the location of stages."""
    recipes.plain("same", install="import time\ntime.sleep(0.5)\nopen('in-stage', 'w').close()\n")
    other = make_spack(tmp_path / "other")
    registered = spack.home.config / "repos.yaml"
    (other.home.config / "repos.yaml").write_text(registered.read_text())
    words = ("-c", f"config:build_stage:[{area}/tmp/shared]", "install", "same")
    results = []
    threads = [
        threading.Thread(
            target=lambda command=command: results.append(command(*words, check=False))
        )
        for command in (spack, other)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [result.code for result in results] == [0, 0], results
    assert spack("find", "--format", "{hash}").out == other("find", "--format", "{hash}").out
