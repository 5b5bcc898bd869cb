"""Commands that change the install tree, and those that work on sources and builds."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from kits.command import Command, Snapshot, change_file
from kits.recipe_repository import RecipeRepository

# -- what changes the install tree -------------------------------------------------------------


@pytest.fixture
def tower(spack: Command, recipes: RecipeRepository) -> Command:
    """``top`` over ``middle`` over ``base``, and ``in a backup``; installed."""
    recipes.plain("base")
    recipes.plain("middle", "base")
    recipes.plain("top", "middle")
    recipes.plain("aside")
    spack("install", "top", "aside")
    return spack


def test_uninstall_refuses_while_something_needs_it(
    tower: Command, packages_of: Callable[[Path], Snapshot]
) -> None:
    before = packages_of(tower.home.store)
    refused = tower.fails("uninstall", "-y", "base")
    assert "is needed by middle@1.0/" in refused.err
    assert "--dependents" in refused.err
    tower.fails("uninstall", "top", code=2)  # nothing is there to be asked
    assert packages_of(tower.home.store) == before

    removed = tower("uninstall", "-y", "--dependents", "middle").out
    assert "==> 2 packages removed" in removed
    assert set(tower.names()) == {"base", "aside"}
    left = {
        path.split("/")[1].split("-")[0] for path in packages_of(tower.home.store) if "/" in path
    }
    assert left == {"base", "aside"}
    assert "no installed package matches" in tower.fails("uninstall", "-y", "top").err


def test_uninstall_by_force_is_reported_by_verify(tower: Command) -> None:
    tower("uninstall", "-y", "--force", "base")
    assert set(tower.names()) == {"middle", "top", "aside"}
    tower("install", "top")
    assert set(tower.names()) == {"base", "middle", "top", "aside"}


def test_uninstall_needs_one_of_several(spack: Command, recipes: RecipeRepository) -> None:
    recipes.add(
        "two",
        'has_code = False\nversion("2")\nversion("1")\n'
        "def install(self, spec, prefix):\n    mkdirp(prefix.bin)\n",
    )
    spack("install", "two@1")
    spack("install", "-U", "two@2")
    refused = spack.fails("uninstall", "-y", "two")
    assert "two@1" in refused.err and "two@2" in refused.err
    spack("uninstall", "-y", "two@1")
    assert spack("find", "--format", "{version}", "two").out == "2\n"
    spack("uninstall", "-y", "--all", "two")
    assert spack.names() == []


def test_gc(tower: Command) -> None:
    assert "nothing to remove" in tower("gc", "-y").out
    tower("uninstall", "-y", "top")
    shown = tower("gc", "--dry-run").out
    assert "middle@1.0" in shown and "base@1.0" in shown and "aside" not in shown
    assert set(tower.names()) == {"base", "middle", "aside"}
    assert "==> 2 packages removed" in tower("gc", "-y").out
    assert tower.names() == ["aside"]


def test_gc_keeps_what_environments_need(tower: Command) -> None:
    tower("env", "create", "keeper")
    tower("-e", "keeper", "add", "middle")
    tower("-e", "keeper", "install")
    tower("uninstall", "-y", "top")
    assert "middle" not in tower("gc", "-y").out
    assert set(tower.names()) == {"base", "middle", "aside"}
    tower("env", "remove", "-y", "keeper")
    tower("uninstall", "-y", "middle")
    tower("gc", "-y")
    assert tower.names() == ["aside"]


def test_gc_removes_build_dependencies(spack: Command, recipes: RecipeRepository) -> None:
    recipes.c_program("prog", "int main(void) { return 0; }\n")
    spack("install", "prog")
    assert "compiler-wrapper" in spack.names()
    assert "nothing to remove" in spack("gc", "-y", "--keep-build").out
    spack("gc", "-y")
    assert set(spack.names("--no-externals")) == {"prog"}


def test_reindex_after_the_database_is_lost(tower: Command) -> None:
    before = tower("find", "--json").out
    for file in (tower.home.store / ".spack-db").glob("index.sqlite*"):
        file.unlink()
    lost = tower("find")
    assert "no installed packages" in lost.err
    assert "spack reindex" in lost.err
    assert "4 packages in the database" in tower("reindex").out
    assert tower("find", "--json").out == before


def test_a_damaged_database_is_reported_and_mended(tower: Command) -> None:
    file = tower.home.store / ".spack-db" / "index.sqlite"
    file.write_bytes(b"no database" * 1000)
    assert "spack reindex" in tower.fails("find").err
    assert "4 packages in the database" in tower("reindex").out
    assert set(tower.names()) == {"base", "middle", "top", "aside"}


def test_verify_finds_what_was_changed(tower: Command) -> None:
    assert tower("verify").out == "==> 4 packages checked, 0 with differences\n"
    prefix = tower.prefix("base")
    change_file(prefix / "bin" / "base", "changed\n")
    (prefix / "bin" / "new").write_text("")
    (tower.prefix("aside") / "bin" / "aside").unlink()
    result = tower("verify", check=False)
    assert result.code == 1
    assert "==> 4 packages checked, 2 with differences" in result.out
    assert re.search(r"^    bin/base: ", result.out, re.M)
    assert re.search(r"^    bin/new: ", result.out, re.M)
    assert re.search(r"^    bin/aside: ", result.out, re.M)
    assert tower("verify", "top").code == 0


def test_install_shows_where_it_is(spack: Command, recipes: RecipeRepository) -> None:
    recipes.plain("one")
    shown = spack("install", "one").out
    assert f"is in {spack.prefix('one')}" in shown
    again = spack("install", "one").out
    assert "Installing" not in again and f"is in {spack.prefix('one')}" in again
    assert "one" in spack("install", "--dry-run", "one").out


def test_install_only_and_overwrite(spack: Command, recipes: RecipeRepository) -> None:
    recipes.plain("base")
    recipes.plain("top", "base")
    spack("install", "--only", "dependencies", "top")
    assert spack.names() == ["base"]
    spack("install", "--only", "package", "top")
    assert set(spack.names()) == {"base", "top"}
    first = json.loads(spack("find", "--json", "top").out)[0]["installed_at"]
    assert "Installing top" in spack("install", "--overwrite", "top").out
    assert json.loads(spack("find", "--json", "top").out)[0]["installed_at"] != first
    recipes.plain("over", "missing-here")
    recipes.plain("missing-here")
    result = spack.fails("install", "--only", "package", "over")
    assert "missing-here" in result.err


# -- sources and builds ------------------------------------------------------------------------


def test_fetch_then_install_without_the_source(spack: Command, recipes: RecipeRepository) -> None:
    recipes.c_program("prog", "int main(void) { return 0; }\n")
    own = ("-c", f"config:source_cache:{spack.home.sources}")
    assert "prog@1.0" in spack(*own, "fetch", "prog").out
    for archive in recipes.archives.iterdir():
        archive.unlink()
    spack(*own, "install", "prog")


def test_stage_and_clean(spack: Command, recipes: RecipeRepository) -> None:
    recipes.c_program("prog", "int main(void) { return 0; }\n")
    shown = spack("stage", "prog").out
    (path,) = re.findall(r"is in (\S+)$", shown.strip())
    source = Path(path)
    assert (source / "main.c").is_file()
    assert source.is_relative_to(spack.home.stages)
    assert "stage: 1 removed" in spack("clean").out
    assert not source.exists()
    assert "stage: 0 removed" in spack("clean", "--stage").out


def test_clean_all(spack: Command, recipes: RecipeRepository) -> None:
    own = (
        *("-c", f"config:source_cache:{spack.home.sources}"),
        *("-c", f"config:misc_cache:{spack.home.path}/misc"),
    )
    recipes.c_program("prog", "int main(void) { return undeclared; }\n")
    spack.fails(*own, "install", "prog")
    assert list(spack.home.sources.rglob("*.tar.gz"))
    assert list(spack.home.stages.rglob("main.c")), "the stage of a failed build stays"
    shown = spack(*own, "clean", "--all").out
    for what in ("stage", "downloads", "misc cache", "failures"):
        assert re.search(rf"{what}: [1-9]\d* removed", shown), what
    assert not list(spack.home.sources.rglob("*.tar.gz"))
    assert not list(spack.home.stages.rglob("main.c"))
    recipes.c_program("prog", "int main(void) { return 0; }\n")
    assert spack(*own, "install", "prog").code == 0


def test_build_env(small: Command) -> None:
    shown = small("build-env", "prog").out
    assert re.search(r"^CC=/\S+/compiler-wrapper-\S+; export CC$", shown, re.M)
    assert not re.search(r"^(PYTHONPATH|VIRTUAL_ENV)=", shown, re.M)
    ran = small("build-env", "prog", "--", "sh", "-c", 'echo "[$CC]"')
    assert re.fullmatch(r"\[/\S+/compiler-wrapper-\S+]\n", ran.out)
    code = small("build-env", "prog", "--", "sh", "-c", "exit 7", check=False).code
    assert code == 7
    missing = small.fails("build-env", "py-click").err
    assert re.search(r"py-click@\S+ needs what is not installed: .*py-flit-core@", missing)
    assert "hint: spack install --only dependencies py-click" in missing
