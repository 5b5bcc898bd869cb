"""Specs and stores that tests of the store share."""

from __future__ import annotations

from pathlib import Path
from typing import Callable

import pytest

from spack.spec import ConcreteSpec, Edge, External, VariantValue, Version
from spack.store import Layout, Store


@pytest.fixture
def spec() -> Callable[..., ConcreteSpec]:
    """``spec("name@1.2", dependency, (dependency, ("build",)), external="/usr")``."""

    def make(text: str, *dependencies: object, external: str | None = None, **variants: bool):
        name, _, version = text.partition("@")
        edges = []
        for dependency in dependencies:
            node, types = dependency if isinstance(dependency, tuple) else (dependency, ("run",))
            edges.append(Edge(node, types))
        return ConcreteSpec(
            name,
            "test",
            Version(version or "1.0"),
            {key: VariantValue.boolean(key, value) for key, value in variants.items()},
            platform="linux",
            os="debian12",
            target="x86_64",
            edges=edges,
            external=External(external) if external else None,
            package_hash=None if external else "0" * 52,
        )

    return make


@pytest.fixture
def store(tmp_path: Path):
    store = Store(Layout(tmp_path / "store"), clock=lambda: 1000.0)
    yield store
    store.close()
