"""A plan as JSON, for engines that have no format of their own here."""

from __future__ import annotations

import json

from spack.engines.build_graph import BuildGraph
from spack.engines.export_options import ExportOptions

__all__ = ["plan_json"]


def plan_json(graph: BuildGraph, options: ExportOptions) -> str:
    """Return the builds in an order in which they can be done, with weights and commands."""
    nodes = [
        {
            "hash": node.hash,
            "name": node.name,
            "version": node.version,
            "needs": list(node.needs),
            "seconds": node.weight.seconds,
            "memory": node.weight.memory,
            "cores": node.weight.cores,
            "learned": node.weight.known,
            "critical_seconds": node.height,
            "command": f"{options.build} /{node.hash}",
        }
        for node in graph.nodes
    ]
    data = {
        "environment": options.environment,
        "seconds": round(graph.work, 3),
        "critical_seconds": graph.critical_path,
        "nodes": nodes,
    }
    return json.dumps(data, indent=1) + "\n"
