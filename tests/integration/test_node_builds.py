"""``spack build``: single nodes of a locked graph, as engines call it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from kits.command import Command, Result
from kits.recipe_repository import RecipeRepository


@pytest.fixture()
def work(spack: Command, recipes: RecipeRepository, tmp_path: Path) -> Path:
    """Return an environment with ``top`` on ``base``; each build adds a letter to a file."""
    ran = tmp_path / "ran"
    ran.mkdir()
    spack.let_builds_read(ran)
    with open(spack.home.config / "config.yaml", "a") as stream:
        stream.write(f"    write: ['{ran}']\n")
    note = 'with open("{ran}/{name}", "a") as stream:\n    stream.write("x")\n'
    recipes.plain("base", install=note.format(ran=ran, name="base"))
    recipes.plain("top", "base", install=note.format(ran=ran, name="top"))
    recipes.plain("burnt", install='raise InstallError("too hot")\n')
    recipes.plain("cake", "burnt")
    work = tmp_path / "work"
    spack("env", "create", "-d", work)
    spack("-D", work, "add", "top", "cake")
    spack("-D", work, "concretize")
    return work


def hashes(work: Path) -> dict[str, str]:
    """Return the hashes in a lock file by name."""
    data = json.loads((work / "spack.lock").read_text())
    return {node["name"]: digest for digest, node in data["concrete_specs"].items()}


def outcome(result: Result) -> Mapping[str, Any]:
    found = json.loads(result.lines[-1])
    assert isinstance(found, dict)
    return found


def test_a_node_is_built_once_and_its_status_says_what_happened(
    spack: Command, work: Path, tmp_path: Path
) -> None:
    known = hashes(work)
    top, base = f"/{known['top']}", f"/{known['base'][:8]}"

    missing = spack.fails("-D", work, "build", top, code=4)
    assert outcome(missing)["status"] == "missing"
    assert outcome(missing)["missing"] == [known["base"]]
    assert "its dependencies are neither in the store nor in a cache: base@1.0/" in missing.err

    built = spack("-D", work, "build", base)
    assert outcome(built)["status"] == "built"
    assert outcome(built)["hash"] == known["base"]
    assert Path(outcome(built)["prefix"], "bin", "base").exists()
    assert spack.names() == ["base"]

    again = spack("-D", work, "build", base, check=False)
    assert (again.code, outcome(again)["status"]) == (3, "present")
    assert spack("-D", work, "build", "--present-ok", base, top).code == 0
    assert (tmp_path / "ran" / "base").read_text() == "x"
    assert spack("find", "-x", "--format", "{name}").lines == ["top"]

    failed = spack.fails("-D", work, "build", f"/{known['burnt']}")
    assert outcome(failed)["status"] == "failed"
    assert "too hot" in outcome(failed)["error"] and "too hot" in failed.err
    several = spack("-D", work, "build", f"/{known['cake']}", f"/{known['burnt']}", check=False)
    assert [json.loads(x)["status"] for x in several.lines if x[0] == "{"] == ["missing", "failed"]
    assert several.code == 1


def test_two_at_once_build_a_node_once(spack: Command, work: Path, tmp_path: Path) -> None:
    words = ["-D", work, "build", f"/{hashes(work)['base']}"]
    both = [
        subprocess.Popen(
            spack.argv(words), env=spack.variables(), cwd=spack.cwd, stdout=subprocess.PIPE
        )
        for _ in range(2)
    ]
    texts = [process.communicate()[0].decode() for process in both]
    assert sorted(process.returncode for process in both) == [0, 3], texts
    found = {json.loads(text.splitlines()[-1])["status"] for text in texts}
    assert found == {"built", "present"}
    assert (tmp_path / "ran" / "base").read_text() == "x"


def test_dependencies_come_from_the_cache_and_results_go_there(
    spack: Command, work: Path, tmp_path: Path
) -> None:
    known, cache = hashes(work), tmp_path / "cache"
    spack("mirror", "add", "--unsigned", "--autopush", "there", cache)
    spack("-D", work, "build", f"/{known['base']}")
    spack("uninstall", "-y", "--force", "base")
    built = spack("-D", work, "build", f"/{known['top']}")
    assert outcome(built)["status"] == "built"
    assert sorted(spack.names()) == ["base", "top"]
    assert (tmp_path / "ran" / "base").read_text() == "x"
    spack("uninstall", "-y", "--force", "base", "top")
    fetched = spack("-D", work, "build", f"/{known['top']}")
    assert outcome(fetched)["status"] == "fetched"
    spack("uninstall", "-y", "--force", "top")
    assert (
        outcome(spack("-D", work, "build", "--no-cache", f"/{known['top']}"))["status"] == "built"
    )
    assert (tmp_path / "ran" / "top").read_text() == "xx"


def test_a_spec_file_and_what_is_neither(spack: Command, work: Path, tmp_path: Path) -> None:
    file = tmp_path / "node.json"
    file.write_text(spack("spec", "--json", "base").out)
    assert outcome(spack("build", file))["status"] == "built"
    assert spack("find", "-x", "--format", "{name}").lines == ["base"]
    refused = spack.fails("build", "/abcdef", code=2)
    assert "needs an active environment" in refused.err
    assert "has no node /zzz" in spack.fails("-D", work, "build", "/zzz", code=2).err
    assert "cannot read the spec file" in spack.fails("build", "base").err


#: A Makefile of four targets, each of which notes when it begins and ends.
NOTES = """\
all: a b c d
\t@true
a b c d:
\t@echo begin >> $(NOTES); sleep 0.4; echo end >> $(NOTES)
install: all
\tmkdir -p $(prefix)/bin; touch $(prefix)/bin/x
"""


def most_at_once(notes: Path) -> int:
    """Return how many targets ran at one time, and forget them."""
    running = most = 0
    for line in notes.read_text().splitlines():
        running += 1 if line == "begin" else -1
        most = max(most, running)
    notes.unlink()
    return most


@pytest.mark.parametrize("engine", ["make", "ninja"])
def test_builds_share_the_processes_of_the_engine(
    engine: str, spack: Command, recipes: RecipeRepository, tmp_path: Path
) -> None:
    program = shutil.which(engine, path="/usr/bin:/bin")
    if program is None or shutil.which("make", path="/usr/bin:/bin") is None:
        pytest.skip(f"{engine} or make is missing")
    notes = tmp_path / "notes" / "all"
    notes.parent.mkdir()
    spack.let_builds_read(notes.parent)
    with open(spack.home.config / "config.yaml", "a") as stream:
        stream.write(f"    write: ['{notes.parent}']\n  build_jobs: 8\n")
    for name in ("one", "two", "three"):
        source = recipes.archive(f"{name}-1.0", {"Makefile": NOTES})
        needs = 'depends_on("one")\ndepends_on("two")\n' if name == "three" else ""
        recipes.add(
            name,
            f'version("1.0", {source})\n{needs}'
            f'build_targets = ["NOTES={notes}"]\n'
            "@property\ndef install_targets(self):\n"
            f'    return ["install", "NOTES={notes}", "prefix=" + self.prefix]\n',
            base="MakefilePackage",
        )
    work = tmp_path / "work"
    spack("env", "create", "-d", work)
    spack("-D", work, "add", "three")
    spack("-D", work, "concretize")
    file = tmp_path / "file"
    # Without the job server each build would take all processes of the machine.
    spack("-D", work, "env", "depfile", "--format", engine, "-j", "2", "-o", file)
    if engine == "make":
        command = [program, "-j2", f"SPACK={spack.argv([])[0]}"]
    else:
        file.write_text(file.read_text().replace("spack = spack", f"spack = {spack.argv([])[0]}"))
        command = [program, "-j8"]
    done = subprocess.run(
        [*command, "-f", file], cwd=tmp_path, env=spack.variables(), capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert most_at_once(notes) == min(2, len(os.sched_getaffinity(0)))
    assert {"one", "three", "two"} <= set(spack.names())
    assert (work / ".spack-env" / "view" / "bin" / "x").exists()
