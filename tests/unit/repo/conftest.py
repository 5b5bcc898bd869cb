"""Repositories made for a test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Callable

import pytest

from spack.repo.finder import remove_finder

HEADER = """\
from spack_repo.builtin.build_systems.generic import Package

from spack.package import *


"""

MakeRepository = Callable[..., Path]


@pytest.fixture
def make_repository(tmp_path: Path) -> MakeRepository:
    """``make(recipes, namespace=...)``: recipes by directory, the header is put in front."""

    def make(recipes: dict[str, str], namespace: str = "mine") -> Path:
        root = tmp_path / namespace
        root.mkdir(exist_ok=True)
        (root / "repo.yaml").write_text(f"repo:\n  namespace: {namespace}\n  api: v2.2\n")
        for directory, text in recipes.items():
            location = root / "packages" / directory
            location.mkdir(parents=True, exist_ok=True)
            (location / "package.py").write_text(HEADER + text)
        return root

    return make


@pytest.fixture
def clean_imports() -> Iterator[Any]:
    """Recipes imported by the test are forgotten after it."""
    remove_finder()
    yield
    remove_finder()
