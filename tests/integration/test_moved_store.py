"""A moved install tree: it answers with its new paths, and nothing goes to the old ones."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from kits.command import Command, TakeSnapshot
from kits.recipe_repository import RecipeRepository


@pytest.fixture
def moved(spack: Command, recipes: RecipeRepository, tmp_path: Path) -> Path:
    """Return where the tree of ``spack`` is now; it has ``base``, ``top`` and ``py-sweet``."""
    recipes.plain("base")
    recipes.plain("top", "base")
    recipes.python_project("sweet", {"sweet.py": "x = 1\n"})
    spack("install", "top", "py-sweet")
    spack("load", "--sh", "top")
    new = tmp_path / "elsewhere" / "store"
    new.parent.mkdir()
    spack.home.store.rename(new)
    config = spack.home.config / "config.yaml"
    config.write_text(config.read_text().replace(str(spack.home.store), str(new)))
    return new


def test_answers_are_of_the_new_location(
    spack: Command, moved: Path, tree_of: TakeSnapshot
) -> None:
    before = tree_of(moved)
    assert spack.prefix("top").is_relative_to(moved)
    found = json.loads(spack("find", "--json").out)
    assert found and all(Path(row["prefix"]).exists() for row in found if "prefix" in row)
    assert "[+]  top" in spack("spec", "-I", "top").out
    assert "is in " in spack("install", "top").text
    script = spack("load", "--sh", "top").out + "\ntop\n"
    assert subprocess.check_output(["sh", "-c", script], env=dict(spack.environ), text=True)
    assert tree_of(moved, ".spack-db", ".views") == {
        key: value for key, value in before.items() if not key.startswith((".spack-db", ".views"))
    }
    assert not spack.home.store.exists()


def test_nothing_is_built_at_the_old_location(
    spack: Command, recipes: RecipeRepository, moved: Path
) -> None:
    recipes.plain("more", "base")
    text = " ".join(spack("install", "more").text.split())
    assert "1 package to build" in text
    assert f"the install tree is at {moved} now" in text
    shutil.rmtree(spack.prefix("base"))
    assert "base@1.0" in spack("install", "base").text
    assert spack.prefix("base").is_relative_to(moved) and spack.prefix("more").is_dir()
    spack("uninstall", "-y", "top")
    spack("reindex")
    assert set(spack.names()) >= {"base", "more", "py-sweet"} and "top" not in spack.names()
    assert not spack.home.store.exists()


def test_a_copy_is_a_tree_of_its_own(
    spack: Command, recipes: RecipeRepository, moved: Path, tree_of: TakeSnapshot, tmp_path: Path
) -> None:
    """Also while a transaction was running, whose marker names the first tree."""
    pending = moved / ".spack-db/pending"
    pending.mkdir(exist_ok=True)
    first = spack.prefix("base")
    digest = first.name.rpartition("-")[2]
    marker = {
        "transaction": "x",
        "kind": "install",
        "hash": digest,
        "short": "base@1.0",
        "prefix": str(first),
        "replaces": True,
        "owner": [1, 1, "host", "then"],
        "started": 0,
        "build": None,
    }
    (pending / f"{digest}.json").write_text(json.dumps(marker))
    copy = tmp_path / "copy"
    shutil.copytree(moved, copy, symlinks=True)
    (pending / f"{digest}.json").unlink()
    before = tree_of(moved)
    tree = ("-c", f"config:install_tree:root:{copy}")
    recipes.plain("more", "base")
    spack(*tree, "install", "more")
    spack(*tree, "uninstall", "-y", "top")
    assert spack(*tree, "location", "-i", "more").out.startswith(str(copy))
    assert tree_of(moved) == before


LIBRARY = """\
has_code = False
version("1.0")
depends_on("c", type="build")

def install(self, spec, prefix):
    mkdirp(prefix.lib, prefix.bin)
    with open("lib.c", "w") as stream:
        stream.write("int answer(void) { return 42; }")
    Executable("cc")("-shared", "-fPIC", "-o", prefix.lib.join("libanswer.so"), "lib.c")
    symlink(prefix.lib.join("libanswer.so"), prefix.lib.join("absolute"))
"""

PROGRAM = """\
has_code = False
version("1.0")
depends_on("c", type="build")
depends_on("library")

def install(self, spec, prefix):
    mkdirp(prefix.bin)
    with open("main.c", "w") as stream:
        stream.write("int answer(void); int main(void) { return answer() - 42; }")
    Executable("cc")("-o", prefix.bin.asks, "main.c", "-lanswer")
    with open(prefix.bin.calls, "w") as stream:
        stream.write("#!/bin/sh\\nexec %s/bin/asks\\n" % prefix)
    set_executable(prefix.bin.calls)
"""


@pytest.mark.parametrize("name", ["s", "store-with-a-much-longer-name"])
def test_files_are_relocated(
    spack: Command, recipes: RecipeRepository, tmp_path: Path, name: str
) -> None:
    recipes.add("library", LIBRARY)
    recipes.add("asking", PROGRAM)
    recipes.tool()
    recipes.python_project("sweet", {"sweet.py": "x = 1\n"})
    environment = tmp_path / "e"
    environment.mkdir()
    manifest = "spack:\n  specs: [asking, py-tool, py-sweet]\n  view: view\n"
    (environment / "spack.yaml").write_text(manifest)
    spack("-e", environment, "install")
    new = spack.home.path / name
    spack.home.store.rename(new)
    config = spack.home.config / "config.yaml"
    config.write_text(config.read_text().replace(str(spack.home.store), str(new)))
    done = spack("relocate", check=False)
    if done.code:
        assert shutil.which("patchelf") is None and len(name) > len("store")
        again = done.out.rpartition("spack install --overwrite ")[2].split()
        assert again and "asking@1.0/" in done.text
        spack("install", "--overwrite", *again)
        spack("relocate")
    assert "no file of" in spack("relocate").out
    assert "0 with differences" in spack("verify", "manifest", "-a").out
    assert "files in it may still name" not in spack("install", "asking").text
    subprocess.run([spack.prefix("asking") / "bin/calls"], env={}, check=True)
    text = spack("-e", environment, "install").text
    assert "built again" not in text
    view = environment / "view"
    assert subprocess.check_output([view / "bin/tool"], env={}, text=True) == f"42 {view}\n"
    left = subprocess.run(
        ["grep", "-rlF", "--exclude-dir=.spack", f"{spack.home.store}/", str(new)],
        capture_output=True,
        text=True,
    )
    left_in = [line for line in left.stdout.splitlines() if "/.spack-db/" not in line]
    assert left_in == [] and not spack.home.store.exists()
