from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from spack.errors import StoreError
from spack.util.lock import FileLock, Holder

HOLD = """
import sys, time
sys.path.insert(0, sys.argv[1])
from spack.util.lock import FileLock
lock = FileLock(sys.argv[2])
lock.acquire(shared=sys.argv[3] == "shared")
print("held", flush=True)
sys.stdin.readline()
"""


class Other:
    """A second process that holds a lock until it is reported to go."""

    def __init__(self, path: Path, kind: str = "exclusive") -> None:
        lib = os.path.join(os.path.dirname(__file__), "..", "..", "..", "lib")
        self.process = subprocess.Popen(
            [sys.executable, "-c", HOLD, lib, str(path), kind],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == "held\n"

    def __enter__(self) -> Other:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.communicate("\n")


def test_lock_names_its_holder(tmp_path: Path) -> None:
    lock = FileLock(tmp_path / "lock", timeout=0)
    with Other(tmp_path / "lock") as other, pytest.raises(StoreError) as caught:
        lock.acquire()
    assert caught.value.facts["pid"] == other.process.pid
    assert f"process {other.process.pid} on {os.uname().nodename}" in str(caught.value)
    assert caught.value.hint
    with lock:
        assert lock.holder() == Holder(os.getpid(), os.uname().nodename)


def test_death_of_the_holder_frees_the_lock(tmp_path: Path) -> None:
    with Other(tmp_path / "lock") as other:
        other.process.kill()
        with FileLock(tmp_path / "lock", timeout=10).exclusive() as lock:
            assert lock.locked


def test_readers_share_and_keep_a_writer_out(tmp_path: Path) -> None:
    with Other(tmp_path / "lock", "shared"):
        with FileLock(tmp_path / "lock", timeout=0).shared():
            pass
        with pytest.raises(StoreError, match="another process"):
            FileLock(tmp_path / "lock", timeout=0).acquire()


def test_waiting_is_reported_once_and_ends(tmp_path: Path) -> None:
    told: list[Holder] = []
    first = FileLock(tmp_path / "lock")
    second = FileLock(tmp_path / "lock", timeout=10, on_wait=told.append)
    first.acquire()
    timer = threading.Timer(0.2, first.release)
    timer.start()
    start = time.monotonic()
    with second:
        assert 0.1 < time.monotonic() - start < 5
    timer.join()
    assert [holder.pid for holder in told] == [os.getpid()]


def test_two_locks_of_one_process_exclude_each_other(tmp_path: Path) -> None:
    with FileLock(tmp_path / "lock"), pytest.raises(StoreError):
        FileLock(tmp_path / "lock", timeout=0.01).acquire()


def test_a_lock_is_not_reentrant(tmp_path: Path) -> None:
    lock = FileLock(tmp_path / "lock", timeout=0)
    with lock, pytest.raises(StoreError, match="already held"):
        lock.acquire()
    lock.release()
    assert not lock.locked


def test_unusable_lock_file(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="cannot open the lock file") as caught:
        FileLock(tmp_path / "missing" / "lock").acquire()
    assert caught.value.ref == "lock-unusable"


def test_garbage_in_the_file_is_another_process(tmp_path: Path) -> None:
    (tmp_path / "lock").write_text("what?")
    assert str(FileLock(tmp_path / "lock").holder()) == "another process"
