"""Makes the folder's kit importable: recipes from data, problems from scenarios, the checker."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

_KIT = Path(__file__).with_name("kit.py")


@pytest.fixture(scope="session")
def kit() -> ModuleType:
    """Return the module ``kit.py`` beside this file."""
    spec = importlib.util.spec_from_file_location("solver_kit", _KIT)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["solver_kit"] = module
    spec.loader.exec_module(module)
    return module
