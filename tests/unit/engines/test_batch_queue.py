from __future__ import annotations

from pathlib import Path

import pytest

from spack.engines.batch_queue import BatchQueue
from spack.engines.batch_systems import BATCH_SYSTEMS, BatchJob, nodes_in
from spack.engines.job_output import BuildBegun, BuildEnded, JobOutput
from spack.engines.run_state import SubmittedJob, read_jobs, write_jobs
from spack.errors import InstallError


@pytest.mark.parametrize("name", BATCH_SYSTEMS)
def test_a_machine_without_the_commands(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    queue = BatchQueue(name)
    with pytest.raises(InstallError, match=r"cannot submit jobs: [a-z]+: No such file"):
        queue.submit(BatchJob("x", "s", "o"))
    assert queue.states() is None


def test_nodes() -> None:
    assert nodes_in("64 257000+\n8 1\nx y\n\n") == [(64, 257000 << 20), (8, 0)]


def test_output_is_read_line_by_line(tmp_path: Path) -> None:
    output = JobOutput(tmp_path / "out")
    assert (output.is_begun, list(output.news()), output.last_lines()) == (False, [], "")
    with open(output.path, "w") as stream:
        stream.write('==> Installing zlib@1.3/abcdefg\nmore\n{"hash": "abc", "st')
        stream.flush()
        assert (output.is_begun, list(output.news())) == (True, [BuildBegun("abcdefg")])
        stream.write('atus": "built"}\n{"hash": 3\n')
        stream.flush()
        data = {"hash": "abc", "status": "built"}
        assert list(output.news()) == [BuildEnded("abc", "built", data)]
        assert list(output.news()) == []


def test_jobs_are_kept_in_a_file(tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    assert read_jobs(path, "slurm") == []
    jobs = [SubmittedJob("7", ("a", "b"), "/out")]
    write_jobs(path, "slurm", jobs)
    assert read_jobs(path, "slurm") == jobs
    assert read_jobs(path, "pbs") == []
    path.write_text("[")
    assert read_jobs(path, "slurm") == []
    write_jobs(path, "slurm", [])
    assert not path.exists()
