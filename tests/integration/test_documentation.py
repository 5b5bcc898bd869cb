"""The pages as Sphinx builds them: no warnings, navigation, man pages."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import pytest

from kits.documentation import build_pages

ROOT = Path(__file__).resolve().parents[2]


pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def parsed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a directory for the parsed pages; skip where Sphinx is missing."""
    if find_spec("sphinx") is None or find_spec("myst_parser") is None:
        pytest.skip("sphinx is not installed; it is among the development tools of pyproject.toml")
    return tmp_path_factory.mktemp("parsed")


def test_pages_are_built_without_warnings(tmp_path: Path, parsed: Path) -> None:
    assert build_pages("html", tmp_path, parsed) == ""
    pages = {x.relative_to(ROOT) for x in ROOT.glob("*.md")}
    pages |= {x.relative_to(ROOT) for x in (ROOT / "docs").rglob("*.md")}
    assert {page for page in pages if not (tmp_path / page.with_suffix(".html")).exists()} == set()
    index = (tmp_path / "docs" / "index.html").read_text(encoding="utf-8")
    navigation = index.partition('class="sphinxsidebar"')[2]
    for caption in ("Tutorial", "How to", "Reference", "Explanation"):
        assert f">{caption}</span>" in navigation
    assert 'href="concretizer.html"' in navigation
    tutorial = (tmp_path / "docs" / "tutorial.html").read_text(encoding="utf-8")
    assert 'id="move-it"' in tutorial
    assert 'class="highlight-console' in tutorial


def test_man_pages_are_built_from_the_same_source(tmp_path: Path, parsed: Path) -> None:
    assert build_pages("man", tmp_path, parsed) == ""
    names = {path.name for path in tmp_path.glob("*.[157]")}
    assert {"spack.1", "spack.yaml.5", "spack-package-api.5", "spack-tutorial.7"} <= names
    commands = (tmp_path / "spack.1").read_text(encoding="utf-8")
    assert ".TS" not in commands, "options are lists, which a terminal of any width shows"
    for text in (".TP", ".TH", "SH NAME", "a package manager for Python stacks", "buildcache push"):
        assert text in commands
