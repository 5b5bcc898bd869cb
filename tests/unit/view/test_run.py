"""The views behind ``spack load``."""

from __future__ import annotations

from pathlib import Path

import pytest

from spack.errors import ViewError
from spack.view.activate import ROOT, Step
from spack.view.plan import ViewOptions
from spack.view.run import make_run_view, run_view_path

from .conftest import Store, demo_sources, run


def test_a_run_view_is_shared_and_made_once(tmp_path: Path, store: Store) -> None:
    folder = str(tmp_path / "store" / ".views")
    options = ViewOptions(python=store.python)
    sources = demo_sources(store)
    hashes = [source.hash for source in sources[1:3]]
    first = make_run_view(folder, hashes, sources, options)
    assert first.result.changed and first.path == run_view_path(folder, reversed(hashes))
    assert Step("prepend", "PATH", f"{ROOT}/bin") in first.activation.steps
    assert run(Path(first.path) / "bin/tool").startswith("1 2 ")
    assert not make_run_view(folder, hashes[::-1], sources, options).result.changed
    assert run_view_path(folder, hashes[:1]) == f"{folder}/{hashes[0]}"


def test_packages_that_cannot_be_loaded_together(tmp_path: Path, store: Store) -> None:
    sources = [store.package("a", {"bin/x": "1"}), store.package("b", {"bin/x": "2"})]
    with pytest.raises(ViewError, match="more than one package"):
        make_run_view(str(tmp_path / "views"), ["a", "b"], sources, ViewOptions())
    assert list((tmp_path / "views").iterdir()) == []
