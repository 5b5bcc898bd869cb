"""Which packages and which interpreter a view shows."""

from __future__ import annotations

from typing import Any

import pytest

from kits.specs import make_spec
from spack.actions.views import python_of, shown
from spack.config.schema import Origin
from spack.environment.spack_yaml import ViewDescriptor
from spack.errors import ViewError
from spack.spec import ConcreteSpec


def make(name: str, version: str, *needs: ConcreteSpec) -> ConcreteSpec:
    return make_spec(f"{name}@{version}", *needs, types=("build", "run"))


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


def test_of_several_runtimes_a_view_shows_the_newest() -> None:
    old, new = make("gcc-runtime", "9.4.0"), make("gcc-runtime", "12.2.0")
    root = make("a", "1", new, make("b", "1", old))
    view = ViewDescriptor("default", "/view", Origin("spack.yaml"))
    assert set(shown([root], view)) == {root, new, *(e.spec for e in root.edges)} - {old}
