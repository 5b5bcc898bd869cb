"""What the Python of a view imports: all that it shows and what that needs, or it is named."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from kits.command import Command
from kits.recipe_repository import RecipeRepository

#: Makes a Python at a location; gives its site-packages.
CopyPython = Callable[[Path], Path]


def imports(view: Path, module: str) -> bool:
    """Return whether the view's Python imports *module*, in an empty environment."""
    argv = [str(view / "bin" / "python3"), "-c", f"import {module}"]
    return subprocess.run(argv, env={}, capture_output=True).returncode == 0


@pytest.fixture
def stack(spack: Command, recipes: RecipeRepository) -> Path:
    """Return an environment with ``py-upper``, which needs ``py-lower`` at run time."""
    recipes.python_project("lower", {"lower.py": "x = 1\n"})
    recipes.python_project("upper", {"upper.py": "import lower\n"})
    path = recipes.path("py-upper")
    text = path.read_text()
    path.write_text(f'{text}\n    depends_on("py-lower", type=("build", "run"))\n')
    directory = spack.home.path / "stack"
    directory.mkdir()
    return directory


@pytest.mark.parametrize("choice", ["select: [py-upper]", "exclude: [py-lower]", "link: roots"])
def test_what_is_left_out_is_named(spack: Command, stack: Path, choice: str) -> None:
    manifest = "spack:\n  specs: [py-upper]\n  view:\n    default:\n      root: view\n"
    (stack / "spack.yaml").write_text(f"{manifest}      {choice}\n")
    for words in (("install",), ("env", "view", "regenerate")):
        text = " ".join(spack("-e", stack, *words).text.split())
        assert "py-lower, which py-upper needs at run time, is not in the view" in text
        assert not imports(stack / "view", "upper")
        status = spack("view", "status", stack / "view").out
        assert "limited   py-lower, which py-upper needs at run time, is not in the view" in status
        assert "whole" not in status
    (stack / "spack.yaml").write_text(manifest)
    text = spack("-e", stack, "install").text
    assert "is not in the view" not in text
    assert imports(stack / "view", "upper")
    status = spack("view", "status", stack / "view").out
    assert "whole" in status and "limited" not in status


@pytest.mark.parametrize(
    "projections",
    ["{py-lower: '{name}'}", "{all: '{name}/{version}'}", "{py-upper: 'a/b c', all: x}"],
)
def test_projected_packages_are_imported(
    spack: Command, stack: Path, tmp_path: Path, projections: str
) -> None:
    (stack / "spack.yaml").write_text(
        "spack:\n  specs: [py-upper]\n  view:\n    default:\n      root: view\n"
        f"      projections: {projections}\n"
    )
    spack("-e", stack, "install")
    assert imports(stack / "view", "upper")
    assert imports((stack / "view").rename(tmp_path / "moved"), "upper")


def test_of_two_versions_in_folders_one_is_imported(
    spack: Command, recipes: RecipeRepository, tmp_path: Path
) -> None:
    recipes.add(
        "py-both",
        """\
        has_code = False
        version("2.0")
        version("1.0")
        extends("python")

        def install(self, spec, prefix):
            mkdirp(python_purelib)
            with open(join_path(python_purelib, "both.py"), "w") as stream:
                stream.write(f"version = '{spec.version}'")
        """,
    )
    (tmp_path / "spack.yaml").write_text(
        "spack:\n  specs: [py-both@1, py-both@2]\n  concretizer: {unify: false}\n"
        "  view:\n    default:\n      root: view\n      projections: {all: '{name}/{version}'}\n"
    )
    text = " ".join(spack("-e", tmp_path, "install").text.split())
    python = str(tmp_path / "view/bin/python3")
    program = "import both; print(both.version)"
    assert subprocess.check_output([python, "-c", program], env={}, text=True) == "2.0\n"
    status = " ".join(spack("view", "status", tmp_path / "view").out.split())
    for said in (text, status):
        assert (
            "py-both@1.0" in said and "shown in py-both/1.0, is not imported: py-both@2.0" in said
        )


NAMESPACES = {
    "pkgutil": "__path__ = __import__('pkgutil').extend_path(__path__, __name__)\n",
    "imported": "from pkgutil import extend_path\n__path__ = extend_path(__path__, __name__)\n",
    "resources": "__import__('pkg_resources').declare_namespace(__name__)\n",
    "empty": "# nothing\n",
}


def test_namespace_packages_with_different_texts(
    spack: Command, recipes: RecipeRepository, tmp_path: Path
) -> None:
    for name, text in {**NAMESPACES, "code": "value = 1\n"}.items():
        recipes.add(
            f"py-{name}",
            f"""\
            has_code = False
            version("1.0")
            extends("python")

            def install(self, spec, prefix):
                package = join_path(python_purelib, "shared")
                mkdirp(package)
                with open(join_path(package, "__init__.py"), "w") as stream:
                    stream.write({text!r})
                with open(join_path(package, "{name}.py"), "w"):
                    pass
            """,
        )
    names = [f"py-{name}" for name in NAMESPACES]
    manifest = f"spack:\n  specs: [{', '.join(names)}]\n  view: view\n"
    (tmp_path / "spack.yaml").write_text(manifest)
    spack("-e", tmp_path, "install")
    assert all(imports(tmp_path / "view", f"shared.{name}") for name in NAMESPACES)
    shared = spack("view", "conflicts", tmp_path / "view").out
    assert "each only declares a namespace package" in shared
    (tmp_path / "spack.yaml").write_text(manifest.replace("[", "[py-code, "))
    refused = spack.fails("-e", tmp_path, "install").err
    assert "shared/__init__.py: py-code@1.0/" in refused
    hints = [x for x in refused.split("'") if x.startswith("view: {")]
    assert len(hints) == 2
    for hint in hints:
        text = manifest.replace("[", "[py-code, ").replace("view: view", hint)
        (tmp_path / "spack.yaml").write_text(text)
        spack("-e", tmp_path, "install")


def test_programs_of_externals(spack: Command, recipes: RecipeRepository, tmp_path: Path) -> None:
    """They are found after ``load`` and in an active environment, after the view's own."""
    recipes.plain("outer", "inner")
    recipes.plain("inner")
    programs = tmp_path / "external/bin"
    programs.mkdir(parents=True)
    for name in ("inner", "outer"):
        (programs / name).write_text("#!/bin/sh\necho external\n")
        (programs / name).chmod(0o755)
    (spack.home.config / "packages.yaml").write_text(
        "packages:\n  inner:\n    buildable: false\n"
        f"    externals: [{{spec: inner@1.0, prefix: {tmp_path}/external}}]\n"
    )
    spack("install", "outer")
    spack("env", "create", "--dir", tmp_path / "e")
    spack("-e", tmp_path / "e", "add", "outer")
    spack("-e", tmp_path / "e", "install")
    for words in (("load", "--sh", "outer"), ("env", "activate", "--sh", tmp_path / "e")):
        script = spack(*words).out + "\ninner; outer\n"
        done = subprocess.run(
            ["sh", "-c", script], capture_output=True, text=True, env=dict(spack.environ)
        )
        assert done.stdout.split("\n")[-3:] == ["external", "outer 1.0", ""], done


@pytest.mark.parametrize(
    "layout",
    [
        "lib/python{}/site-packages",
        "lib64/python{}/site-packages",
        "lib/python3/dist-packages",
        "local/lib/python{}/dist-packages",
        "local/lib64/python{}/site-packages",
    ],
)
def test_an_external_extension(
    spack: Command, stack: Path, recipes: RecipeRepository, tmp_path: Path, layout: str
) -> None:
    """In the build of what needs it, and in the view, after a move too; it needs no recipe."""
    if layout.startswith("lib/"):
        shutil.rmtree(recipes.path("py-lower").parent)
    version = subprocess.run(
        ["/usr/bin/python3", "-c", "import sys; print('%d.%d' % sys.version_info[:2])"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    prefix = tmp_path / "external"
    site = prefix / layout.format(version)
    site.mkdir(parents=True)
    (site / "lower.py").write_text("x = 2\n")
    (spack.home.config / "packages.yaml").write_text(
        f"packages:\n  python:\n    externals: [{{spec: 'python@{version}', prefix: /usr}}]\n"
        "    buildable: false\n  py-lower:\n    buildable: false\n"
        f"    externals: [{{spec: py-lower@1.0, prefix: {prefix}}}]\n"
    )
    (stack / "spack.yaml").write_text("spack:\n  specs: [py-upper]\n  view: view\n")
    text = spack("-e", stack, "install").text
    assert "does not look" not in text
    assert imports(stack / "view", "upper")
    moved = (stack / "view").rename(tmp_path / "moved")
    assert imports(moved, "upper")


def test_an_external_extension_beside_the_interpreter(
    spack: Command,
    stack: Path,
    recipes: RecipeRepository,
    copied_python: CopyPython,
    tmp_path: Path,
) -> None:
    """It is seen by its builds and views, and nothing else of the interpreter's packages is."""
    site = copied_python(tmp_path / "base")
    (site / "Lower-1.0.dist-info").mkdir()
    (site / "Lower-1.0.dist-info/RECORD").write_text("lower/__init__.py,,\nlow_more.py,,\n")
    (site / "Lower-1.0.dist-info/METADATA").write_text("Name: Lower\nVersion: 1.0\n")
    (site / "lower").mkdir()
    (site / "lower/__init__.py").write_text("import low_more\n")
    (site / "low_more.py").write_text("")
    (site / "stranger.py").write_text("")
    prefix = tmp_path / "base"
    version = ".".join(map(str, sys.version_info[:3]))
    (spack.home.config / "packages.yaml").write_text(
        f"packages:\n  python:\n    externals: [{{spec: 'python@{version}', prefix: {prefix}}}]\n"
        "    buildable: false\n  py-lower:\n    buildable: false\n"
        f"    externals: [{{spec: py-lower@1.0, prefix: {prefix}}}]\n"
    )
    spack.let_builds_read(prefix)
    recipes.python_project(
        "upper",
        {"upper.py": "import lower\n"},
        backend="import lower, importlib.util\nassert importlib.util.find_spec('stranger') is None",
    )
    path = recipes.path("py-upper")
    path.write_text(path.read_text() + '\n    depends_on("py-lower", type=("build", "run"))\n')
    (stack / "spack.yaml").write_text("spack:\n  specs: [py-upper]\n  view: view\n")
    assert "does not look" not in spack("-e", stack, "install").text
    moved = (stack / "view").rename(tmp_path / "moved")
    assert imports(moved, "upper") and not imports(moved, "stranger")
    program = "import importlib.metadata as m; print(m.version('lower'))"
    argv = [str(moved / "bin/python3"), "-c", program]
    assert subprocess.check_output(argv, env={}, text=True) == "1.0\n"
    assert "whole" in spack("view", "status", moved).out


def test_modules_that_an_external_lacks(
    spack: Command, recipes: RecipeRepository, tmp_path: Path
) -> None:
    (tmp_path / "other/lib/python2.7/site-packages").mkdir(parents=True)
    (spack.home.config / "packages.yaml").write_text(
        "packages:\n  py-lower:\n    buildable: false\n"
        f"    externals: [{{spec: py-lower@1.0, prefix: {tmp_path}/other}}]\n"
    )
    recipes.python_project("lower", {})
    recipes.python_project("importer", {}, backend="import lower")
    path = recipes.path("py-importer")
    path.write_text(path.read_text() + '\n    depends_on("py-lower", type="build")\n')
    text = " ".join(spack.fails("install", "py-importer").err.split())
    assert f"py-lower is external in {tmp_path}/other, where this Python finds no" in text


def test_an_external_extension_that_no_environment_sees(
    spack: Command, stack: Path, tmp_path: Path
) -> None:
    (spack.home.config / "packages.yaml").write_text(
        "packages:\n  py-lower:\n    buildable: false\n"
        f"    externals: [{{spec: py-lower@1.0, prefix: {tmp_path / 'empty'}}}]\n"
    )
    (tmp_path / "empty").mkdir()
    (stack / "spack.yaml").write_text("spack:\n  specs: [py-upper]\n  view: view\n")
    text = " ".join(spack("-e", stack, "install").text.split())
    assert "py-lower, which py-upper needs at run time, is external in" in text


TESTED = """\
from spack_repo.builtin.build_systems.generic import Package

from spack.package import *


class PyTested(Package):
    \"\"\"A script whose module needs another package at run time.\"\"\"

    has_code = False
    version("1.0")
    extends("python")
    depends_on("py-lower", type=("build", "run"))

    def install(self, spec, prefix):
        mkdirp(python_purelib, prefix.bin)
        with open(join_path(python_purelib, "tested.py"), "w") as stream:
            stream.write("import lower\\n")
        with open(prefix.bin.tested, "w") as stream:
            stream.write(f"#!{spec['python'].command.path}\\n")
            stream.write("import tested, lower\\nprint(lower.x)\\n")
        set_executable(prefix.bin.tested)

    @run_after("install")
    @on_package_attributes(run_tests=True)
    def check_script(self):
        assert which("tested", required=True)(output=str) == "1\\n"
"""


@pytest.mark.usefixtures("stack")
def test_tests_of_an_install_start_the_packages_own_scripts(
    spack: Command, recipes: RecipeRepository
) -> None:
    """They find the package and what it needs at run time, as they will for the user."""
    recipes.write("py-tested", TESTED)
    spack("install", "--test", "root", "py-tested")


def test_a_first_install_that_fails_in_part(
    spack: Command, recipes: RecipeRepository, tmp_path: Path
) -> None:
    """Its view shows what is there, and says what is not; an existing view stays as it was."""
    recipes.python_project("sweet", {"sweet.py": ""})
    recipes.plain("good")
    recipes.plain("bad", install='raise InstallError("no luck")\n')
    recipes.plain("above", "bad")
    manifest = "spack:\n  specs: [py-sweet, good, above]\n  view: view\n"
    (tmp_path / "spack.yaml").write_text(manifest)
    text = " ".join(spack.fails("-e", tmp_path, "install").text.split())
    assert imports(tmp_path / "view", "sweet") and (tmp_path / "view/bin/good").exists()
    status = spack("view", "status", tmp_path / "view").out
    for name in ("bad", "above"):
        said = rf"{name}@1.0/\w+ is not installed, so it is not in the view"
        assert re.search(said, text) and re.search(said, status)
    recipes.plain("bad")
    spack("-e", tmp_path, "install")
    assert (tmp_path / "view/bin/above").exists()
    assert "limited" not in spack("view", "status", tmp_path / "view").out
    recipes.plain("worse", install='raise InstallError("no luck")\n')
    (tmp_path / "spack.yaml").write_text(manifest.replace("above]", "worse]"))
    spack.fails("-e", tmp_path, "install")
    assert (tmp_path / "view/bin/above").exists()
