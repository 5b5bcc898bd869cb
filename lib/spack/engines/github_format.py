"""A plan as a workflow of GitHub Actions: a matrix for each level of the graph.

Written as JSON, which is YAML, by the workflow syntax of GitHub Actions.
"""

from __future__ import annotations

import json
from typing import Any

from spack.engines.build_graph import BuildGraph
from spack.engines.export_options import ExportOptions

__all__ = ["github_text"]

#: The most jobs that a matrix may have.
_MOST_JOBS = 256


def github_text(graph: BuildGraph, options: ExportOptions) -> str:
    """Return the workflow. Each job has a machine of its own: builds meet in a cache."""
    jobs: dict[str, Any] = {}
    before: list[str] = []
    for depth, level in enumerate(graph.levels):
        parts = [level[i : i + _MOST_JOBS] for i in range(0, len(level), _MOST_JOBS)]
        names = []
        for number, part in enumerate(parts):
            names.append(f"level-{depth}" if len(parts) == 1 else f"level-{depth}-{number}")
            include = [{"package": f"{x.name}@{x.version}", "hash": x.hash} for x in part]
            jobs[names[-1]] = {
                "name": "${{ matrix.package }}",
                # A failure keeps nothing but what needs it from being built, which ends with 4.
                **({"needs": before, "if": "${{ !cancelled() }}"} if before else {}),
                "runs-on": "ubuntu-latest",
                "strategy": {"fail-fast": False, "matrix": {"include": include}},
                "steps": [
                    {"uses": "actions/checkout@v4"},
                    {"run": f"{options.build} /${{{{ matrix.hash }}}}"},
                ],
            }
        before = names
    if not jobs:
        jobs["nothing-to-build"] = {"runs-on": "ubuntu-latest", "steps": [{"run": "true"}]}
    workflow = {
        "name": f"build {options.environment}",
        "on": {"workflow_dispatch": {}, "workflow_call": {}},
        "jobs": jobs,
    }
    return json.dumps(workflow, indent=1) + "\n"
