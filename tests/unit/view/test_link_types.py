"""The one table of link types, and who reads it."""

from __future__ import annotations

from pathlib import Path

import pytest

from spack.config import link_types
from spack.environment import EnvironmentManifest
from spack.errors import ConfigError
from spack.view.plan_types import LINK_TYPES


def test_views_make_every_link_type_of_the_table() -> None:
    assert [row.name for row in link_types.LINK_TYPES] == list(LINK_TYPES)


@pytest.mark.parametrize(
    ("text", "name"),
    [(text, row.name) for row in link_types.LINK_TYPES for text in (row.name, *row.synonyms)],
)
def test_every_spelling_is_accepted_and_means_its_link_type(
    tmp_path: Path, text: str, name: str
) -> None:
    file = tmp_path / "spack.yaml"
    file.write_text(f"spack:\n  view: {{default: {{root: view, link_type: {text}}}}}\n")
    (view,) = EnvironmentManifest.read(file).views()
    assert view.link_type == name


def test_another_one_is_refused_with_the_names(tmp_path: Path) -> None:
    file = tmp_path / "spack.yaml"
    file.write_text("spack:\n  view: {default: {root: view, link_type: relocat}}\n")
    with pytest.raises(ConfigError) as error:
        EnvironmentManifest.read(file)
    assert "relocate" in f"{error.value.hint}", "a copy, as the user meant"
