"""``pypi:NAME``: projects of the package index as packages of their namespace."""

from __future__ import annotations

import pytest

from spack.spec import Spec, parse_many


@pytest.mark.parametrize(
    ("text", "package"),
    [
        ("pypi:httpx", "pypi.py-httpx"),
        ("pypi:Ruamel.Yaml@0.18:", "pypi.py-ruamel-yaml@0.18:"),
        ("pypi:httpx[http2, Dev-Tools]@1", "pypi.py-httpx+http2+dev_tools@1"),
        ("py-a ^pypi:b[c]", "py-a ^pypi.py-b+c"),
    ],
)
def test_a_project(text: str, package: str) -> None:
    assert Spec(text) == Spec(package)
    assert parse_many(text) == [Spec(package)]


def test_several() -> None:
    specs = parse_many(["pypi:a", "pypi:b[c]", "py-d"])
    assert [(spec.namespace, spec.name) for spec in specs] == [
        ("pypi", "py-a"),
        ("pypi", "py-b"),
        (None, "py-d"),
    ]
