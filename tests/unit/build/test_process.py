"""What is said of a worker that ended without a result."""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace

import pytest

from spack.build import worker_process


@pytest.mark.parametrize("free, reporting", [(0, True), (1000, True), (10**9, False)])
def test_a_full_disk_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free: int, reporting: bool
) -> None:
    log = tmp_path / "log.txt"
    log.write_text("")
    disk = SimpleNamespace(f_bavail=free, f_frsize=1)
    monkeypatch.setattr(os, "statvfs", lambda path: disk)
    failure = worker_process._death(120, str(log))
    assert "ended with 120" in failure.message
    assert ("disk of the install tree is full" in (failure.hint or "")) is reporting
