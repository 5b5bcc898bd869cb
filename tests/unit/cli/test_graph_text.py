"""Graphs of packages as text."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from kits.specs import make_spec
from spack.cli.graph_text import ascii_graph, dot, mermaid
from spack.cli.render import Colors
from spack.spec import ConcreteSpec

TYPES = ("build", "link", "run", "test")


def node(name: str, *below: ConcreteSpec) -> ConcreteSpec:
    return make_spec(f"{name}@1", *below, types=("run",))


def drawn(root: ConcreteSpec) -> list[str]:
    return ascii_graph(root, TYPES, Colors(False)).splitlines()


def names_in(lines: list[str]) -> list[str]:
    return [line.split("  ")[-1].split("@")[0] for line in lines if "@" in line]


def test_a_chain_has_one_lane() -> None:
    lines = drawn(node("a", node("b", node("c"))))
    assert [line[:4] for line in lines] == ["o  a", "o  b", "o  c"]


def test_a_diamond_joins_its_lanes() -> None:
    bottom = node("d")
    lines = drawn(node("a", node("b", bottom), node("c", bottom)))
    assert names_in(lines) == ["a", "c", "b", "d"]
    assert lines[1] == "+-."
    assert lines[2].startswith("| o  c")
    assert lines[4] == "'-+"
    assert lines[5].startswith("  o  d")


@st.composite
def graphs(draw: st.DrawFn) -> ConcreteSpec:
    nodes: list[ConcreteSpec] = []
    for number in range(draw(st.integers(1, 9))):
        chosen = [x for x in nodes if draw(st.booleans())]
        nodes.append(node(f"n{number}", *chosen))
    return node("root", *nodes)


@given(graphs())
def test_each_node_is_drawn_once_and_before_what_it_needs(root: ConcreteSpec) -> None:
    lines = drawn(root)
    names = names_in(lines)
    every = list(root.traverse(TYPES))
    assert sorted(names) == sorted(x.name for x in every)
    for spec in every:
        for edge in spec.edges:
            assert names.index(spec.name) < names.index(edge.spec.name)
    # Every lane has ended at the last node.
    assert lines[-1].split("  ")[-2].strip(" o") == ""


@given(graphs())
def test_texts_for_programs_have_every_edge(root: ConcreteSpec) -> None:
    edges = {(x.dag_hash(), e.spec.dag_hash()) for x in root.traverse(TYPES) for e in x.edges}
    graphviz, markdown = dot([root], TYPES), mermaid([root], TYPES)
    for parent, child in edges:
        assert f'"{parent}" -> "{child}"' in graphviz
        assert f"{parent[:7]} --> {child[:7]}" in markdown
    assert graphviz.count("->") == len(edges)
