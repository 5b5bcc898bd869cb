"""Mirrors of sources: made, configured, and installed from when nothing else is there."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from kits.command import Command
from kits.recipe_repository import RecipeRepository

INSTALL = """\
def install(self, spec, prefix):
    install_tree(".", prefix.share)
"""


@pytest.fixture
def sources(spack: Command, recipes: RecipeRepository, tmp_path: Path) -> Command:
    """``outer`` (two versions, a patch from a URL) over ``inner``; a source cache of its own."""
    patch = recipes.archives / "fix.patch"
    patch.write_text("--- a/data\n+++ b/data\n@@ -1 +1 @@\n-one\n+two\n")
    digest = recipes.checksum(patch)
    old = recipes.archive("outer-1.0", {"data": "old\n"})
    new = recipes.archive("outer-2.0", {"data": "one\n"})
    recipes.add(
        "outer",
        f'version("2.0", {new})\nversion("1.0", {old})\ndepends_on("inner")\n'
        f'patch("{patch.as_uri()}", sha256="{digest}", when="@2")\n{INSTALL}',
    )
    inner = recipes.archive("inner-1.0", {"inside": "in\n"})
    recipes.add("inner", f'version("1.0", {inner})\n{INSTALL}')
    config = spack.home.config / "config.yaml"
    text = config.read_text().splitlines()
    text = [x for x in text if "source_cache" not in x] + [f"  source_cache: {tmp_path}/cache"]
    config.write_text("\n".join(text) + "\n")
    return spack


def files(mirror: Path) -> int:
    return sum(path.is_file() for path in mirror.rglob("*"))


def test_an_install_needs_nothing_but_the_mirror(
    sources: Command, recipes: RecipeRepository, tmp_path: Path
) -> None:
    mirror = tmp_path / "mirror"
    made = sources("mirror", "create", "-d", mirror, "--dependencies", "outer").out
    assert "0    already present" in made and "2    added" in made
    assert files(mirror) == 3  # two archives and a patch
    again = sources("mirror", "create", "-d", mirror, "-D", "outer", "-n", "all").out
    assert "2    already present" in again and "1    added" in again
    assert files(mirror) == 4
    shutil.rmtree(recipes.archives)
    shutil.rmtree(tmp_path / "cache", ignore_errors=True)
    refused = sources.fails("install", "outer").err
    assert "cannot fetch inner-1.0.tar.gz" in refused
    sources("mirror", "add", "air", mirror)
    sources("install", "outer")
    assert (sources.prefix("outer") / "share" / "data").read_text() == "two\n"


def test_a_changed_file_of_a_mirror_is_refused(
    sources: Command, recipes: RecipeRepository, tmp_path: Path
) -> None:
    mirror = tmp_path / "mirror"
    sources("mirror", "create", "-d", mirror, "inner")
    shutil.rmtree(recipes.archives)
    shutil.rmtree(tmp_path / "cache", ignore_errors=True)
    (file,) = (path for path in mirror.rglob("*") if path.is_file())
    file.write_bytes(b"something else")
    sources("mirror", "add", "air", mirror)
    assert "checksum mismatch" in sources.fails("install", "inner").err


def test_what_goes_into_a_mirror(
    sources: Command, recipes: RecipeRepository, tmp_path: Path
) -> None:
    mirror = tmp_path / "mirror"
    listed = tmp_path / "specs"
    listed.write_text("# mine\nouter\n\ninner\n")
    shown = sources(
        "mirror", "create", "-d", mirror, "--file", listed, "--exclude-specs", "outer@2"
    ).out
    assert "1    added" in shown
    assert files(mirror) == 1
    sources("env", "create", "work")
    sources("-e", "work", "add", "outer@1")
    sources("-e", "work", "concretize")
    assert "1    added" in sources("-e", "work", "mirror", "create", "-d", mirror, "--all").out
    assert "1    already" in sources("-e", "work", "mirror", "create", "-d", mirror, "outer").out

    recipes.add("moved", f'version("1.0", url="file:///no/where.tar.gz", md5="{"0" * 32}")\n')
    failed = sources.fails("mirror", "create", "-d", mirror, "moved", "inner")
    assert "some sources could not be fetched: moved@1.0" in failed.err
    assert "1    already present" in failed.out and "1    failed to fetch." in failed.out

    recipes.add("loose", 'version("1.0", url="file:///no/where.tar.gz")\n')
    loose = sources("mirror", "create", "-d", mirror, "--skip-unstable-versions", "loose").out
    assert "0    failed" in loose
    recipes.add("forked", f'git = "file:///no"\nversion("1", commit="{"a" * 40}")\n')
    assert "1    from git" in sources("mirror", "create", "-d", mirror, "forked").out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("create",), "no packages were specified"),
        (("create", "--file", "x", "inner"), "--file replaces specs"),
        (("create", "--file", "no-file"), "cannot read the specs in"),
        (("create", "--all", "-n", "2"), "--all has all versions already"),
        (("create", "-n", "few", "inner"), "is a number or `all`, not few"),
        (("destroy", "-m", "none"), "there is no mirror none in the configuration"),
        (("destroy", "--mirror-url", "https://mirror.invalid"), "is not a directory of this"),
        (("destroy", "--mirror-url", "."), "is not a mirror of sources, so it is not removed"),
        (("remove", "none"), "there is no mirror none in the scopes user"),
        (("set", "none", "--url", "x"), "has no mirror none"),
        (("set", "none"), "nothing to change"),
        ((), "a subcommand is required"),
    ],
)
def test_refusals(spack: Command, words: tuple[str, ...], message: str) -> None:
    assert message in spack.fails("mirror", *words, code=2).err


def test_mirrors_of_the_configuration(spack: Command, tmp_path: Path) -> None:
    file = spack.home.config / "mirrors.yaml"
    assert "no mirrors configured" in spack("mirror", "list").out
    file.write_text("# ours\nmirrors:\n  first: https://mirror.invalid/a  # far\n")
    spack("mirror", "add", "near", "mirror")
    assert spack("mirror", "list").lines == [
        f"near   [sb]  {spack.home.path}/mirror",
        "first  [sb]  https://mirror.invalid/a",
    ]
    assert "# ours" in file.read_text() and "# far" in file.read_text()
    spack("mirror", "set-url", "first", "https://mirror.invalid/b")
    spack("mirror", "set", "--type", "source", "near")
    spack("mirror", "set", "--fetch", "--url", "https://mirror.invalid/c", "near")
    assert spack("mirror", "list").lines == [
        "near   [s ]  https://mirror.invalid/c",
        "first  [sb]  https://mirror.invalid/b",
    ]
    assert "no changes made" in spack("mirror", "set", "--type", "source", "near").out
    spack.fails("mirror", "add", "near", "other", code=2)
    spack("mirror", "add", "--scope", "user", "--type", "binary", "bin", tmp_path)
    assert f"bin    [ b]  {tmp_path}" in spack("mirror", "list", "--scope", "user").out
    for name in ("near", "bin"):
        spack("mirror", "remove", "--all-scopes", name)
    assert len(spack("mirror", "list").lines) == 1


def test_destroy(sources: Command, tmp_path: Path) -> None:
    for words in (("-m", "air"), ("--mirror-url", (tmp_path / "mirror").as_uri())):
        sources("mirror", "create", "-d", tmp_path / "mirror", "inner")
        if words[0] == "-m":
            sources("mirror", "add", "air", tmp_path / "mirror")
        sources("mirror", "destroy", *words)
        assert not (tmp_path / "mirror").exists()
