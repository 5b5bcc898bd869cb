"""Which installed specs the concretizer is offered."""

from __future__ import annotations

from typing import Any

import pytest

from kits.specs import make_spec
from spack.actions.concretizing import allowed
from spack.config.settings import Settings
from spack.spec import Spec

INSTALLED = {make_spec(text).dag_hash(): make_spec(text) for text in ("a@1", "a@2", "b@1")}


@pytest.mark.parametrize(
    ("reuse", "expected"),
    [
        (True, ["a@1", "a@2", "b@1"]),
        ({"include": ["a"]}, ["a@1", "a@2"]),
        ({"exclude": ["a@2"]}, ["a@1", "b@1"]),
        ({"include": ["a"], "exclude": ["@1"]}, ["a@2"]),
        ({"from": [{"type": "local"}]}, ["a@1", "a@2", "b@1"]),
        ({"from": [{"type": "buildcache"}, {"type": "external"}]}, []),
        ({"from": [{"type": "local", "include": ["b"]}], "exclude": ["a"]}, ["b@1"]),
        (
            {"from": [{"type": "local", "include": ["b"]}, {"type": "local", "exclude": ["@1"]}]},
            ["a@2", "b@1"],
        ),
    ],
)
def test_include_exclude_and_from(reuse: Any, expected: Any) -> None:
    settings = Settings.from_data({"concretizer": {"reuse": reuse}}).concretizer.reuse_settings
    found = allowed(INSTALLED, settings)
    assert sorted(f"{spec.name}@{spec.version}" for spec in found.values()) == expected


def test_what_is_named_by_hash_stays() -> None:
    settings = Settings.from_data({"concretizer": {"reuse": {"exclude": ["a", "b"]}}})
    node = make_spec("b@1")
    wanted = [Spec(f"/{node.dag_hash()[:7]}")]
    found = allowed(INSTALLED, settings.concretizer.reuse_settings, wanted)
    assert list(found) == [node.dag_hash()]
