from __future__ import annotations

import os
import sys
import time
from pathlib import Path

from spack.util.helper_process import NOT_STARTED, TIMED_OUT, available_cores, run


def test_output_and_status() -> None:
    script = "import sys; print(sys.stdin.read()); sys.stderr.write('e'); sys.exit(3)"
    done = run([sys.executable, "-c", script], stdin="in")
    assert (done.returncode, done.stdout, done.stderr, done.ok) == (3, "in\n", "e", False)


def test_the_environment_is_the_given_one() -> None:
    done = run(["/usr/bin/env"], env={"A": "1"})
    assert done.ok and done.stdout == "A=1\n"


def test_a_missing_program_is_a_result(tmp_path: Path) -> None:
    done = run([str(tmp_path / "none")])
    assert done.returncode == NOT_STARTED
    assert "No such file" in done.stderr


def test_undecodable_output_is_replaced() -> None:
    done = run([sys.executable, "-c", "import sys; sys.stdout.buffer.write(b'\\xff')"])
    assert done.stdout == "\N{REPLACEMENT CHARACTER}"


def test_a_hanging_program_dies_with_its_children(tmp_path: Path) -> None:
    marker = tmp_path / "pid"
    start = time.monotonic()
    done = run(["/bin/sh", "-c", f"sleep 60 & echo $! > {marker}; wait"], timeout=0.5)
    assert time.monotonic() - start < 10
    assert done.returncode == TIMED_OUT
    assert "no answer after 0.5 s" in done.stderr
    child = int(marker.read_text())
    for _ in range(100):
        state = Path(f"/proc/{child}/stat")
        if not state.exists() or state.read_text().split()[2] == "Z":
            break
        time.sleep(0.02)
    else:
        raise AssertionError("the child is alive")


def test_cores_respect_a_quota(tmp_path: Path) -> None:
    everything = available_cores(str(tmp_path / "none"))
    assert 1 <= everything <= (os.cpu_count() or 1)
    (tmp_path / "cpu.max").write_text("50000 100000\n")
    assert available_cores(str(tmp_path / "cpu.max")) == 1
    (tmp_path / "cpu.max").write_text("max 100000\n")
    assert available_cores(str(tmp_path / "cpu.max")) == everything
