from __future__ import annotations

from pathlib import Path

from kits.build_graphs import make_graph
from kits.specs import make_spec
from spack.engines.build_graph import BuildGraph
from spack.engines.build_weights import expected_weight
from spack.install.plan import make_plan
from spack.store.build_history import BuildHistory, BuildUsage


def needs(graph: BuildGraph) -> dict[str, list[str]]:
    return {n.name: sorted(graph.by_hash[x].name for x in n.needs) for n in graph.nodes}


def test_what_is_needed_anyway_is_left_out() -> None:
    made = make_graph({"a": (1, ""), "b": (2, "a"), "c": (4, "a"), "d": (8, "a b c")})
    assert needs(made) == {"a": [], "b": ["a"], "c": ["a"], "d": ["b", "c"], "all": ["d"]}
    assert made.critical_path == 13
    assert made.work == 15
    heights = {node.name: node.height for node in made.nodes}
    assert heights == {"a": 13, "b": 10, "c": 12, "d": 8, "all": 0}
    assert [node.name for node in made.critical_first] == ["a", "c", "b", "d", "all"]
    levels = [[node.name for node in level] for level in made.levels]
    assert levels == [["a"], ["b", "c"], ["d"], ["all"]]


def test_ways_through_what_a_cache_has() -> None:
    made = make_graph({"a": (1, ""), "b": (2, "a"), "c": (4, "b")}, cached="b")
    assert needs(made) == {"a": [], "c": ["a"], "all": ["c"]}


def test_weights_are_learned() -> None:
    plain = make_plan([make_spec("plain@1.0")], set()).steps[0]
    assumed = expected_weight(plain, ())
    assert not assumed.known and assumed.cores == 1
    other = BuildUsage("0.9", 90.0, 90.0, 1)
    assert expected_weight(plain, [other]).seconds == 90
    rows = [other, *(BuildUsage("1.0", x, 4 * x, 100 << 20) for x in (2.0, 3.0, 9.0))]
    learned = expected_weight(plain, rows)
    assert (learned.seconds, learned.cores, learned.known) == (3, 4, True)
    assert learned.memory == 680 << 20


def test_history_keeps_the_last_builds(tmp_path: Path) -> None:
    history = BuildHistory(tmp_path / "history")
    node = make_spec("zlib@1.3")
    assert history.of("zlib") == ()
    for second in range(12):
        history.add(node, {"seconds": second, "processor": 1, "memory": 5})
    kept = history.of("zlib")
    assert [row.seconds for row in kept] == list(range(4, 12))
    assert kept[0] == BuildUsage("1.3", 4.0, 1.0, 5)
    history.add(node, {"seconds": "much"})
    assert history.of("zlib") == kept
    (tmp_path / "history" / "zlib.json").write_text('[{"version": 1}, 3]')
    assert history.of("zlib") == ()
    (tmp_path / "history" / "zlib.json").write_text("{")
    assert history.of("zlib") == ()
