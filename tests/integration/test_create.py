"""Recipes made from projects on a package index, which tests make."""

from __future__ import annotations

from pathlib import Path

import pytest

from kits.command import Command
from kits.local_index import LocalIndex
from kits.recipe_repository import RecipeRepository


@pytest.fixture
def index(tmp_path: Path) -> LocalIndex:
    return LocalIndex(tmp_path / "index")


@pytest.fixture
def create(spack: Command, recipes: RecipeRepository, index: LocalIndex) -> Command:
    """Return the command with nothing but the index of the test."""
    spack("arch")  # its own dependencies are on the usual index
    return Command(spack.root, {**spack.environ, **index.environ()}, spack.cwd, spack.home)


LIST = (
    "Summary: Lists of things",
    "Project-URL: Repository, https://example.org/things",
    "License-Expression: MIT",
    "Requires-Python: >=3.8",
)


def test_a_recipe_that_installs(
    create: Command, index: LocalIndex, recipes: RecipeRepository
) -> None:
    index.sdist("leaf", "1.0")
    index.sdist("thing-list", "1.0", [*LIST, "Requires-Dist: leaf"])
    index.sdist(
        "thing-list",
        "2.0",
        [
            *LIST,
            "Requires-Dist: leaf>=1",
            'Requires-Dist: windows-only; sys_platform == "win32"',
            'Requires-Dist: more[all]<3; extra == "fancy-things"',
            'Requires-Dist: pytest; extra == "test"',
            'Requires-Dist: thing-list[fancy-things]; extra == "all"',
            'Requires-Dist: elsewhere @ https://example.org/elsewhere-1.tar.gz ; extra == "all"',
            'Requires-Dist: old-kernel; platform_release < "3"',
            "Provides-Extra: fancy-things",
            "Provides-Extra: test",
            "Provides-Extra: all",
        ],
    )
    index.sdist("thing-list", "3.0rc1", LIST)
    made = create("create", "--pypi", "Thing_List")
    assert "py_thing_list/package.py with 2 versions" in made.out
    assert "no repository has leaf:" in made.err
    assert "what only variants and other platforms need: more, windows-only" in made.err
    text = recipes.path("py-thing-list").read_text()
    digest = recipes.checksum(index.root / "thing-list" / "thing_list-2.0.tar.gz")
    assert text.startswith(
        "from spack_repo.builtin.build_systems.python import PythonPackage\n\n"
        "from spack.package import *\n\n\n"
        "class PyThingList(PythonPackage):\n"
        '    """Lists of things."""\n\n'
        '    homepage = "https://example.org/things"\n'
        '    pypi = "thing-list/thing_list-2.0.tar.gz"\n'
    )
    for line in (
        'license("MIT")',
        f'version("2.0", sha256="{digest}")',
        'depends_on("python@3.8:", type=("build", "run"))',
        'depends_on("py-leaf@1:", type="run", when="@2.0:")',
        'depends_on("py-leaf", type="run", when="@:1.0")',
        'depends_on("py-windows-only", type="run", when="@2.0: platform=windows")',
        'depends_on("py-more@:2+all", type="run", when="@2.0:+fancy_things")',
        'requires("+fancy_things", when="@2.0:+all")',
        "# extras for developers of the project, left out: test",
    ):
        assert f"    {line}\n" in text
    assert "# not in this recipe: Requires-Dist: elsewhere @ https://example.org" in text
    assert "# not in this recipe: Requires-Dist: old-kernel; platform_release" in text
    assert "pytest" not in text and "3.0rc1" not in text and "backend" not in text

    create("create", "--pypi", "leaf", "-N", "tiny", "--versions", "1")
    assert "2 archives looked at, 0 findings" in create("audit", "packages", "py-thing-list").out
    create("install", "py-thing-list")
    site = next(create.prefix("py-thing-list").glob("lib/python*/site-packages"))
    assert "2.0" in (site / "thing_list.py").read_text()
    assert create.names("py-leaf") == ["py-leaf"]


def test_recursive(create: Command, index: LocalIndex, recipes: RecipeRepository) -> None:
    index.sdist(
        "top",
        "1",
        [
            "Requires-Dist: middle",
            "Requires-Dist: lost",
            'Requires-Dist: big; extra == "huge"',
            "Provides-Extra: huge",
        ],
    )
    index.sdist("middle", "1", ["Requires-Dist: top", "Requires-Dist: bottom"])
    index.wheel("bottom", "1", ["License: Apache 2.0"])
    index.wheel("bottom", "2", ["License: Strange"], tag="cp311-cp311-linux_x86_64")
    index.sdist("big", "1")
    refused = create("create", "--pypi", "top", "--recursive", check=False)
    assert refused.code == 1
    assert "cannot make a recipe of lost: the package index has no project lost" in refused.err
    assert not recipes.path("py-big").exists()
    bottom = recipes.path("py-bottom").read_text()
    assert 'pypi = "bottom/bottom-1-py3-none-any.whl"' in bottom
    assert 'license("Apache-2.0")' in bottom and "expand=False" in bottom
    create("install", "py-bottom")

    create("create", "--pypi", "top", "-f", "--recursive", "--extras", "huge", check=False)
    assert recipes.path("py-big").exists()


def test_a_release_for_the_python_that_is_there(
    create: Command, index: LocalIndex, recipes: RecipeRepository
) -> None:
    index.sdist("thing-list", "1.0", ["Requires-Python: >=3.6"])
    for version in ("2.0", "3.0"):
        index.sdist("thing-list", version, ["Requires-Python: >=3.90"])
    index.require_python("thing-list", {"2.0": ">=3.90", "3.0": ">=3.90"})
    create("create", "--pypi", "thing-list", "--versions", "1")
    assert create("versions", "py-thing-list").lines == ["3.0", "1.0"]


def test_refusals(create: Command, index: LocalIndex, recipes: RecipeRepository) -> None:
    index.wheel("binary", "1", tag="cp311-cp311-linux_x86_64")
    index.sdist("leaf", "1")
    refused = create.fails("create", "--pypi", "nothing", code=2)
    assert "the package index has no project nothing" in refused.err
    refused = create.fails("create", "--pypi", "binary", code=2)
    assert "no source archive, and no wheel for every platform" in refused.err
    assert "cannot make a recipe of pip" in create.fails("create", "--pypi", "pip", code=2).err
    create("create", "--pypi", "leaf")
    refused = create.fails("create", "--pypi", "leaf", code=2)
    assert "py_leaf/package.py exists" in refused.err and "spack update py-leaf" in refused.err
    create("create", "--pypi", "leaf", "--force")
    index.sdist("needs-new", "1", ["Requires-Dist: leaf>=9"])
    made = create("create", "--pypi", "needs-new")
    assert "no recipe has a version in these ranges: py-leaf@9:" in made.err
    path = recipes.path("py-new").parent
    path.write_text("in the way")
    assert "cannot write" in create.fails("create", "--pypi", "leaf", "-n", "py-new", code=2).err


CMAKE = {"CMakeLists.txt": "project(tool CXX)\n", "src/main.cpp": "int main() {}\n"}


def test_from_a_url(create: Command, recipes: RecipeRepository) -> None:
    for version in ("1.0", "1.2", "2.0"):
        recipes.archive(f"My_Tool-{version}", CMAKE)
    path = recipes.archives / "My_Tool-1.2.tar.gz"
    made = create("create", "--skip-editor", "--versions", "2", path.as_uri())
    assert "it looks like a package of the build system cmake" in made.out
    text = recipes.path("my-tool").read_text()
    assert "import CMakePackage\n" in text and "class MyTool(CMakePackage):" in text
    assert 'depends_on("cxx", type="build")' in text and "def cmake_args(self):" in text
    assert text.index('version("2.0"') < text.index('version("1.2"') and '"1.0"' not in text
    assert create("versions", "my-tool").lines == ["2.0", "1.2"]

    recipes.archive("plain-1.0", {"README": "nothing\n"})
    plain = (recipes.archives / "plain-1.0.tar.gz").as_uri()
    made = create("create", "-n", "mine", plain)
    assert "no file of the archive shows how it is built" in made.err
    assert "def install(self, spec, prefix):" in recipes.path("mine").read_text()
    create("create", "-f", "-t", "makefile", "-n", "mine", plain)
    assert "def edit(self, spec, prefix):" in recipes.path("mine").read_text()
    assert create("versions", "mine").lines == ["1.0"]


def test_a_python_project_at_a_url(
    create: Command, index: LocalIndex, recipes: RecipeRepository
) -> None:
    path = index.sdist("thing-list", "1.0", [*LIST, "Requires-Dist: leaf>=1"])
    create("create", path.as_uri())
    text = recipes.path("py-thing-list").read_text()
    assert f'url = "{path.as_uri()}"' in text and "pypi =" not in text
    assert 'depends_on("py-leaf@1:", type="run")' in text
    recipes.add("py-leaf", 'has_code = False\nversion("1.0")\n')
    create("spec", "py-thing-list")


def test_without_a_url(create: Command, recipes: RecipeRepository) -> None:
    create("create", "-t", "bundle", "-n", "my-stack")
    assert "class MyStack(BundlePackage):" in recipes.path("my-stack").read_text()
    create("create")
    assert 'url = "https://example.org/example-1.0.tar.gz"' in recipes.path("example").read_text()
    assert "one too many" in create.fails("create", "--pypi", "leaf", "file:///x", code=2).err
    missing = create.fails("create", "file:///no/where-1.0.tar.gz")
    assert "where-1.0.tar.gz" in missing.err
