"""The JSON contract."""

from __future__ import annotations

from pathlib import Path

import pytest

from spack.build.job import (
    BuildFailure,
    BuildJob,
    BuildResult,
    PatchFile,
    PhaseTime,
    RepositoryRow,
    read,
    write,
)
from spack.errors import SpackError

JOB = BuildJob(
    spec={"roots": [], "nodes": {}},
    hash="abc",
    prefixes={"abc": "/store/abc"},
    stage_path="/stage",
    source_path=None,
    log_path="/log",
    result_path="/result",
    repositories=(RepositoryRow("venv", "/repo"),),
    patches=(PatchFile("/p", 0, "sub", True),),
)
RESULT = BuildResult(
    ok=False,
    failure=BuildFailure("KeyError", "message", excerpt=("a", "b"), phase="install"),
    phases=(PhaseTime("install", 1.5),),
    run_environment=({"action": "set", "name": "A", "value": "b", "separator": ":"},),
)


@pytest.mark.parametrize("record", [JOB, RESULT, BuildResult(ok=True)])
def test_what_is_written_is_read(tmp_path: Path, record: object) -> None:
    path = str(tmp_path / "file")
    write(path, record)  # type: ignore[arg-type]  # one of the two classes
    assert read(path, type(record)) == record


def test_a_damaged_file_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("{")
    with pytest.raises(SpackError, match="cannot read BuildJob"):
        read(str(tmp_path / "file"), BuildJob)
    with pytest.raises(SpackError, match="cannot read BuildResult"):
        read(str(tmp_path / "none"), BuildResult)


def test_a_failure_as_an_error_has_its_location_and_log() -> None:
    failure = BuildFailure(
        "X", "it broke", phase="build", recipe="r.py:3", excerpt=("a: error: b",)
    )
    error = failure.as_error("black@24", "/log")
    assert error.message == "black@24 failed in phase 'build': it broke"
    assert error.long_message == "a: error: b\nrecipe: r.py:3\nlog: /log"
    assert error.facts["package"] == "black@24"
