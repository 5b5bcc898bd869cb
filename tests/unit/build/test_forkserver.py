"""Workers that a server forks are what processes started for them would be."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from spack.build import worker_process
from spack.build.clean_environment import clean_environment
from spack.build.forkserver import ForkServer

RECIPE = """
from spack_repo.builtin.build_systems.generic import Package

def ancestor(count):
    # the build's parent keeps it; above that are its worker and what has started that
    pid = "self"
    for _ in range(count):
        with open(f"/proc/{pid}/stat") as stream:
            pid = stream.read().rpartition(")")[2].split()[1]
    return int(pid)

class Reporting(Package):
    version("1.0")
    def url_for_version(self, version): return "file:///none"

    def install(self, spec, prefix):
        import json, os, sys
        mkdirp(prefix)
        facts = {
            "environment": dict(os.environ),
            "places": [os.readlink(f"/proc/self/fd/{n}") for n in (0, 1, 2)],
            "open": len(os.listdir("/proc/self/fd")),
            "leads": os.getsid(0) == os.getpgrp() != os.getpid(),
            "server": ancestor(3),
            "directory": os.getcwd(),
            "argv": sys.argv[1:],
            "umask": os.umask(0o22),
        }
        with open(prefix.facts, "w") as stream:
            json.dump(facts, stream)
        BODY
"""


@pytest.fixture
def server(workspace: Any) -> Iterator[ForkServer]:
    """Return a server whose builds may begin."""
    job = workspace.job(workspace.node("none", "1.0", variants={"build_system": "generic"}))
    environment = clean_environment({}, "/some/stage")
    libraries = worker_process.libraries(job.library_path)
    made = ForkServer(sys.executable, environment, libraries)
    try:
        yield made
    finally:
        made.close()


def reporting(workspace: Any, body: str = "pass") -> Any:
    """Return a package that notes what its build looks like, and its source."""
    workspace.recipe("reporting", RECIPE.replace("BODY", body))
    spec = workspace.node("reporting", "1.0", variants={"build_system": "generic"})
    return workspace.job(spec, workspace.source("reporting", text=""))


def facts(workspace: Any, job: Any, **options: Any) -> Any:
    result = workspace.run(job, **options)
    assert result.ok, (result.failure, Path(job.log_path).read_text())
    return json.loads((Path(job.prefix) / "facts").read_text())


def test_a_forked_worker_looks_like_one_of_its_own(workspace: Any, server: ForkServer) -> None:
    job = reporting(workspace)
    alone = facts(workspace, job)
    forked = facts(workspace, job, server=server)
    assert alone.pop("server") == os.getpid() != forked.pop("server")
    assert forked == alone
    assert forked["leads"]
    assert forked["environment"]["HOME"].startswith(job.stage_path)
    assert forked["places"] == [os.devnull, job.log_path, job.log_path]


def test_builds_see_nothing_of_one_another(workspace: Any, server: ForkServer) -> None:
    first = facts(
        workspace, reporting(workspace, "os.environ['LEFT'] = 'x'; sys.path.append('/x')")
    )
    again = facts(workspace, reporting(workspace), server=server)
    third = facts(workspace, reporting(workspace), server=server)
    assert again["server"] == third["server"]
    assert "LEFT" not in {**first["environment"], **third["environment"]}
    assert third["open"] == again["open"], "no descriptors of other builds"


def test_an_environment_that_python_or_the_system_reads_gets_its_own_process(
    workspace: Any, server: ForkServer
) -> None:
    job = reporting(workspace)
    environment = {**clean_environment({}, job.stage_path), "LD_BIND_NOW": "1"}
    assert worker_process.run(job, environment, server=server).ok
    found = json.loads((Path(job.prefix) / "facts").read_text())
    assert found["environment"]["LD_BIND_NOW"] == "1"
    assert found["server"] == os.getpid()


def test_a_forked_worker_that_is_killed(workspace: Any, server: ForkServer) -> None:
    failure = workspace.run(reporting(workspace, "os.kill(os.getpid(), 9)"), server=server).failure
    assert failure.message == "killed by SIGKILL"


def test_without_the_server_builds_go_on(workspace: Any, server: ForkServer) -> None:
    os.kill(facts(workspace, reporting(workspace), server=server)["server"], signal.SIGKILL)
    time.sleep(0.1)
    assert facts(workspace, reporting(workspace), server=server)["server"] == os.getpid()


def test_a_server_that_dies_during_a_build(workspace: Any, server: ForkServer) -> None:
    """Its worker goes on, and its result counts."""
    job = reporting(workspace, "os.kill(ancestor(3), 9)")
    assert workspace.run(job, server=server).ok


def test_the_server_ends_with_its_installer(workspace: Any) -> None:
    read, write = os.pipe()
    environment = clean_environment({}, "/some/stage")
    libraries = worker_process.libraries(reporting(workspace).library_path)
    installer = os.fork()
    if installer == 0:
        server = ForkServer(sys.executable, environment, libraries)
        os.write(write, b"%d\n" % server._process.pid)
        os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(installer, 0)
    pid = int(os.read(read, 20))
    os.close(read)
    os.close(write)
    end = time.monotonic() + 10
    while time.monotonic() < end:
        stat = Path(f"/proc/{pid}/stat")
        if not stat.exists() or stat.read_text().rpartition(")")[2].split()[0] == "Z":
            return
        time.sleep(0.02)
    pytest.fail("the server is still there")
