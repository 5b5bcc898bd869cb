"""Recipes that override how their package comes into a view."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Callable

import pytest

from kits.specs import make_spec
from spack.errors import ViewError
from spack.spec import dump
from spack.view.apply import ViewResult, update_view
from spack.view.hooks import HookContext, HookRecord, ask_recipes
from spack.view.plan_types import LINK_TYPES, ViewOptions, ViewSource
from spack.view.view_manifest import load_manifest

from .conftest import TEMPLATES, Store

EVERY_TYPE = pytest.mark.parametrize("link_type", LINK_TYPES)

HEADER = """\
import os, shutil
from spack_repo.builtin.build_systems.generic import Package
from spack.package import *

class Odd(Package):
    version("1.0")
"""

MakeOdd = Callable[..., ViewResult]


@pytest.fixture
def make_odd(tmp_path: Path, store: Store) -> MakeOdd:
    """``make_odd(body, odd, *others)``: a view with *odd*, whose recipe has the methods *body*."""

    def make(
        body: str, odd: ViewSource, *others: ViewSource, link_type: str = "symlink"
    ) -> ViewResult:
        recipe = tmp_path / "repo/packages/odd/package.py"
        recipe.parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "repo/repo.yaml").write_text("repo:\n  namespace: odd\n  api: v2.0\n")
        recipe.write_text(HEADER + "".join(f"    {line}\n" for line in body.splitlines()))
        node = make_spec("odd", namespace="odd")
        source = ViewSource(**{**odd.__dict__, "hash": node.dag_hash()})
        view = tmp_path / "view"

        def ask(sources: Sequence[ViewSource]) -> Mapping[str, HookRecord]:
            context = HookContext(
                dump([node]),
                {node.dag_hash(): odd.prefix},
                (("odd", str(tmp_path / "repo")),),
                tuple(x for x in sys.path if x),
            )
            rest = [x for x in sources if x.name != "odd"]
            return ask_recipes(context, [source], rest, link_type, str(view))

        options = ViewOptions(link_type=link_type, python=store.python, templates=TEMPLATES)
        return update_view(str(view), [source, *others], options, ask=ask)

    return make


@EVERY_TYPE
def test_links_and_texts_of_a_recipe(
    tmp_path: Path, store: Store, make_odd: MakeOdd, link_type: str
) -> None:
    odd = store.package(
        "odd",
        {"lib/odd/a.txt": "a\n", "bin/tool": ("#!/bin/sh\necho @PLACE@\n", 0o755), "drop": "x"},
        links={"lib/odd/b.txt": "a.txt"},
    )
    make_odd(
        """\
def add_files_to_view(self, view, merge_map, skip_if_exists=True):
    tool = os.path.join(self.prefix.bin, "tool")
    rest = {s: d for s, d in merge_map.items() if os.path.basename(s) not in ("tool", "drop")}
    super().add_files_to_view(view, rest, skip_if_exists)
    shutil.copy(tool, os.path.join(view.get_projection_for_spec(self.spec), "tool"))
    mkdirp(os.path.join(view.get_projection_for_spec(self.spec), "bin"))
    shutil.copy(tool, merge_map[tool])
    filter_file("@PLACE@", view.get_projection_for_spec(self.spec), merge_map[tool])
    path = self.view_destination(view)
    view.link(os.path.join(path, "lib", "odd"), os.path.join(path, "share", "also"))
    with open(os.path.join(path, "type"), "w") as stream:
        stream.write(view.link_type)
""",
        odd,
        link_type=link_type,
    )
    view = tmp_path / "view"
    manifest = load_manifest(str(view))
    assert manifest is not None
    own = {path: item.how for path, item in manifest.items.items() if item.owner >= 0}
    assert own == {
        "bin/tool": "text",
        "tool": "text",
        "type": "text",
        "lib/odd/a.txt": link_type,
        "lib/odd/b.txt": "link",
        "share/also": "link",
    }
    assert (view / "bin/tool").read_text() == f"#!/bin/sh\necho {view}\n"
    assert os.access(view / "bin/tool", os.X_OK)
    assert (view / "type").read_text() == link_type
    assert os.readlink(view / "share/also") == "../lib/odd"
    assert (view / "share/also/b.txt").read_text() == "a\n"


def test_another_source_and_destination(tmp_path: Path, store: Store, make_odd: MakeOdd) -> None:
    odd = store.package("odd", {"inner/x": "x\n", "outer": "y\n"})
    make_odd(
        """\
def view_source(self):
    return os.path.join(self.prefix, "inner")

def view_destination(self, view):
    return os.path.join(view.get_projection_for_spec(self.spec), "sub")
""",
        odd,
    )
    view = tmp_path / "view"
    assert (view / "sub/x").read_text() == "x\n" and not (view / "outer").exists()


def test_conflicts_that_a_recipe_allows(tmp_path: Path, store: Store, make_odd: MakeOdd) -> None:
    odd = store.package("odd", {"etc/one": "odd\n", "etc/two": "odd\n"})
    other = store.package("aaa", {"etc/one": "aaa\n", "etc/two": "aaa\n"})
    allow = """\
def view_file_conflicts(self, view, merge_map):
    found = super().view_file_conflicts(view, merge_map)
    return {path for path in found if os.path.basename(path) not in (%s)}
"""
    with pytest.raises(ViewError, match="1 path comes from more than one package") as caught:
        make_odd(allow % "'one',", odd, other)
    assert "etc/two: aaa@1.0" in str(caught.value.long_message)
    make_odd(allow % "'one', 'two'", odd, other)
    assert (tmp_path / "view/etc/one").read_text() == "aaa\n"


def test_a_recipe_that_fails(tmp_path: Path, store: Store, make_odd: MakeOdd) -> None:
    odd = store.package("odd", {"x": "x\n"})
    with pytest.raises(ViewError, match=r"odd cannot .*package\.py:9: ZeroDivisionError") as caught:
        make_odd("\ndef view_source(self):\n    return 1 / 0\n", odd)
    assert caught.value.hint and not (tmp_path / "view").exists()
    with pytest.raises(ViewError, match="ended early"):
        make_odd("def view_source(self):\n    os._exit(3)\n", odd)
