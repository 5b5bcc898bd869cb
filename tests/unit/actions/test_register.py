"""The register of environments that are outside of the directory of named ones."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from spack.actions.environments import known_environments, remember
from spack.environment import Environment, create_environment


def test_none_is_forgotten_when_several_are_remembered_at_once(tmp_path: Path) -> None:
    register = tmp_path / "var" / "environments.json"
    made = [create_environment(tmp_path / f"e{number}") for number in range(12)]
    with ThreadPoolExecutor(12) as pool:
        list(pool.map(lambda environment: remember(environment, register), made))
    known = known_environments(tmp_path / "named", register)
    assert {environment.path for environment in known} == {x.path for x in made}


@pytest.mark.parametrize("text", ["", "{", '{"a": 1}', "[1, null]"])
def test_a_damaged_register_is_an_empty_one(tmp_path: Path, text: str) -> None:
    register = tmp_path / "environments.json"
    register.write_text(text)
    assert known_environments(tmp_path / "named", register) == []
    remember(create_environment(tmp_path / "e"), register)
    assert [x.path for x in known_environments(tmp_path / "named", register)] == [tmp_path / "e"]


def test_a_read_only_installation_remembers_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    remember(Environment(tmp_path), tmp_path / "file" / "environments.json")
