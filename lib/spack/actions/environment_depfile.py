"""The builds that an environment still needs, for the engines that carry them out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from spack.engines.build_graph import build_graph
from spack.engines.build_weights import expected_weight
from spack.install.plan import PlanOptions, make_plan
from spack.spec import DEPTYPES, traverse_all

if TYPE_CHECKING:
    from spack.actions.binary_installs import CachedInstalls
    from spack.engines.build_graph import BuildGraph
    from spack.install.plan import Plan
    from spack.spec import ConcreteSpec
    from spack.store import Store

__all__ = ["graph_of", "missing_builds"]


def missing_builds(
    roots: Sequence[ConcreteSpec],
    store: Store,
    caches: CachedInstalls | None,
    *,
    everything: bool = False,
) -> BuildGraph:
    """Return the builds that *roots* need.

    :param caches: what they have is not built.
    :param everything: also what the store or a cache has.
    """
    nodes = () if everything else traverse_all(roots, DEPTYPES)
    records = store.database.records_of(node.dag_hash() for node in nodes)
    installed = frozenset(record.hash for record in records if store.is_present(record))
    plan = make_plan(roots, installed)
    if caches is not None and not everything:
        own = frozenset(root.dag_hash() for root in roots)
        cached = caches.available([step.spec for step in plan.builds], own)
        plan = make_plan(roots, installed, PlanOptions(cached=cached))
    return graph_of(plan, store)


def graph_of(plan: Plan, store: Store) -> BuildGraph:
    """Return the builds of *plan*, with the weights that *store* knows."""
    return build_graph(plan, lambda step: expected_weight(step, store.history.of(step.spec.name)))
