"""Values of configuration files that commands add, remove and change."""

from __future__ import annotations

from pathlib import Path

import pytest

from spack.config.edit import SectionFile
from spack.config.values import add_value, overridden, parse_path, remove_value
from spack.errors import ConfigError, UsageError
from spack.spec import Spec

TEXT = """\
# mine
packages:
  # of a
  a:
    require: ["@1"]  # one
  b::
    buildable: false
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "packages.yaml"
    file.write_text(TEXT)
    return file


def added(path: Path, text: str) -> str:
    add_value(SectionFile(path, "packages"), *parse_path(text))
    return path.read_text()


def test_lists_are_merged_and_comments_stay(path: Path) -> None:
    text = added(path, "packages:a:require:['@2', '@1']")
    assert "require: [" in text and "# one" in text and "# of a" in text
    assert text.index("@2") < text.index("@1")
    assert text.count("@1") == 1


def test_a_single_value_goes_into_a_list(path: Path) -> None:
    assert "@2" in added(path, "packages:a:require:@2")
    assert "- '%gcc'" in added(path, "packages:a:prefer:%gcc")


def test_the_suffix_of_a_key_is_kept_or_made(path: Path) -> None:
    assert "  b::\n    buildable: true\n" in added(path, "packages:b:buildable:true").replace(
        "'b:':", "b::"
    )
    text = added(path, "packages:a::{buildable: false}")
    assert "require" not in text and "a:" in text


@pytest.mark.parametrize(
    "wrong", ["packages:a:buildabel:true", "packages:a:buildable:often", "packages:a:require:@@"]
)
def test_what_the_section_does_not_know_leaves_the_file_alone(path: Path, wrong: str) -> None:
    with pytest.raises(ConfigError):
        added(path, wrong)
    assert path.read_text() == TEXT


def test_no_file_is_made_for_a_wrong_value(tmp_path: Path) -> None:
    path = tmp_path / "sub" / "config.yaml"
    with pytest.raises(ConfigError):
        add_value(SectionFile(path, "config"), *parse_path("config:build_jobs:many"))
    assert not path.parent.exists()
    add_value(SectionFile(path, "config"), *parse_path("config:build_jobs:2"))
    assert path.read_text() == "config:\n  build_jobs: 2\n"


def test_remove(path: Path) -> None:
    file = SectionFile(path, "packages")
    remove_value(file, "packages:a:require:@1")
    assert "@1" not in path.read_text()
    remove_value(file, "packages:b:buildable")
    remove_value(file, "packages:a")
    assert "a:" not in path.read_text()
    for missing in ("packages:c", "packages:b:buildable:false", "packages:b:require:@1"):
        with pytest.raises(UsageError):
            remove_value(file, missing)


@pytest.mark.parametrize(
    ("spec", "change", "result"),
    [
        ("a@1+x~y", "~x", "a@1~x~y"),
        ("a@1 ^b@2", "@2 ^b@3 ^c", "a@2 ^b@3 ^c"),
        ("a cflags=-O2 target=x86_64", "target=aarch64", "a cflags=-O2 target=aarch64"),
        ("a@1", "", "a@1"),
    ],
)
def test_overridden(spec: str, change: str, result: str) -> None:
    assert overridden(Spec(spec), Spec(change)) == Spec(result)
