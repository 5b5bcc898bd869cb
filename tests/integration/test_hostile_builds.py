"""Builds that try to make the installer write, or read, where it should not."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

from kits.command import Command, Snapshot, TakeSnapshot
from kits.recipe_repository import RecipeRepository

#: Statements of ``install``; ``{victim}`` is another package's ``.spack``, ``own`` the build's.
REPLACED = {
    "a link to another package's": 'shutil.rmtree(own); os.symlink("{victim}", own)',
    "a link elsewhere": 'shutil.rmtree(own); os.symlink("{outside}", own)',
    "a file": 'shutil.rmtree(own); open(own, "w").close()',
    "a pipe": "shutil.rmtree(own); os.mkfifo(own)",
}

#: What the installer writes into ``.spack``, taken by links.
TAKEN = (
    "spec.json",
    "install_manifest.json",
    "install_record.json",
    "spack-build-out.txt",
    "spack-build-env.txt",
    "repos",
)


@pytest.fixture
def victim(spack: Command, recipes: RecipeRepository) -> Path:
    """Return the metadata of an installed package."""
    recipes.plain("victim")
    spack("install", "victim")
    return spack.prefix("victim") / ".spack"


def hostile(recipes: RecipeRepository, statement: str) -> None:
    recipes.plain(
        "hostile",
        "victim",
        install=f"import os, shutil\nown = os.path.join(prefix, '.spack')\n{statement}\n",
    )


@pytest.mark.parametrize("what", REPLACED)
def test_metadata_that_a_build_replaced(
    spack: Command,
    recipes: RecipeRepository,
    victim: Path,
    what: str,
    tmp_path: Path,
    tree_of: TakeSnapshot,
    packages_of: Callable[[Path], Snapshot],
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    before, packages = tree_of(victim), packages_of(spack.home.store)
    hostile(recipes, REPLACED[what].format(victim=victim, outside=outside))
    result = spack.fails("install", "hostile")
    assert "replaced" in result.err and "not a directory" in result.err
    assert tree_of(victim) == before
    assert list(outside.iterdir()) == []
    assert packages_of(spack.home.store) == packages
    assert spack.names() == ["victim"]


@pytest.mark.parametrize("name", TAKEN)
def test_records_whose_names_are_taken_by_links(
    spack: Command,
    recipes: RecipeRepository,
    victim: Path,
    name: str,
    tree_of: TakeSnapshot,
) -> None:
    """Files are written in the links' stead; a link where a directory must be is refused."""
    before = tree_of(victim)
    hostile(
        recipes, f'os.makedirs(own, exist_ok=True); os.symlink("{victim}/{name}", own + "/{name}")'
    )
    result = spack("install", "hostile", check=False)
    assert tree_of(victim) == before
    if name == "repos":
        assert result.code == 1 and "hostile" not in spack.names()
    else:
        assert result.code == 0, result.text
        path = spack.prefix("hostile") / ".spack" / name
        assert path.is_file() and not path.is_symlink()
        spack("verify")


@pytest.mark.parametrize(
    ("work", "said"),
    [
        ("for _ in range(300):\n    os.mkdir('d' * 50)\n    os.chdir('d' * 50)\n", "too long"),
        ("with open('big', 'wb') as stream:\n    stream.truncate(1 << 42)\n", "4096 GiB large"),
    ],
)
@pytest.mark.parametrize("where", ["prefix", "self.stage.path"])
def test_what_is_too_deep_or_too_large(
    spack: Command, recipes: RecipeRepository, work: str, said: str, where: str
) -> None:
    """The build fails, what it left is removed, and no other package is kept from anything."""
    recipes.plain(
        "hostile",
        install=f"import os\nwith working_dir({where}):\n"
        + textwrap.indent(work, "    ")
        + "    os.chdir('/')\n",
    )
    recipes.plain("later")
    result = spack("install", "hostile", check=False, timeout=120)
    assert (result.code == 1 and said in result.err) or where != "prefix"
    spack("install", "later")
    assert not list(spack.home.stages.glob("*/spack-stage-hostile*")) or result.code
    spack("clean", "-a")
    assert not list(spack.home.stages.glob("*/spack-stage-hostile*"))
    assert where != "prefix" or not list(spack.home.store.glob("*/hostile*"))
