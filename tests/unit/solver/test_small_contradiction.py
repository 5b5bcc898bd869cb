"""A contradiction that needs no package to be looked at."""

from __future__ import annotations

from types import ModuleType

import pytest

from spack.errors import UnsatisfiableError


def test_a_contradiction_about_what_cannot_be_built_ends(kit: ModuleType) -> None:
    external = {"spec": "a@1.0 target=x86_64_v3", "prefix": "/usr"}
    data = {
        "packages": {"a": {}},
        "config": {"a": {"buildable": False, "externals": [external]}},
        "roots": ["a target=x86_64"],
    }
    with pytest.raises(UnsatisfiableError):
        kit.concretize(kit.problem_of(data))
