from __future__ import annotations

import os
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest

from spack.util.jobserver import (
    Jobserver,
    inherited_descriptors,
    inherited_jobserver,
    join_pool,
)

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="tokens are taken through /proc")


def left(server: Jobserver) -> int:
    with server.some_tokens(99) as count:
        return count


def test_a_pool_is_filled_by_the_first_and_shared_by_all(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "pool"
    with join_pool(path, 4) as first:
        assert left(first) == 3
        with join_pool(path, 99) as second:
            assert left(first) == left(second) == 2
            with second.some_tokens(1) as count:
                assert count == 1 and left(first) == 1
        assert left(first) == 3
    with join_pool(path, 2) as server:
        assert left(server) == 1


def test_tokens_of_killed_processes_come_back_with_the_next_pool(tmp_path: Path) -> None:
    path = tmp_path / "pool"
    with join_pool(path, 3) as server:
        os.read(server.reading, 2)
        assert left(server) == 0
    with join_pool(path, 3) as server:
        assert left(server) == 2


def test_the_last_token_is_waited_for(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from spack.util.jobserver import join_pool\n"
        "with join_pool(Path(sys.argv[1]), 1): print('in', flush=True)"
    )
    environ = {"PYTHONPATH": str(Path(__file__).parents[3] / "lib")}
    with ExitStack() as stack:
        pool = stack.enter_context(ExitStack())
        pool.enter_context(join_pool(tmp_path / "pool", 1))
        process = stack.enter_context(
            subprocess.Popen(
                [sys.executable, "-c", program, tmp_path / "pool"],
                env=environ,
                stdout=subprocess.PIPE,
            )
        )
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(0.5)
        pool.close()
        assert process.communicate()[0] == b"in\n"


def test_what_makeflags_name(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    environ = {"MAKEFLAGS": f" -j7 --jobserver-auth={reading},{writing}"}
    found = inherited_jobserver(environ)
    assert found is not None and found.descriptors == (reading, writing) and found.jobs == 7
    assert found.makeflags == environ["MAKEFLAGS"]
    assert inherited_descriptors(environ) == (reading, writing)
    os.close(reading)
    os.close(writing)
    assert inherited_jobserver(environ) is None and inherited_descriptors(environ) == ()
    assert inherited_jobserver({"MAKEFLAGS": "-j7"}) is None
    fifo = tmp_path / "fifo"
    assert inherited_jobserver({"MAKEFLAGS": f"--jobserver-auth=fifo:{fifo}"}) is None
    os.mkfifo(fifo)
    named = inherited_jobserver({"MAKEFLAGS": f"w -j2 --jobserver-auth=fifo:{fifo}"})
    assert named is not None and named.jobs == 2 and len(named.descriptors) == 1
    os.close(named.reading)
