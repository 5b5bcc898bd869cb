"""Which ``__init__.py`` only declares a namespace package."""

from __future__ import annotations

import pytest

from spack.view.namespace_packages import declaration_rank

PKGUTIL = "__path__ = __import__('pkgutil').extend_path(__path__, __name__)\n"
RESOURCES = "__import__('pkg_resources').declare_namespace(__name__)\n"


@pytest.mark.parametrize(
    ("text", "rank"),
    [
        (PKGUTIL, 2),
        (f"# a licence\n'''Text.'''\n\n{PKGUTIL}", 2),
        ("from pkgutil import extend_path\n__path__ = extend_path(__path__, __name__)\n", 2),
        ("import pkgutil\n__path__ = pkgutil.extend_path(__path__, __name__)\n", 2),
        (RESOURCES, 1),
        ("import pkg_resources\npkg_resources.declare_namespace(__name__)\n", 1),
        (f"try:\n    {RESOURCES}except ImportError:\n    {PKGUTIL}", 2),
        (f"try:\n    {RESOURCES}except ImportError:\n    pass\n", 1),
        ("", 0),
        ("# only a comment\n", 0),
        ("from __future__ import annotations\n", 0),
        ("import os\n", None),
        (f"{PKGUTIL}x = 1\n", None),
        ("__path__ = []\n", None),
        ("from .a import b\n", None),
        ("from pkgutil_more import x\n", None),
        ("try:\n    import os\nexcept ImportError:\n    pass\n", None),
        ("this is no Python", None),
        ("(" * 5000, None),
        ("\0", None),
    ],
)
def test_declarations(text: str, rank: int | None) -> None:
    assert declaration_rank(text.encode()) == rank
