"""``install --on slurm``: on threads that act as its nodes, and on Slurm itself where it is."""

from __future__ import annotations

import json
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from kits.batch_nodes import BatchNodes, batch_nodes
from kits.command import Command, WaitUntil
from kits.recipe_repository import RecipeRepository
from kits.slurm_cluster import slurm_cluster

#: ``dog`` with all that it needs.
BUILT = ("ant", "bee", "cow", "dog")


@pytest.fixture()
def nodes(tmp_path: Path) -> Iterator[BatchNodes]:
    with batch_nodes(tmp_path / "cluster") as system:
        yield system


@pytest.fixture()
def cluster(spack: Command, nodes: BatchNodes) -> dict[str, str]:
    """Return the variables of a user of the cluster."""
    return {"PATH": f"{nodes.bin}:{spack.environ['PATH']}"}


class Work:
    """An environment whose builds note that they ran, and wait for a file where they are held."""

    def __init__(self, spack: Command, recipes: RecipeRepository, folder: Path) -> None:
        self.path = folder / "work"
        self.ran = folder / "ran"
        self.ran.mkdir()
        with open(spack.home.config / "config.yaml", "a") as stream:
            stream.write(f"  build_env:\n    read: ['{self.ran}']\n    write: ['{self.ran}']\n")
        note = (
            "import os, time\n"
            'with open("{ran}/{name}", "a") as stream:\n    stream.write("x")\n'
            'while os.path.exists("{ran}/hold-{name}"):\n    time.sleep(0.05)\n'
        )
        needs = {"ant": (), "bee": ("ant",), "cow": ("ant",), "dog": ("bee", "cow"), "elk": ()}
        for name, below in needs.items():
            recipes.plain(name, *below, install=note.format(ran=self.ran, name=name))
        recipes.plain("burnt", "elk", install='raise InstallError("too hot")\n')
        recipes.plain("cake", "burnt")
        spack("env", "create", "-d", self.path)

    def add(self, spack: Command, *names: str) -> None:
        spack("-D", self.path, "add", *names)
        spack("-D", self.path, "concretize")

    def hold(self, name: str, held: bool = True) -> None:
        file = self.ran / f"hold-{name}"
        file.touch() if held else file.unlink()

    def builds(self, name: str) -> int:
        file = self.ran / name
        return len(file.read_text()) if file.exists() else 0


@pytest.fixture()
def work(spack: Command, recipes: RecipeRepository, tmp_path: Path) -> Work:
    return Work(spack, recipes, tmp_path)


def read(process: subprocess.Popen[str]) -> str:
    """Wait for the end of a command and return what it printed."""
    assert process.stdout is not None
    out = process.stdout.read()
    process.wait()
    return out


def test_one_job_a_build_in_the_order_of_the_graph(
    spack: Command, work: Work, nodes: BatchNodes, cluster: dict[str, str]
) -> None:
    work.add(spack, "dog")
    words = ["-D", work.path, "install", "--on", "slurm", "--submit-option=--partition=debug"]
    done = spack(*words, environ=cluster)
    assert f"the nodes share {spack.home.store}" in done.out
    assert "4 packages to build" in done.out and done.out.count("==> Installing ") == 4
    assert sorted(spack.names()) == ["ant", "bee", "cow", "dog"]
    assert (work.path / ".spack-env" / "view" / "bin" / "dog").exists()
    assert [work.builds(name) for name in BUILT] == [1, 1, 1, 1]
    assert len(nodes.jobs()) == 5  # with the one that looked at the store
    submitted = [nodes.arguments(number) for number in nodes.jobs()]
    assert all("--partition=debug" in words for words in submitted)
    assert (
        "--dependency=afterok:3:4" in submitted[4] and "--kill-on-invalid-dep=yes" in submitted[4]
    )
    assert not (work.path / ".spack-env" / "jobs" / "run.json").exists()
    spack(*words, environ=cluster)
    assert len(nodes.jobs()) == 5


def test_a_failure_is_reported_as_that_of_an_install_here(
    spack: Command, work: Work, cluster: dict[str, str]
) -> None:
    work.add(spack, "cake", "ant")
    failed = spack.fails("-D", work.path, "install", "--on", "slurm", environ=cluster)
    assert "==> Failed: burnt@1.0/" in failed.out
    assert "burnt@1.0/" in failed.err and "could not be installed" in failed.err
    assert "too hot" in failed.err and "recipe: " in failed.err and "log: " in failed.err
    assert "not tried, because they need it: cake@1.0/" in failed.err
    assert sorted(spack.names()) == ["ant", "elk"]


def test_what_a_lost_node_took_is_built_elsewhere(
    spack: Command, work: Work, nodes: BatchNodes, cluster: dict[str, str], until: WaitUntil
) -> None:
    work.add(spack, "dog")
    work.hold("bee")
    with spack.start("-D", work.path, "install", "--on", "slurm", environ=cluster) as process:
        until(lambda: work.builds("bee") and work.builds("cow"), "the builds have begun")
        job = next(number for number in nodes.running() if _builds(nodes, number, work, "bee"))
        assert nodes.kill_node(nodes.running()[job]) == [job]
        work.hold("bee", False)
        out = read(process)
    assert process.returncode == 0, out
    assert "ended without an outcome; submitting it again" in out
    assert [work.builds(name) for name in BUILT] == [1, 2, 1, 1]
    assert sorted(spack.names()) == ["ant", "bee", "cow", "dog"]


def _builds(nodes: BatchNodes, job: str, work: Work, name: str) -> bool:
    """Return whether *job* builds the package *name*."""
    data = json.loads((work.path / "spack.lock").read_text())["concrete_specs"]
    return any(data[x]["name"] == name and x in nodes.script(job) for x in data)


def test_an_end_of_the_shell_leaves_the_jobs_to_the_next_command(
    spack: Command, work: Work, nodes: BatchNodes, cluster: dict[str, str], until: WaitUntil
) -> None:
    work.add(spack, "dog")
    work.hold("ant")
    words = ["-D", work.path, "install", "--on", "slurm"]
    with spack.start(*words, environ=cluster) as process:
        until(lambda: work.builds("ant"), "the first build has begun")
        process.send_signal(signal.SIGHUP)
        out = read(process)
    assert process.returncode == 128 + signal.SIGHUP, out
    assert "4 jobs go on" in out
    nodes.be_silent(True)
    with spack.start(*words, environ=cluster) as process:
        lines = iter(process.stdout or ())
        assert any("slurm does not answer" in line for line in lines)
        process.kill()
    nodes.be_silent(False)
    with spack.start(*words, environ=cluster) as process:
        until(lambda: nodes.running(), "the job still runs")
        work.hold("ant", False)
        out = read(process)
    assert process.returncode == 0, out
    assert len(nodes.jobs()) == 5  # with the one that looked at the store
    assert [work.builds(name) for name in BUILT] == [1, 1, 1, 1]
    assert sorted(spack.names()) == ["ant", "bee", "cow", "dog"]


def test_ctrl_c_cancels_the_jobs(
    spack: Command, work: Work, nodes: BatchNodes, cluster: dict[str, str], until: WaitUntil
) -> None:
    work.add(spack, "dog")
    work.hold("ant")
    with spack.start("-D", work.path, "install", "--on", "slurm", environ=cluster) as process:
        until(lambda: work.builds("ant"), "the first build has begun")
        process.send_signal(signal.SIGINT)
        out = read(process)
    assert process.returncode == 130, out
    assert "cancelled 4 jobs" in out
    until(lambda: not nodes.running(), "the job has ended")
    assert spack.names() == []
    assert all("COMPLETED" in nodes.state(x) or "CANCELLED" in nodes.state(x) for x in nodes.jobs())


def test_nodes_with_stores_of_their_own_exchange_through_a_cache(
    spack: Command, work: Work, nodes: BatchNodes, cluster: dict[str, str], tmp_path: Path
) -> None:
    work.add(spack, "dog")
    stores = tmp_path / "stores"
    words = ["-D", work.path, "install", "--on", "slurm", "--node-store"]
    words.append(f"{stores}/$SLURMD_NODENAME")
    refused = spack.fails(*words, code=2, environ=cluster)
    assert "the nodes share no install tree, and no mirror has autopush" in refused.err
    spack("mirror", "add", "--unsigned", "--autopush", "there", tmp_path / "cache")
    done = spack(*words, environ=cluster)
    assert "they exchange through the cache" in done.out
    assert [work.builds(name) for name in BUILT] == [1, 1, 1, 1]
    assert sorted(spack.names()) == ["ant", "bee", "cow", "dog"]
    assert {path.name for path in stores.iterdir()} <= {"node0", "node1", "node2"}


def test_what_is_missing_is_named(
    spack: Command, work: Work, nodes: BatchNodes, cluster: dict[str, str]
) -> None:
    work.add(spack, "ant")
    (nodes.bin / "sbatch").write_text("#!/bin/sh\necho no such partition >&2\nexit 1\n")
    refused = spack.fails("-D", work.path, "install", "--on", "slurm", environ=cluster)
    assert "sbatch refuses the job probe: no such partition" in refused.err
    named = spack.fails("-D", work.path, "install", "--on", "slurm", "ant", code=2)
    assert "--on builds what an environment needs" in named.err


@pytest.mark.slow
def test_slurm_with_a_node_killed(
    spack: Command, work: Work, tmp_path: Path, until: WaitUntil
) -> None:
    work.add(spack, "dog")
    work.hold("bee")
    with slurm_cluster(tmp_path / "slurm") as slurm:
        words = ["-D", work.path, "install", "--on", "slurm"]
        with spack.start(*words, environ=slurm.environ) as process:
            until(lambda: work.builds("bee") and work.builds("cow"), "the builds have begun")
            data = json.loads((work.path / ".spack-env" / "jobs" / "run.json").read_text())
            lock = json.loads((work.path / "spack.lock").read_text())["concrete_specs"]
            job = next(
                x["id"] for x in data["jobs"] if any(lock[y]["name"] == "bee" for y in x["hashes"])
            )
            node = slurm.run("squeue", "--noheader", f"--jobs={job}", "--format=%N").strip()
            slurm.kill_node(node)
            work.hold("bee", False)
            out = read(process)
        assert process.returncode == 0, out
    assert "ended without an outcome; submitting it again" in out
    assert [work.builds(name) for name in BUILT] == [1, 2, 1, 1]
    assert sorted(spack.names()) == ["ant", "bee", "cow", "dog"]
