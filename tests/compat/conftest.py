"""The upstream repository of recipes, when one is at hand."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

#: Names a checkout of upstream's repository of recipes.
VARIABLE = "SPACK_VENV_UPSTREAM"


@pytest.fixture(scope="session")
def upstream() -> Path:
    """The checkout; without one the test is skipped."""
    path = os.environ.get(VARIABLE)
    if not path:
        pytest.skip(f"{VARIABLE} names no checkout of the upstream recipes")
    return Path(path)
