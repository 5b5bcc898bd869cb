"""The upstream repository of recipes, when one is at hand."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

#: Names a checkout of upstream's repository of recipes; without it nothing that needs one is
#: collected: neither CI nor a fresh clone has it.
VARIABLE = "SPACK_VENV_UPSTREAM"

collect_ignore = [] if os.environ.get(VARIABLE) else ["test_upstream.py"]


@pytest.fixture(scope="session")
def upstream() -> Path:
    """Return the checkout."""
    return Path(os.environ[VARIABLE])
