"""What a user does that nothing expects of one: each gets an answer, and none a traceback."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from kits.command import Command
from kits.recipe_repository import RecipeRepository


def test_the_first_repository_can_be_added_and_removed(spack: Command, tmp_path: Path) -> None:
    root = tmp_path / "mine"
    spack("repo", "create", root, "mine")
    spack("repo", "add", root)
    assert "mine" in spack("repo", "list").out
    assert f"mine: {root}" in (spack.home.config / "repos.yaml").read_text()
    spack("repo", "remove", "mine")
    assert "mine" not in spack("repo", "list").out


def test_a_repository_is_added_to_an_empty_section(spack: Command, tmp_path: Path) -> None:
    (spack.home.config / "repos.yaml").write_text("repos:\n")
    spack("repo", "create", tmp_path / "mine", "mine")
    spack("repo", "add", tmp_path / "mine")
    assert "mine" in spack("repo", "list").out


def test_a_prefix_that_another_process_removed_is_built_again(
    spack: Command, recipes: RecipeRepository
) -> None:
    recipes.plain("base")
    recipes.plain("top", "base")
    spack("install", "top")
    prefix = spack.prefix("base")
    shutil.rmtree(prefix)
    result = spack("install", "top")
    assert f"built again, because {prefix} is missing" in result.text
    assert (prefix / "bin" / "base").exists()
    assert spack("verify").lines[-1].endswith(" 0 with differences")
    assert "built again" not in spack("install", "top").text


def test_the_package_of_a_removed_prefix_can_be_uninstalled(
    spack: Command, recipes: RecipeRepository
) -> None:
    recipes.plain("base")
    spack("install", "base")
    shutil.rmtree(spack.prefix("base"))
    spack("uninstall", "-y", "base")
    assert spack.names() == []


def test_compilers_work_in_a_store_whose_path_has_blanks(
    spack: Command, recipes: RecipeRepository, tmp_path: Path
) -> None:
    recipes.add(
        "plain",
        """\
        has_code = False
        version("1.0")
        depends_on("c", type="build")

        def install(self, spec, prefix):
            mkdirp(prefix.bin)
            with open("main.c", "w") as stream:
                stream.write("int main(void) { return 0; }")
            # As make, distutils and configure do: the value is split into words.
            Executable("sh")("-c", '$CC main.c -o "$0"', prefix.bin.plain)
        """,
    )
    store = ("-c", f"config:install_tree:root:{tmp_path}/my 'odd' store")
    spack(*store, "install", "plain")
    prefix = spack(*store, "location", "-i", "plain").out.strip()
    assert subprocess.run([f"{prefix}/bin/plain"]).returncode == 0


def test_a_version_written_as_pip_does(spack: Command) -> None:
    for text in ("py-black==25.1.0", "py-black=25.1.0"):
        assert "py-black@25.1.0" in spack.fails("spec", text).err


def test_a_hash_that_is_not_there_has_a_hint_that_works(spack: Command) -> None:
    error = spack.fails("uninstall", "-y", "/zzzz").err
    assert "`spack find -L`" in error


def test_a_directory_that_is_missing_is_no_obstacle(spack: Command, tmp_path: Path) -> None:
    missing = tmp_path / "gone"
    missing.mkdir()
    script = f'cd "{missing}" && rmdir "{missing}" && exec "$@"'
    result = spack("find", under=["sh", "-c", script, "sh"], check=False)
    assert "no installed packages" in result.text
