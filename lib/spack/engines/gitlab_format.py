"""A plan as a child pipeline of GitLab: one job for each build.

Written as JSON, which is YAML, by the keyword reference of GitLab CI/CD (``needs``, ``retry``).
"""

from __future__ import annotations

import json
from typing import Any

from spack.engines.build_graph import BuildGraph, GraphNode
from spack.engines.export_options import ExportOptions

__all__ = ["gitlab_text"]

#: The usual limit of ``needs`` of a job; what needs more waits for jobs that only collect them.
_MOST_NEEDS = 50


def gitlab_text(graph: BuildGraph, options: ExportOptions) -> str:
    """Return the pipeline. Runners take dependencies from a cache, so each build must reach it."""
    pipeline: dict[str, Any] = {
        "stages": ["build"],
        "default": {
            "retry": {
                "max": 2,
                "when": ["runner_system_failure", "stuck_or_timeout_failure"],
            }
        },
    }
    for node in graph.nodes:
        labels = sorted(graph.by_hash[digest].label for digest in node.needs)
        needs = _collected(pipeline, node, labels)
        pipeline[node.label] = {
            "stage": "build",
            "needs": needs,
            "variables": {
                "SPACK_CORES": str(node.weight.cores),
                "SPACK_MEMORY": f"{node.weight.memory >> 20}M",
            },
            "script": [f"{options.build} /{node.hash}"],
        }
    if not graph.nodes:
        # A pipeline without jobs is an error.
        pipeline["nothing-to-build"] = {"stage": "build", "script": ["true"]}
    return json.dumps(pipeline, indent=1) + "\n"


def _collected(pipeline: dict[str, Any], node: GraphNode, labels: list[str]) -> list[str]:
    """Return *labels*, or the names of jobs, added to *pipeline*, that wait for them."""
    round_ = 0
    while len(labels) > _MOST_NEEDS:
        parts = [labels[i : i + _MOST_NEEDS] for i in range(0, len(labels), _MOST_NEEDS)]
        labels = [f"wait-{node.label}-{round_}-{number}" for number in range(len(parts))]
        for name, part in zip(labels, parts):
            pipeline[name] = {"stage": "build", "needs": part, "script": ["true"]}
        round_ += 1
    return labels
