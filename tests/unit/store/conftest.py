"""Specs and stores that tests of the store share."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from kits.specs import MakeSpec, make_spec
from spack.store import Layout, Store


@pytest.fixture
def spec() -> MakeSpec:
    """``spec("name@1.2", dependency, (dependency, ("build",)), external="/usr")``."""
    return partial(make_spec, types=("run",))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(Layout(tmp_path / "store"), clock=lambda: 1000.0)
    yield store
    store.close()
