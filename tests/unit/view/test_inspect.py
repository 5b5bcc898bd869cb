"""What a view reports itself when what it leads to is missing."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from spack.view.inspect import dangling, status, verify
from spack.view.plan_types import LINK_TYPES

from .conftest import Make, Store, demo_sources


@pytest.mark.parametrize("link_type", LINK_TYPES)
def test_a_package_that_is_missing(
    tmp_path: Path, store: Store, make: Make, link_type: str
) -> None:
    sources = demo_sources(store)
    make(tmp_path / "view", sources, link_type=link_type)
    manifest, state, _ = verify(str(tmp_path / "view"))
    assert state.whole and dangling(manifest, state) == ()
    missing_owners = next(source for source in sources if source.name == "py-one")
    shutil.rmtree(missing_owners.prefix)
    found = status(str(tmp_path / "view"))
    assert found.state.whole and [owner.name for owner in found.missing_owners] == ["py-one"]
    links = tuple(
        path
        for path, item in sorted(manifest.items.items())
        if item.how == "symlink" and item.source.startswith(missing_owners.prefix + "/")
    )
    assert found.dangling == links
    assert bool(links) == (link_type == "symlink"), "files of their own are whole"


def test_an_interpreter_that_is_missing(tmp_path: Path, store: Store, make: Make) -> None:
    view = tmp_path / "view"
    make(view, demo_sources(store))
    assert store.python is not None
    manifest, state, _ = verify(str(view))
    own = manifest.items["bin/python3"]
    assert own.source == store.python.executable
    manifest.items["bin/python3"] = own._replace(source="/nowhere/python3")  # type: ignore[index]
    assert dangling(manifest, state) == ("bin/python3",)
