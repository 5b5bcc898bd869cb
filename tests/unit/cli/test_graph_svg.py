"""Graphs of packages as SVG."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest

from kits.specs import make_spec
from spack.cli.graph_svg import graph_svg
from spack.spec import ConcreteSpec

TYPES = ("build", "link", "run", "test")
SVG = "{http://www.w3.org/2000/svg}"


def node(name: str, *below: ConcreteSpec) -> ConcreteSpec:
    return make_spec(f"{name}@1", *below, types=("run",))


def drawn(*roots: ConcreteSpec, **status: str) -> ElementTree.Element:
    return ElementTree.fromstring(graph_svg(roots, TYPES, status))


def boxes(picture: ElementTree.Element) -> dict[str, tuple[float, float, float]]:
    """Return left, top and width of each node by name."""
    found = {}
    for group in picture.iter(f"{SVG}g"):
        if group.get("class") == "node":
            rect, text = group.find(f"{SVG}rect"), group.find(f"{SVG}text")
            assert rect is not None and text is not None and text.text is not None
            numbers = (float(rect.get(x, "")) for x in ("x", "y", "width"))
            left, top, width = numbers
            found[text.text.partition("@")[0]] = (left, top, width)
    return found


@pytest.fixture
def diamond() -> ConcreteSpec:
    bottom = node("bottom")
    return node("top", node("left", bottom), node("right", bottom), bottom)


def test_each_node_is_drawn_once_below_what_needs_it(diamond: ConcreteSpec) -> None:
    found = boxes(drawn(diamond, node("other", diamond)))
    assert sorted(found) == ["bottom", "left", "other", "right", "top"]
    tops = {name: top for name, (_, top, _) in found.items()}
    assert tops["other"] < tops["top"] < tops["left"] == tops["right"] < tops["bottom"]


def test_nodes_of_one_layer_do_not_overlap() -> None:
    root = node("root", *(node(f"a-rather-long-name-{i}") for i in range(9)))
    rows = sorted(box for name, box in boxes(drawn(root)).items() if name != "root")
    assert all(x + width < following for (x, _, width), (following, _, _) in zip(rows, rows[1:]))


def test_edges_that_follow_from_another_are_light(diamond: ConcreteSpec) -> None:
    paths = [x.get("class") for x in drawn(diamond).iter(f"{SVG}path")]
    assert paths == ["implied", None, None, None, None]


def test_edges_that_only_build_are_dotted() -> None:
    root = make_spec("root@1", node("tool"), types=("build",))
    (path,) = drawn(root).iter(f"{SVG}path")
    assert path.get("class") == "build"
    title = path.find(f"{SVG}title")
    assert title is not None and title.text == "build"


def test_nodes_are_filled_by_state(diamond: ConcreteSpec) -> None:
    status = {x.dag_hash(): "installed" for x in diamond.traverse() if x.name == "bottom"}
    picture = drawn(diamond, **status)
    fills = {
        text.text: rect.get("fill")
        for group in picture.iter(f"{SVG}g")
        for rect, text in [(group.find(f"{SVG}rect"), group.find(f"{SVG}text"))]
        if rect is not None and text is not None
    }
    assert fills["bottom@1"] == fills["installed"] != fills["top@1"] == fills["to be built"]


def test_the_picture_needs_nothing_else(diamond: ConcreteSpec) -> None:
    text = graph_svg([diamond], TYPES, {})
    assert not re.search(r"href|url\(|<script|<image", text)


def test_nothing_is_a_picture_too() -> None:
    assert boxes(drawn()) == {}
