"""Graphs of builds for tests of engines."""

from __future__ import annotations

from collections.abc import Mapping

from kits.specs import make_spec
from spack.engines.build_graph import BuildGraph, build_graph
from spack.engines.build_weights import BuildWeight
from spack.install.plan import PlanOptions, make_plan
from spack.spec import ConcreteSpec

__all__ = ["make_graph"]


def make_graph(nodes: Mapping[str, tuple[float, str]], cached: str = "") -> BuildGraph:
    """Return the builds of ``all``, which needs all of *nodes* and takes no time.

    :param nodes: seconds and direct dependencies by name, dependencies first.
    :param cached: names of what a cache has.
    """
    made: dict[str, ConcreteSpec] = {}
    for name, (_, below) in nodes.items():
        made[name] = make_spec(name, *((made[x], ("build", "run")) for x in below.split()))
    root = make_spec("all", *((node, ("build",)) for node in made.values()))
    options = PlanOptions(cached=frozenset(made[x].dag_hash() for x in cached.split()))
    plan = make_plan([root], set(), options)
    seconds = {name: row[0] for name, row in nodes.items()}
    return build_graph(plan, lambda step: BuildWeight(seconds.get(step.spec.name, 0.0), 1 << 28, 1))
