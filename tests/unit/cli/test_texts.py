"""YAML of ``config get``, trees of ``spec``, questions."""

from __future__ import annotations

import io
from typing import Any

import pytest

from kits.specs import make_spec
from spack.cli.output import to_yaml
from spack.cli.prompt import confirm
from spack.cli.render import Colors
from spack.cli.spec_text import TreeParts, node_status, tree
from spack.errors import UsageError
from spack.spec import ConcreteSpec, Edge
from spack.util import yaml


@pytest.mark.parametrize(
    "data",
    [
        {"config": {"a": True, "b": None, "c": 1.5, "d": "yes", "e": "1.10", "f": ""}},
        {"x": {"list": ["a b", "- c", {"k": "v", "l": [1, 2]}], "empty": {}, "none": []}},
        {"packages": {"all": {"variants": ["+mpi", "~x"], "version": ["1:2"]}}},
        {"odd": {"with: colon": "a#b", "quote": 'it\'s "so"', "path": "~/x/${HOME}"}},
    ],
)
def test_what_config_get_prints_reads_back(data: Any) -> None:
    text = to_yaml(data)
    assert yaml.load("x.yaml", text).data == data


def node(name: str, *edges: Edge) -> ConcreteSpec:
    return make_spec(name, *edges)


def test_a_tree_shows_each_node_once_with_its_types() -> None:
    leaf = node("leaf")
    middle = node("middle", Edge(leaf, ("link",)))
    root = node("root", Edge(leaf, ("build",)), Edge(middle, ("run",)))
    parts = TreeParts(marks=True, types=True)
    text = tree([root], Colors(False), parts, lambda spec: "missing")
    lines = [line.split(" platform=")[0] for line in text.splitlines()]
    assert lines == [
        " -   [    ]  root@1.0",
        " -   [bl  ]      ^leaf@1.0",
        " -   [  r ]      ^middle@1.0",
    ]


def test_what_roots_share_is_shown_once() -> None:
    shared = node("shared", Edge(node("leaf"), ("link",)))
    roots = [node(name, Edge(shared, ("link",))) for name in ("one", "two")]
    names = [line.split("@")[0] for line in tree(roots, Colors(False)).splitlines()]
    assert names == ["one", "    ^shared", "        ^leaf", "two"]
    text = tree([roots[0], shared], Colors(False))
    assert [line.split("@")[0] for line in text.splitlines()][-1] == "shared"
    text = tree(roots, Colors(False), TreeParts(cover="edges"))
    assert text.count("shared@") == 2 and text.count("leaf@") == 1


def test_names_are_coloured_by_state() -> None:
    external = make_spec("external@1", external="/usr")
    missing = node("absent", Edge(external, ("link",)))
    text = tree([missing], Colors(True), status=node_status([]))
    assert text.startswith("\033[1mabsent\033[0m")
    assert "^\033[35mexternal\033[0m" in text


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(("answer", "yes"), [("y\n", True), ("YES\n", True), ("\n", False)])
def test_a_question_defaults_to_no(answer: str, yes: bool) -> None:
    assert confirm("sure?", Terminal(answer), io.StringIO()) is yes


def test_a_question_without_a_user_is_an_error() -> None:
    with pytest.raises(UsageError, match="no terminal") as error:
        confirm("sure?", io.StringIO("y\n"), io.StringIO())
    assert "--yes-to-all" in str(error.value.hint)
