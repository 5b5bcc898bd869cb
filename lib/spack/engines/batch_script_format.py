"""A plan as a shell script that submits one job for each build to a batch system."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from functools import partial
from typing import Callable

from spack.engines.batch_systems import BATCH_SYSTEMS, BatchJob
from spack.engines.build_graph import BuildGraph
from spack.engines.bundles import Bundle, bundles_of
from spack.engines.export_options import ExportOptions

__all__ = ["SCRIPT_FORMATS", "submit_script"]

#: Jobs that are assumed to run at once.
_LANES = 16

_HEAD = """\
#!/bin/sh
# Made by `spack env depfile`: submits the builds of {environment} to {system}.
# Each job prints the outcome of its builds as lines of JSON into a file of $JOBS.
set -eu
JOBS=${{JOBS:-$PWD/jobs}}
mkdir -p "$JOBS"
"""

_JOB = """
cat > "$JOBS/{number}.sh" <<'END'
#!/bin/sh
exec {command}
END
{variable}=$({submit}{pick})
"""


def submit_script(system: str, graph: BuildGraph, options: ExportOptions) -> str:
    """Return the script for the batch system of that name, the critical path first."""
    bundles = bundles_of(graph, _LANES)
    head = _HEAD.format(environment=options.environment, system=system)
    jobs = (_job(system, number, bundle, options) for number, bundle in enumerate(bundles))
    return head + "".join(jobs)


def _job(system: str, number: int, bundle: Bundle, options: ExportOptions) -> str:
    row = BATCH_SYSTEMS[system]
    job = BatchJob(
        bundle.name,
        script="@JOBS@/script",
        output="@JOBS@/output",
        cores=bundle.cores,
        memory=bundle.memory,
        rank=number,
        after=tuple(f"@job{needed}@" for needed in bundle.needs),
    )
    hashes = " ".join(f"/{node.hash}" for node in bundle.nodes)
    submit = " ".join(_quoted(word, number) for word in row.submit(job))
    # sbatch and qsub print nothing but the name.
    pick = "" if row.job_id.startswith("\\A") else " | sed -n 's/^Job <\\([0-9]*\\)>.*/\\1/p'"
    return _JOB.format(
        number=number,
        command=f"{options.build} -j {bundle.cores} {hashes}",
        variable=f"job{number}",
        submit=submit,
        pick=pick,
    )


def _quoted(word: str, number: int) -> str:
    """Return a word for the shell; what is between @ are variables of the script."""
    word = word.replace("@JOBS@/script", f"@JOBS@/{number}.sh")
    word = word.replace("@JOBS@/output", f"@JOBS@/{number}.out")
    parts = word.split("@")
    if len(parts) == 1:
        return shlex.quote(word)
    texts = (f"${{{part}}}" if index % 2 else part for index, part in enumerate(parts))
    return '"' + "".join(texts) + '"'


#: A format for each batch system.
SCRIPT_FORMATS: Mapping[str, Callable[[BuildGraph, ExportOptions], str]] = {
    name: partial(submit_script, name) for name in BATCH_SYSTEMS
}
