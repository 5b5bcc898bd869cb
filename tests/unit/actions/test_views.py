"""Which interpreter a view shows."""

from __future__ import annotations

from typing import Any

import pytest

from spack.actions.views import python_of
from spack.errors import ViewError
from spack.spec import ConcreteSpec, Edge, Version


def make(name: str, version: str, *needs: ConcreteSpec) -> ConcreteSpec:
    return ConcreteSpec(
        name,
        "test",
        Version(version),
        platform="linux",
        os="debian12",
        target="x86_64",
        edges=[Edge(node, ("build", "run")) for node in needs],
        package_hash="0" * 52,
    )


def test_one_view_shows_one_python() -> None:
    unused: Any = None
    nodes = [make(f"py-{v}", "1", make("python", v)) for v in ("3.11.2", "3.12.1")]
    with pytest.raises(
        ViewError, match=r"several Pythons: python@3\.11\.2/.*, python@3\.12\.1/"
    ) as e:
        python_of(nodes, unused)
    assert e.value.ref == "view-pythons"
    assert e.value.hint is not None and "select" in e.value.hint
    assert python_of([make("zlib", "1")], unused) is None
