"""Names of Python projects, compared as :pep:`503` says."""

from __future__ import annotations

import re

__all__ = ["normalized"]


def normalized(name: str) -> str:
    """Return a project's name as package indexes compare it: ``Foo.Bar_baz`` is ``foo-bar-baz``."""
    return re.sub(r"[-_.]+", "-", name).lower()
