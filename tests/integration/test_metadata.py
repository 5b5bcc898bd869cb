"""Recipes that say something else than their sources: at an install, strictly, and in bulk."""

from __future__ import annotations

import tarfile
from pathlib import Path
from typing import Any

import pytest

from kits.command import Command
from kits.recipe_repository import RecipeRepository

_PYPROJECT = """\
[build-system]
requires = [
    "sweet-tool>=2",
]
build-backend = "backend"
backend-path = ["."]
"""


@pytest.fixture
def bitter(recipes: RecipeRepository) -> Path:
    """Return a recipe without the dependencies that its sources name."""
    path: Path = recipes.python_project("bitter", {"bitter.py": "x = 1\n"})
    archive = recipes.archive(
        "bitter-1.0",
        {
            "pyproject.toml": _PYPROJECT,
            "backend.py": _backend(recipes),
            "bitter.py": "x = 1\n",
            "PKG-INFO": "Metadata-Version: 2.2\nName: bitter\nVersion: 1.0\n",
        },
    )
    text = path.read_text()
    line = next(row for row in text.splitlines() if "version(" in row)
    text = text.replace(
        line, f'    pypi = "bitter/bitter-1.0.tar.gz"\n    version("1.0", {archive})'
    )
    path.write_text(text)
    return path


def _backend(recipes: Any) -> str:
    """Return the backend of the projects of the tests, with a run requirement in its metadata."""
    with tarfile.open(recipes.archives / "bitter-1.0.tar.gz") as archive:
        stream = archive.extractfile("bitter-1.0/backend.py")
        assert stream is not None
        text = stream.read().decode()
    return text.replace('Version: 1.0\\n"', 'Version: 1.0\\nRequires-Dist: sour (<3)\\n"', 1)


def test_an_install_reports(spack: Command, bitter: Path) -> None:
    result = spack("install", "py-bitter")
    reported = " ".join(result.text.split())
    assert f"{bitter}:" in reported
    assert 'pyproject.toml:3 requires sweet-tool>=2: add depends_on("py-sweet-tool@2:"' in reported
    assert "Requires-Dist requires sour (<3): add depends_on(" in reported
    log = (spack.prefix("py-bitter") / ".spack" / "spack-build-out.txt").read_text()
    assert "metadata: missing: " in log


def test_strictly_it_is_an_error(spack: Command, bitter: Path) -> None:
    result = spack.fails("install", "--strict-metadata", "py-bitter")
    assert "the recipe of py-bitter and its metadata differ" in result.err
    assert "sweet-tool>=2" in result.err
    assert "py-bitter" not in spack.names()


def test_audit(spack: Command, bitter: Path) -> None:
    spack("fetch", "py-bitter")
    result = spack("audit", "packages", "py-bitter", check=False)
    assert result.code == 1
    assert f"py-bitter@1.0: missing: {bitter}:" in result.out
    assert "1 archives looked at" in result.text
    spack.fails("audit", "packages", "py-biter", code=2)


#: A backend in the tree that asks for more when it is asked, and imports what other ones need.
_ASKING = """\
def get_requires_for_build_wheel(config_settings=None):
    return ["sweet-helper>=3", "sweet-tool"]
"""


@pytest.fixture
def asking(recipes: RecipeRepository) -> Any:
    """``py-asking`` depends on ``py-tool``.

    Whose module ``tool`` needs ``helper`` of ``py-helper``; its backend imports both, and tries a
    module that is not there.
    """
    recipes.python_project("helper", {"helper.py": "x = 1\n"})
    text = recipes.python_project("tool", {"tool.py": "import helper\n"}).read_text()
    needs = '    depends_on("py-helper", type=("build", "run"))\n'
    recipes.path("py-tool").write_text(text + needs)

    def make(first: str) -> Path:
        path: Path = recipes.python_project("asking", {"asking.py": "x = 1\n"}, first)
        archive = recipes.archives / "asking-1.0.tar.gz"
        with tarfile.open(archive) as tar:
            stream = tar.extractfile("asking-1.0/backend.py")
            assert stream is not None
            backend = stream.read().decode() + "\n\n" + _ASKING
        source = recipes.archive(
            "asking-1.0",
            {
                "pyproject.toml": _PYPROJECT.replace('    "sweet-tool>=2",\n', ""),
                "backend.py": backend,
                "asking.py": "x = 1\n",
            },
        )
        recipes.add(
            "py-asking",
            f'version("1.0", {source})\ndepends_on("py-tool", type="build")\n',
            base="PythonPackage",
        )
        return path

    return make


def test_what_a_build_needs_beyond_its_sources_is_reported(spack: Command, asking: Any) -> None:
    first = "import tool, helper\ntry:\n    import not_there\nexcept ImportError:\n    pass\n"
    path = asking(first)
    result = spack("install", "py-asking")
    reported = " ".join(result.text.split())
    line = f"{path}:9: "
    assert f"{line}get_requires_for_build_wheel requires sweet-helper>=3: add" in reported
    assert 'add depends_on("py-sweet-helper@3:", type="build")' in reported
    assert (
        f"{line}its build imports helper of py-helper, a dependency of other packages only"
        in reported
    )
    assert "imports tool" not in reported
    log = (spack.prefix("py-asking") / ".spack" / "spack-build-out.txt").read_text()
    assert "did not find: not_there" in log
    strict = spack.fails("install", "--overwrite", "--strict-metadata", "py-asking")
    assert "its build imports helper of py-helper" in strict.err
    assert spack.names("py-asking") == ["py-asking"], "what was there before is there again"


def test_a_module_that_is_missing_names_its_package(spack: Command, asking: Any) -> None:
    path = asking("import sweet.deeply\n")
    result = spack.fails("install", "py-asking")
    assert "No module named 'sweet'" in result.err
    assert "the recipe may lack" in result.err  # nothing has such a package
    asking("import pathspec\n")
    result = spack.fails("install", "py-asking")
    reported = " ".join(result.err.split())
    assert f'pathspec is a module of py-pathspec: add depends_on("py-pathspec", {_TYPE}' in reported
    assert str(path) in reported


def test_a_module_that_its_package_has_no_longer(spack: Command, recipes: RecipeRepository) -> None:
    source = recipes.archive("old-1.0", {"setup.py": "import pkg_resources\n"})
    recipes.add(
        "py-old",
        f'version("1.0", {source})\ndepends_on("py-setuptools", type="build")\n',
        base="PythonPackage",
    )
    reported = " ".join(spack.fails("install", "py-old").err.split())
    assert (
        'has no module pkg_resources: depends_on("py-setuptools@:81", type="build") in' in reported
    )


_TYPE = 'type="build") to'
