"""One function over many items, in forks."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable

import pytest

from spack.errors import SpackError
from spack.util.forks import map_in_forks


def test_results_are_in_order_and_come_from_other_processes() -> None:
    found = map_in_forks(lambda item: (item * 2, os.getpid()), list(range(50)), 3)
    assert [value for value, _ in found] == [item * 2 for item in range(50)]
    processes = {process for _, process in found}
    assert os.getpid() not in processes
    assert len(processes) <= 3


def test_one_worker_or_one_item_needs_no_fork() -> None:
    here = os.getpid()
    assert map_in_forks(lambda item: os.getpid(), [1, 2], 1) == [here, here]
    assert map_in_forks(lambda item: os.getpid(), [1], 4) == [here]
    assert map_in_forks(lambda item: item, [], 4) == []


def test_no_fork_where_there_are_threads() -> None:
    done = threading.Event()
    thread = threading.Thread(target=done.wait)
    thread.start()
    try:
        assert set(map_in_forks(lambda item: os.getpid(), [1, 2, 3], 2)) == {os.getpid()}
    finally:
        done.set()
        thread.join()


def test_an_exception_is_that_of_the_first_item_that_fails() -> None:
    def function(item: int) -> int:
        if item in (3, 4):
            raise KeyError(item)
        return item

    with pytest.raises(KeyError, match="3"):
        map_in_forks(function, list(range(8)), 2)


def test_an_exception_ends_the_rest() -> None:
    def function(item: int) -> int:
        if item == 0:
            raise SpackError("no", hint="do something else", facts={"item": item})
        time.sleep(20)
        return item

    start = time.monotonic()
    with pytest.raises(SpackError) as caught:
        map_in_forks(function, [0, 1, 2], 2)
    assert time.monotonic() - start < 10
    assert (caught.value.message, caught.value.hint) == ("no", "do something else")
    assert caught.value.facts == {"item": 0}


def test_what_cannot_be_pickled_is_done_here() -> None:
    def function(item: int) -> Callable[[], int]:
        return lambda: item

    assert [get() for get in map_in_forks(function, [1, 2, 3], 2)] == [1, 2, 3]


def test_what_a_process_leaves_undone_is_done_here() -> None:
    here = os.getpid()

    def function(item: int) -> int:
        if os.getpid() != here and item == 2:
            os.kill(os.getpid(), signal.SIGKILL)
        return item

    assert map_in_forks(function, list(range(6)), 2) == list(range(6))


def test_large_results_come_whole() -> None:
    assert map_in_forks(lambda item: b"x" * 500_000, [1, 2, 3], 2) == [b"x" * 500_000] * 3


def test_an_interrupt_ends_the_processes() -> None:
    def interrupt() -> None:
        time.sleep(0.3)
        os.kill(here, signal.SIGINT)

    here = os.getpid()
    helper = os.fork()
    if not helper:
        interrupt()
        os._exit(0)
    start = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        map_in_forks(lambda item: time.sleep(20), [1, 2], 2)
    assert time.monotonic() - start < 10
    os.waitpid(helper, 0)
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)
