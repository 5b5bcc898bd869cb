"""What a person does that nobody expects of one: each gets an answer, and none a traceback."""

from __future__ import annotations

import shutil


def test_the_first_repository_can_be_added_and_removed(spack, tmp_path):
    root = tmp_path / "mine"
    spack("repo", "create", root, "mine")
    spack("repo", "add", root)
    assert "mine" in spack("repo", "list").out
    assert f"mine: {root}" in (spack.place.config / "repos.yaml").read_text()
    spack("repo", "remove", "mine")
    assert "mine" not in spack("repo", "list").out


def test_a_repository_is_added_to_an_empty_section(spack, tmp_path):
    (spack.place.config / "repos.yaml").write_text("repos:\n")
    spack("repo", "create", tmp_path / "mine", "mine")
    spack("repo", "add", tmp_path / "mine")
    assert "mine" in spack("repo", "list").out


def test_a_prefix_that_somebody_removed_is_built_again(spack, recipes):
    recipes.plain("base")
    recipes.plain("top", "base")
    spack("install", "top")
    prefix = spack.prefix("base")
    shutil.rmtree(prefix)
    result = spack("install", "top")
    assert f"built again, because {prefix} is gone" in result.text
    assert (prefix / "bin" / "base").exists()
    assert spack("verify").lines[-1].endswith(" 0 with differences")
    assert "built again" not in spack("install", "top").text


def test_the_package_of_a_removed_prefix_can_be_uninstalled(spack, recipes):
    recipes.plain("base")
    spack("install", "base")
    shutil.rmtree(spack.prefix("base"))
    spack("uninstall", "-y", "base")
    assert spack.names() == []


C_PROGRAM = "int main(void) { return 0; }\n"


def test_compilers_work_in_a_store_whose_path_has_blanks(make_spack, make_recipes, tmp_path):
    spack = make_spack(tmp_path / "my 'odd' home")
    recipes = make_recipes(spack)
    recipes.c_program("plain", C_PROGRAM)
    spack("install", "plain")
    assert subprocess.run([spack.prefix("plain") / "bin" / "plain"]).returncode == 0
