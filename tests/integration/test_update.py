"""Recipes brought up to date, with what the user has written in them."""

from __future__ import annotations

from pathlib import Path

import pytest

from kits.command import Command
from kits.local_index import LocalIndex
from kits.recipe_repository import RecipeRepository

RECIPE = '''\
from spack_repo.builtin.build_systems.python import PythonPackage

from spack.package import *


class PyThing(PythonPackage):
    """Mine: edited by hand."""

    pypi = "thing/thing-1.0.tar.gz"

    # keep this
    version("1.0", sha256="{digest}")

    variant("fast", default=False, description="Mine")

    depends_on("zlib")  # by hand
    with default_args(type="run"):
        depends_on("py-kept@1:")
        depends_on("py-dropped", type=("build", "run"))
        depends_on("py-split@1:")
        depends_on("py-raised@1:", when="+fast")
    depends_on(
        "py-moved@:1",
        type="run",
    )
    depends_on("py-foreseen@2:", type="run", when="@2:")
    for name in ("py-looped", "py-again"):
        depends_on(name, type="run")
    depends_on("py-own", type="run", when="@0.9:")

    def setup_build_environment(self, env):
        env.set("MINE", "1")
'''

OLD = ["Requires-Dist: kept>=1", "Requires-Dist: dropped", "Requires-Dist: moved<2"]
OLD += ['Requires-Dist: raised>=1; extra == "fast"', "Provides-Extra: fast"]
OLD += ["Requires-Dist: split>=1"]
OLD += ["Requires-Dist: looped", "License-Expression: MIT"]

NEW = ["Requires-Dist: kept>=1", "Requires-Dist: moved>=2", "Requires-Dist: foreseen>=2"]
NEW += ['Requires-Dist: raised>=2; extra == "fast"', "Provides-Extra: fast", "Provides-Extra: big"]
NEW += ['Requires-Dist: fresh; python_version < "3.11"', "License-Expression: Apache-2.0"]
NEW += ['Requires-Dist: split>=1; python_version < "3.15"']
NEW += ['Requires-Dist: split>=2; python_version >= "3.15"']
NEW += ["Requires-Dist: far @ https://example.org/far-1.tar.gz"]


@pytest.fixture
def index(tmp_path: Path) -> LocalIndex:
    return LocalIndex(tmp_path / "index")


@pytest.fixture
def update(spack: Command, recipes: RecipeRepository, index: LocalIndex) -> Command:
    """Return the command with nothing but the index of the test."""
    spack("arch")  # its own dependencies are on the usual index
    return Command(spack.root, {**spack.environ, **index.environ()}, spack.cwd, spack.home)


EXPECTED = """\
     # keep this
+    version("2.1", sha256="{2.1}")
+    version("2.0", sha256="{2.0}")
     version("1.0", sha256="{1.0}")
-        depends_on("py-dropped", type=("build", "run"))
+        depends_on("py-dropped", type=("build", "run"), when="@:1.0")
-        depends_on("py-split@1:")
+        depends_on("py-split@1:", when="@:1.0")
         depends_on("py-raised@1:", when="+fast")
+    depends_on("py-raised@2:", type="run", when="@2.0:+fast")
+    depends_on("py-split@1:", type="run", when="@2.0: ^python@:3.14")
+    depends_on("py-split@2:", type="run", when="@2.0: ^python@3.15:")
     depends_on(
         "py-moved@:1",
-        type="run",
+        type="run", when="@:1.0",
     )
+    depends_on("py-moved@2:", type="run", when="@2.0:")
+    depends_on("py-fresh", type="run", when="@2.0: ^python@:3.10")
"""


def test_what_changed_is_written(
    update: Command, recipes: RecipeRepository, index: LocalIndex
) -> None:
    digests = {"1.0": recipes.checksum(index.sdist("thing", "1.0", OLD))}
    path = recipes.write("py-thing", RECIPE.format(digest=digests["1.0"]))
    assert "found no newer versions of py-thing" in update("update", "py-thing").out
    digests.update({v: recipes.checksum(index.sdist("thing", v, NEW)) for v in ("2.0", "2.1")})
    before = path.read_text()

    shown = update("update", "-n", "py-thing").out
    assert path.read_text() == before
    for version, digest in digests.items():
        shown = shown.replace(digest, f"{{{version}}}")
    for line in EXPECTED.splitlines():
        assert line in shown.splitlines(), shown
    changed = [x for x in shown.splitlines() if x[:1] in ("+", "-") and x[:3] not in ("+++", "---")]
    assert len(changed) == sum(line[0] in "+-" for line in EXPECTED.splitlines()), shown

    done = update("update", "py-thing")
    for text in (
        "line 28: py-looped is for versions up to 1.0",
        'its license is Apache-2.0 now (license(...), when="@2.0:")',
        "new extras, which are not variants here: big",
        "2.0: Requires-Dist: far @ https://example.org/far-1.tar.gz",
    ):
        assert f"left to you: {text}" in done.err
    after = path.read_text()
    assert [x for x in before.splitlines() if x not in after.splitlines()] == [
        '        depends_on("py-dropped", type=("build", "run"))',
        '        depends_on("py-split@1:")',
        '        type="run",',
    ]
    assert update("versions", "py-thing").lines == ["2.1", "2.0", "1.0"]
    assert "found no newer versions of py-thing" in update("update", "py-thing").out


def test_what_is_not_on_the_index(update: Command, recipes: RecipeRepository) -> None:
    source = recipes.archive("tool-1.0", {"data": "1\n"})
    path = recipes.add("tool", f'version("1.0", {source})\n')
    recipes.archive("tool-1.1", {"data": "2\n"})
    assert "1 new version" in update("update", "tool").out
    assert update("versions", "tool").lines == ["1.1", "1.0"]
    assert path.read_text().index('"1.1"') < path.read_text().index('"1.0"')


def test_refusals(update: Command, recipes: RecipeRepository) -> None:
    assert "there is no package 'py-nothing'" in update.fails("update", "py-nothing").err
    recipes.add("py-lost", 'pypi = "lost/lost-1.tar.gz"\nversion("1")\n', base="PythonPackage")
    lost = update.fails("update", "py-lost", code=2)
    assert "the package index has no project lost" in lost.err
    several = update("update", "py-lost", "py-lost", check=False)
    assert several.code == 1
    assert "cannot update py-lost: the package index has no project lost" in several.err
    recipes.plain("bare")
    assert "cannot look for versions of bare" in update.fails("update", "bare").err
