"""Fixtures that every test may use."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def root() -> Path:
    """Return the top of this repository."""
    return ROOT


@pytest.fixture(scope="session")
def uv() -> str:
    """Return the uv program: that of the development tools, else the one on PATH."""
    locations = os.pathsep.join([os.path.dirname(sys.executable), os.environ.get("PATH", "")])
    program = shutil.which("uv", path=locations)
    if program is None:
        pytest.skip("uv is not installed; it is among the development tools of pyproject.toml")
    return program
