"""The jobs of a run in a file, for a later process to go on with."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from spack.errors import SpackError
from spack.util.filesystem import atomic_write
from spack.util.json_input import parse_json

__all__ = ["SubmittedJob", "read_jobs", "write_jobs"]


class SubmittedJob(NamedTuple):
    """A job of a batch system.

    :ivar id: what the batch system calls it. :ivar hashes: of the builds in it, in their order.
    :ivar output: the file of what it prints.
    """

    id: str
    hashes: tuple[str, ...]
    output: str


def read_jobs(path: Path, system: str) -> list[SubmittedJob]:
    """Return the jobs that an earlier process has submitted to *system* and not seen the end of."""
    try:
        data = parse_json(path.read_bytes())
        if data["system"] != system:
            return []
        return [SubmittedJob(x["id"], tuple(x["hashes"]), x["output"]) for x in data["jobs"]]
    except (OSError, ValueError, KeyError, TypeError, SpackError):
        return []


def write_jobs(path: Path, system: str, jobs: Iterable[SubmittedJob]) -> None:
    """Note the jobs that run or wait; none removes the file."""
    rows = [job._asdict() for job in jobs]
    if not rows:
        path.unlink(missing_ok=True)
        return
    atomic_write(path, json.dumps({"system": system, "jobs": rows}, indent=1) + "\n")
