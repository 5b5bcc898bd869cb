from __future__ import annotations

import os

import pytest

from spack.build.worker_events import PhaseStarted, WorkerEvents, decode_event, encode_event


def test_the_parent_reads_what_the_worker_writes() -> None:
    reading, writing = os.pipe()
    events = WorkerEvents(writing)
    assert not os.get_inheritable(writing), "programs of the build do not hold it open"
    events.send(PhaseStarted("install"))
    os.close(writing)
    assert decode_event(os.read(reading, 4096)) == PhaseStarted("install")
    os.close(reading)


def test_a_parent_that_has_ended_does_not_disturb() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    WorkerEvents(writing).send(PhaseStarted("install"))
    os.close(writing)
    WorkerEvents(-1).send(PhaseStarted("install"))


@pytest.mark.parametrize("line", [b"{", b"[]\n", b'{"event": "other"}\n'])
def test_other_lines_are_no_events(line: bytes) -> None:
    with pytest.raises(ValueError):
        decode_event(line)
    assert encode_event(PhaseStarted("x")).endswith(b"\n")
