from __future__ import annotations

import random

import pytest

from kits.build_graphs import make_graph
from spack.engines.build_graph import BuildGraph
from spack.engines.bundles import Bundle, bundles_of


def names(bundles: tuple[Bundle, ...]) -> list[list[str]]:
    return [[node.name for node in bundle.nodes] for bundle in bundles]


def check(graph: BuildGraph, bundles: tuple[Bundle, ...]) -> None:
    """Check that all builds are in one bundle each, after what they need."""
    job = {node.hash: number for number, x in enumerate(bundles) for node in x.nodes}
    assert sorted(job) == sorted(node.hash for node in graph.nodes)
    for number, bundle in enumerate(bundles):
        assert all(needed < number for needed in bundle.needs)
        done: set[str] = set()
        for node in bundle.nodes:
            for needed in node.needs:
                assert needed in done or job[needed] in bundle.needs
            done.add(node.hash)


def test_small_chains_are_one_job_and_large_builds_are_not() -> None:
    graph = make_graph({"a": (1, ""), "b": (2, "a"), "c": (50, "b"), "d": (3, "c")})
    bundles = bundles_of(graph, 4)
    assert names(bundles) == [["a", "b"], ["c"], ["d", "all"]]
    assert [bundle.height for bundle in bundles] == [56, 53, 3]
    assert [bundle.name for bundle in bundles] == ["b+1", "c", "all+1"]
    check(graph, bundles)


def test_small_ones_of_a_level_are_joined_as_far_as_lanes_stay_busy() -> None:
    graph = make_graph(dict.fromkeys("abcdef", (1, "")))
    assert len(bundles_of(graph, 6)) == 7
    joined = bundles_of(graph, 2)
    assert sorted(map(len, names(joined))) == [1, 1, 1, 4]
    check(graph, joined)


@pytest.mark.parametrize("seed", range(20))
def test_any_graph(seed: int) -> None:
    rng = random.Random(seed)
    nodes: dict[str, tuple[float, str]] = {}
    for number in range(40):
        below = rng.sample(sorted(nodes), min(len(nodes), rng.randrange(4)))
        nodes[f"p{number:02}"] = (rng.choice([0.5, 2, 9, 60]), " ".join(below))
    graph = make_graph(nodes)
    for lanes in (1, 3, 16):
        check(graph, bundles_of(graph, lanes))
