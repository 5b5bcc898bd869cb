"""Versions that are offered, and their checksums for a recipe."""

from __future__ import annotations

import pytest

from kits.command import Command
from kits.recipe_repository import RecipeRepository


@pytest.fixture
def offered(spack: Command, recipes: RecipeRepository) -> Command:
    """``many`` 1.1 in a recipe, 1.0, 1.2 and 2.0 beside its archive."""
    for version in ("1.0", "1.2", "2.0"):
        recipes.archive(f"many-{version}", {"data": f"{version}\n"})
    source = recipes.archive("many-1.1", {"data": "1.1\n"})
    recipes.archive("manyother-3.0", {"data": "not this\n"})
    recipes.add("many", f'# mine\nversion("1.1", {source})\n')
    return spack


def test_versions_that_are_offered(offered: Command) -> None:
    assert offered("versions", "many").lines == ["1.1"]
    assert offered("versions", "--remote", "many").lines == ["2.0", "1.2", "1.0"]
    assert offered("versions", "--new", "many").lines == ["2.0", "1.2"]


def test_checksum_writes_a_recipe(offered: Command, recipes: RecipeRepository) -> None:
    shown = offered("checksum", "many").out
    digest = recipes.checksum(recipes.archives / "many-2.0.tar.gz")
    assert f'    version("2.0", sha256="{digest}")' in shown
    assert "found 2 versions of many" in shown and "1.0" not in shown
    assert "found 1 version of" in offered("checksum", "--latest", "many").out
    assert 'version("1.1"' in offered("checksum", "-p", "many").out

    added = offered("checksum", "--batch", "-a", "many", "1.0", "1.2:").out
    assert "added 3 versions to" in added
    text = recipes.path("many").read_text()
    at = [text.index(f'version("{x}"') for x in ("2.0", "1.2", "1.1", "1.0")]
    assert at == sorted(at) and "# mine" in text
    offered("install", "many@2.0", check=False)  # its recipe can be read
    assert offered("versions", "many").lines == ["2.0", "1.2", "1.1", "1.0"]
    assert "found no newer versions" in offered("versions", "-n", "many").out
    assert "found no new versions" in offered("checksum", "many").out
    assert "added 0 versions" in offered("checksum", "-a", "many@1.0").out


def test_verify(offered: Command, recipes: RecipeRepository) -> None:
    assert "1.1  ok" in offered("checksum", "--verify", "many").out
    assert "2.0  not in the recipe" in offered("checksum", "--verify", "many", "2.0").out
    recipes.archive("many-1.1", {"data": "something else\n"})
    refused = offered.fails("checksum", "--verify", "many")
    assert "1.1  MISMATCH" in refused.out and "checksum mismatch: 1.1" in refused.err


def test_refusals(offered: Command, recipes: RecipeRepository) -> None:
    assert "is 7:" in offered.fails("checksum", "many", "7:", code=2).err
    assert "cannot fetch many-7.tar.gz" in offered.fails("checksum", "many", "7").err
    recipes.add("forked", 'git = "file:///no"\nversion("main", branch="main")\n')
    assert "its recipe has no url" in offered.fails("checksum", "forked").err
    recipes.add(
        "far", 'url = "file:///no/where/far-1.0.tar.gz"\nversion("main", git="file:///x")\n'
    )
    assert "no/where" in offered.fails("versions", "-r", "far").err


def test_url(offered: Command, recipes: RecipeRepository) -> None:
    url = (recipes.archives / "many-1.2.tar.gz").as_uri()
    shown = offered("url", "parse", "--spider", url).out
    assert "    name:    many\n    version: 1.2\n" in shown
    assert "many-9.9.9b.tar.gz" in shown
    assert "Found 4 versions in" in shown and "manyother" not in shown
    assert "there is no version in" in offered.fails("url", "parse", "file:///a/b", code=2).err
    assert "a subcommand is required" in offered.fails("url", code=2).err
    assert url.replace("1.2", "1.1") in offered("url", "list").lines
    assert url.replace("1.2", "1.1") in offered("url", "list", "--correct-version").lines
    assert url.replace("1.2", "1.1") not in offered("url", "list", "-n", check=False).lines


def test_statistics(offered: Command, recipes: RecipeRepository) -> None:
    recipes.add(
        "old-style",
        'homepage = "http://example.org"\nurl = "http://example.org/old-style-1.0.tar.gz"\n'
        'version("1.0", md5="0123456789abcdef0123456789abcdef")\n'
        'version("main", git="https://example.org/x.git", branch="main")\n',
    )
    recipes.plain("nothing")
    shown = offered("url", "stats", "--show-issues").out
    for line in ("    no code", "    branch ", "    http ", "    md5 "):
        assert line in shown
    assert "    old-style: http://example.org/old-style-1.0.tar.gz" in shown
    summary = offered("url", "summary").out
    assert "Total URLs found:" in summary and "Names correctly parsed:" in summary
    wrong = offered("audit", "packages-https", "old-style", check=False)
    assert wrong.code == 1
    assert wrong.lines[:2] == [
        "old-style: http://example.org",
        "old-style: http://example.org/old-style-1.0.tar.gz",
    ]
    assert "2 URLs not encrypted" in wrong.out
    assert "0 URLs not" in offered("audit", "packages-https", "nothing").out
    assert "packages-https" in offered("audit", "list").lines
