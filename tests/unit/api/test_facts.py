"""Package classes become facts."""

from __future__ import annotations

import gc
import json
import marshal
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Callable

import pytest

from spack.api import directives, recipe_facts
from spack.api.recipe_facts import main, recipe_of
from spack.errors import RecipeError
from spack.recipe import Recipe, records
from spack.repo import Repository
from spack.repo.finder import install_finder, remove_finder
from spack.repo.load_class import load_class

HEADER = "from spack.package import *\n\n\n"


@pytest.fixture
def facts(tmp_path: Path) -> Iterator[Callable[..., Recipe]]:
    """``facts(directory, text, **other ones)``: the facts of a recipe beside *other ones*."""
    remove_finder()

    def make(directory: str, text: str, files: Any = (), **others: str) -> Recipe:
        (tmp_path / "repo.yaml").write_text("repo:\n  namespace: mine\n  api: v2.2\n")
        for name, content in {**others, directory: text}.items():
            location = tmp_path / "packages" / name
            location.mkdir(parents=True, exist_ok=True)
            (location / "package.py").write_text(HEADER + content)
        for name, content in dict(files).items():
            (tmp_path / "packages" / name).write_text(content)
        repository = Repository.open(tmp_path)
        install_finder([repository])
        return recipe_of(load_class(repository, directory), repository, directory)

    yield make
    remove_finder()


def test_what_a_recipe_says(facts: Callable[..., Recipe]) -> None:
    text = '''class PyX(Package):
    """Words,
    on two lines.
    """

    homepage = "https://example.org"
    url = "https://example.org/x-1.0.tar.gz"
    tags = ["a", "b"]
    executables = [r"^x\\d*$"]
    maintainers("me")

    version("2.0", sha256="AB", deprecated=True)
    version("1.0", sha256="cd", expand=False)
    variant("d", default=True, description="words")
    depends_on("python@3.9:", type=("build", "run"), when="+d")
    provides("virt")
    license("MIT")
    conflicts("+d", when="@1.0", msg="no")
    requires("%gcc")
    resource(name="r", url="https://example.org/r.tar.gz", sha256="ef", placement={"a": "b"})

    def setup_run_environment(self, env):
        pass

    def test_it(self):
        pass
'''
    recipe = facts("py_x", text)
    assert (recipe.name, recipe.namespace) == ("py-x", "mine")
    assert recipe.description == "Words,\non two lines."
    assert recipe.attributes["homepage"] == "https://example.org"
    assert recipe.attributes["tags"] == ("a", "b")
    assert recipe.attributes["maintainers"] == ("me",)
    assert recipe.attributes["build_system"] == "generic"
    assert recipe.executables == (r"^x\d*$",)
    assert recipe.hooks == ("setup_run_environment", "test_it")
    two, one = recipe.versions
    assert (two.url, two.sha256) == ("https://example.org/x-2.0.tar.gz", "ab")
    assert two.deprecated and not two.preferred and two.line == 15
    assert one.options == {"expand": False}
    assert [v.name for v in recipe.variants] == ["build_system", "d"]
    assert [v.line for v in recipe.variants] == [0, 17]
    assert recipe.dependencies[0].when == "+d"
    assert recipe.provides[0].virtuals == ("virt",)
    assert recipe.licenses[0].expression == "MIT"
    assert recipe.conflicts[0].message == "no"
    assert recipe.requirements[0].specs == ("%gcc",)
    assert recipe.resources[0].placement == {"a": "b"}
    assert len(recipe.content_hash) == 64
    assert Recipe.from_data(marshal.loads(marshal.dumps(recipe.to_data()))) == recipe


def test_versions_from_git(facts: Callable[..., Recipe]) -> None:
    text = """class X(Package):
    git = "https://example.org/x.git"

    def submodules(package):
        return ["a"]

    version("main", branch="main", submodules=submodules)
    version("1.0", commit="abc", git="https://example.org/other.git")
"""
    main_, one = facts("x", text).versions
    assert main_.url is None and main_.error is None
    assert main_.options["git"] == "https://example.org/x.git"
    assert main_.options["submodules"] is True
    assert one.options["git"] == "https://example.org/other.git"


def test_url_for_version_is_asked_for_each_version(facts: Callable[..., Recipe]) -> None:
    text = """class X(Package):
    version("2.0")
    version("1.0")

    def url_for_version(self, version):
        if version < Version("2"):
            raise ValueError("nothing so old")
        assert self.spec.satisfies("@2:") and self.spec.satisfies("platform=linux")
        return f"https://example.org/packages/source/x/x/x-{version}.tar.gz"
"""
    two, one = facts("x", text).versions
    assert two.url == "pypi:x/x-2.0.tar.gz"
    assert one.url is None
    assert one.error == "ValueError: nothing so old"


def test_a_version_without_any_url(facts: Callable[..., Recipe]) -> None:
    (version,) = facts("x", 'class X(Package):\n    version("1")\n').versions
    assert version.url is None
    assert "declares no url for version 1" in (version.error or "")


def test_packages_without_code_have_no_sources(facts: Callable[..., Recipe]) -> None:
    (version,) = facts("x", 'class X(Package):\n    has_code = False\n    version("1")\n').versions
    assert (version.url, version.error) == (None, None)


def test_a_version_declared_twice(facts: Callable[..., Recipe]) -> None:
    text = 'class X(Package):\n    version("1", sha256="a")\n    version("1", sha256="b")\n'
    (version,) = facts("x", text).versions
    assert version.sha256 == "b"


def test_versions_that_the_constructor_removes(facts: Callable[..., Recipe]) -> None:
    derived = """from ..base.package import Base


class X(Base):
    version("3")

    def __init__(self, spec):
        for version in Base.versions:
            self.versions.pop(version, None)
        super().__init__(spec)
"""
    base = 'class Base(Package):\n    version("1")\n    version("2")\n'
    assert [v.version for v in facts("x", derived, base=base).versions] == ["3"]


def test_variants_replace_those_of_base_classes(facts: Callable[..., Recipe]) -> None:
    derived = """from ..base.package import Base


class X(Base):
    variant("v", default="b", values=("b",))
    variant("v", default="c", values=("c",), when="@2:")
"""
    base = 'class Base(Package):\n    variant("v", default="a", values=("a",))\n'
    found = [v for v in facts("x", derived, base=base).variants if v.name == "v"]
    assert [(v.default, v.when) for v in found] == [(("b",), ""), (("c",), "@2:")]


def test_patches_lie_beside_the_recipe_that_declares_them(
    facts: Callable[..., Recipe], tmp_path: Path
) -> None:
    derived = """from ..base.package import Base


class X(Base):
    patch("own.patch")
    patch("absent.patch")
    depends_on("z", patches="own.patch")
"""
    base = 'class Base(Package):\n    patch("base.patch")\n'
    (tmp_path / "packages" / "base").mkdir(parents=True)
    (tmp_path / "packages" / "x").mkdir(parents=True)
    files = {"x/own.patch": "own", "base/base.patch": "base"}
    recipe = facts("x", derived, files, base=base)
    inherited, own, absent = recipe.patches
    assert own.source == "own.patch" and own.sha256 and own.line == 8
    assert inherited.source == str(tmp_path / "packages" / "base" / "base.patch")
    assert inherited.sha256 != own.sha256 and inherited.line == 0
    assert absent.sha256 is None
    assert recipe.dependencies[0].patches[0].sha256 == own.sha256


def test_nothing_depends_on_itself(facts: Callable[..., Recipe]) -> None:
    with pytest.raises(RecipeError, match=r"package.py:5: x cannot depend on itself"):
        facts("x", 'class X(Package):\n    depends_on("x@1:")\n')
    with pytest.raises(RecipeError, match="names no package"):
        facts("y", 'class Y(Package):\n    depends_on("+a")\n')
    base = 'class Base(Package):\n    depends_on("z")\n'
    derived = "from ..base.package import Base\n\n\nclass Z(Base):\n    pass\n"
    with pytest.raises(RecipeError, match="as its base class says of every package"):
        facts("z", derived, base=base)


def test_python_venv_does_not_extend_itself(facts: Callable[..., Recipe]) -> None:
    recipe = facts("python_venv", 'class PythonVenv(Package):\n    extends("python")\n')
    assert [d.spec for d in recipe.dependencies] == ["python"]
    other = facts("py_x", 'class PyX(Package):\n    extends("python")\n')
    assert [d.spec for d in other.dependencies] == ["python", "python-venv"]


def test_virtual_packages(facts: Callable[..., Recipe]) -> None:
    assert facts("mpi", "class Mpi(Package):\n    virtual = True\n").virtual


def test_the_process(tmp_path: Path, facts: Callable[..., Recipe]) -> None:
    """What it answers, called in this process."""
    facts("x", 'class X(Package):\n    version("1", url="https://example.org/x")\n')
    (tmp_path / "packages" / "y").mkdir()
    (tmp_path / "packages" / "y" / "package.py").write_text("1 +\n")
    request, answer = tmp_path / "request.json", tmp_path / "answer"
    document = {"repositories": [str(tmp_path)], "work": [[0, "x"], [0, "y"]]}
    request.write_text(json.dumps(document))
    try:
        assert main([str(request), str(answer)]) == 0
    finally:
        gc.enable()
    with answer.open("rb") as stream:
        x, y = marshal.load(stream), marshal.load(stream)
    assert Recipe.from_data(marshal.loads(x[3])).name == "x"
    assert x[4] is None
    assert y[3] is None
    assert y[4][0].startswith(f"{tmp_path}/packages/y/package.py:1: SyntaxError")


def test_a_declaration_without_a_row_is_an_error(
    facts: Callable[..., Recipe], tmp_path: Path
) -> None:
    """A directive that a developer has added, and whose facts would be lost silently."""
    text = """import dataclasses

from spack.api.definition import directive


@dataclasses.dataclass(frozen=True)
class FlavorDeclaration:
    name: str
    line: int = 0


@directive
def flavor(definition, name):
    declared = FlavorDeclaration(name, definition.line())
    definition.declared.append(declared)
    return declared


class Cake(Package):
    flavor("sweet")
"""
    with pytest.raises(RecipeError) as caught:
        facts("cake", text)
    file = tmp_path / "packages" / "cake" / "package.py"
    assert str(caught.value).startswith(f"{file}:")
    assert "no facts are kept of FlavorDeclaration" in str(caught.value)
    assert "recipe_facts.py" in str(caught.value.hint)


def test_every_declaration_of_the_engine_has_a_row() -> None:
    declarations = [
        value
        for module in (directives, records)
        for value in vars(module).values()
        if isinstance(value, type) and value.__name__.endswith(("Declaration", "Record"))
    ]
    # Versions and variants are declared as objects of their own, and end as these records.
    ends = {records.VariantRecord, records.VersionRecord}
    known = recipe_facts._OWN_LINES.keys() | recipe_facts._DECLARATIONS.keys() | ends
    assert set(declarations) <= known
