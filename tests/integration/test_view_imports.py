"""What the Python of a view imports: all that it shows and what that needs, or it is named."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from kits.command import Command
from kits.recipe_repository import RecipeRepository


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


def test_an_external_extension(spack: Command, stack: Path, tmp_path: Path) -> None:
    """In the build of what needs it, and in the view, after a move too."""
    version = subprocess.run(
        ["/usr/bin/python3", "-c", "import sys; print('%d.%d' % sys.version_info[:2])"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    site = tmp_path / "external" / "lib" / f"python{version}" / "site-packages"
    site.mkdir(parents=True)
    (site / "lower.py").write_text("x = 2\n")
    (spack.home.config / "packages.yaml").write_text(
        f"packages:\n  python:\n    externals: [{{spec: 'python@{version}', prefix: /usr}}]\n"
        "    buildable: false\n  py-lower:\n    buildable: false\n"
        f"    externals: [{{spec: py-lower@1.0, prefix: {site.parents[2]}}}]\n"
    )
    (stack / "spack.yaml").write_text("spack:\n  specs: [py-upper]\n  view: view\n")
    text = spack("-e", stack, "install").text
    assert "does not look" not in text
    assert imports(stack / "view", "upper")
    moved = (stack / "view").rename(tmp_path / "moved")
    assert imports(moved, "upper")


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
