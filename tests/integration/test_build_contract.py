"""The contract of build environments of distutils-sig (8 November 2015), a test for each sentence.

"The build environment", proposed by N. J. Smith for what became PEP 517 and 518. The sentences
are quoted; backends of small projects in the store try what they ask for.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from kits.command import Command, TakeSnapshot
from kits.recipe_repository import RecipeRepository

REQUIREMENT = """\
has_code = False
version("1.8.1")
version("1.7.2")
extends("python")

def install(self, spec, prefix):
    mkdirp(python_purelib, prefix.bin)
    with open(join_path(python_purelib, "{name}.py"), "w") as stream:
        stream.write(f"version = '{{spec.version}}'\\n")
    with open(prefix.bin.join("{name}-tool"), "w") as stream:
        stream.write(f"#!{{spec['python'].command.path}}\\n")
        stream.write("import {name}, sys; print({name}.version, *sys.argv[1:])\\n")
    set_executable(prefix.bin.join("{name}-tool"))
"""


class Projects:
    """Makes projects whose backends run statements, and installs them."""

    def __init__(self, spack: Command, recipes: RecipeRepository) -> None:
        self.spack, self.recipes = spack, recipes
        for name in ("declared", "stranger"):
            recipes.add(f"py-{name}", REQUIREMENT.format(name=name))

    def add(self, name: str, backend: str, *needs: str) -> None:
        """Make the project *name*, which needs *needs* (specs) for its build."""
        self.recipes.python_project(name, {f"{name}.py": ""}, backend=backend)
        path = self.recipes.path(f"py-{name}")
        lines = (f'    depends_on("{need}", type="build")\n' for need in needs)
        path.write_text(path.read_text() + "\n" + "".join(lines))


@pytest.fixture
def projects(spack: Command, recipes: RecipeRepository) -> Projects:
    return Projects(spack, recipes)


def test_requirements_are_importable(projects: Projects) -> None:
    """A sentence of the contract.

    All requirements specified by the project's build-requirements must be available for import
    from Python.
    """
    projects.add("one", "import declared\nassert declared.version", "py-declared")
    projects.spack("install", "py-one")


@pytest.mark.parametrize(
    "words", ["'-c', code", "'-E', '-c', code", "'-s', '-c', code", "'-P', '-c', code"]
)
def test_children_see_them(projects: Projects, words: str) -> None:
    """A sentence of the contract.

    This must remain true even for new Python subprocesses spawned by the build environment:
    ``subprocess.check_call([sys.executable, ...])``.
    """
    if "-P" in words and sys.version_info < (3, 11):
        pytest.skip("this Python has no option -P")
    projects.add(
        "one",
        f"""\
        import subprocess, sys
        code = "import declared, subprocess, sys; assert declared.version"
        subprocess.check_call([sys.executable, {words}])
        code += "; subprocess.check_call([sys.executable, '-c', 'import declared'], env={{}})"
        subprocess.check_call([sys.executable, {words}], env={{}})
        """,
        "py-declared",
    )
    projects.spack("install", "py-one")


def test_scripts_are_on_path(projects: Projects) -> None:
    """A sentence of the contract.

    All command-line scripts provided by the build-required packages must be present in the
    build environment's PATH: ``subprocess.check_call(["flit", ...])``.
    """
    projects.add(
        "one",
        """\
        import shutil, subprocess
        run = subprocess.check_output
        assert run(["declared-tool", "a b"], text=True).split(None, 1)[1] == "a b\\n"
        assert run("declared-tool x", shell=True, text=True).endswith("x\\n")
        assert shutil.which("stranger-tool") is None
        """,
        "py-declared",
    )
    projects.spack("install", "py-stranger")
    projects.spack("install", "py-one")


def test_nothing_undeclared_is_there(projects: Projects) -> None:
    """A sentence of the contract.

    It MUST NOT assume that it has access to any packages except those that are present in the
    stdlib, or that are explicitly declared. A build frontend SHOULD, by default, create an isolated
    environment for each build, containing only those.
    """
    projects.add(
        "one",
        """\
        import importlib.util, json, sys, xml.dom
        for name in ("stranger", "pip", "setuptools", "wheel", "apt", "spack"):
            assert importlib.util.find_spec(name) is None, name
        assert sys.flags.no_user_site or not __import__("site").ENABLE_USER_SITE
        """,
        "py-declared",
    )
    projects.spack("install", "py-stranger")
    projects.spack("install", "py-one")


def test_what_is_undeclared_is_named(projects: Projects) -> None:
    """Otherwise packages build fine on the original author's machine and nowhere else."""
    projects.add("one", "import stranger")
    projects.spack("install", "py-stranger")
    error = projects.spack.fails("install", "py-one").err
    assert "No module named 'stranger'" in error
    assert 'add depends_on("py-stranger", type="build")' in error


def test_contradictory_requirements_in_one_run(projects: Projects, tmp_path: Path) -> None:
    """A sentence of the contract.

    It allows for a single installation run to build multiple packages that have contradictory
    build-requirements: pbr==1.8.1 and pbr==1.7.2.
    """
    for name, version in (("newer", "1.8.1"), ("older", "1.7.2")):
        check = f"import declared\nassert declared.version == {version!r}"
        projects.add(name, check, f"py-declared@{version}")
    (tmp_path / "spack.yaml").write_text(
        "spack:\n  specs: [py-newer, py-older]\n  concretizer: {unify: false}\n  view: false\n"
    )
    projects.spack("-e", tmp_path, "install")


def test_the_users_environment_stays(
    projects: Projects,
    copied_python: Callable[[Path], Path],
    tree_of: TakeSnapshot,
    tmp_path: Path,
) -> None:
    """Downgrading the user's version would be rather rude."""
    site = copied_python(tmp_path / "base")
    (site / "declared.py").write_text("version = 'the user'\n")
    version = ".".join(map(str, sys.version_info[:3]))
    (projects.spack.home.config / "packages.yaml").write_text(
        f"packages:\n  python:\n    buildable: false\n"
        f"    externals: [{{spec: 'python@{version}', prefix: {tmp_path / 'base'}}}]\n"
    )
    projects.spack.let_builds_read(tmp_path / "base")
    before = tree_of(site)
    check = "import declared\nassert declared.version == '1.7.2'"
    projects.add("one", check, "py-declared@1.7.2")
    projects.spack("install", "py-one")
    assert tree_of(site) == before

    # "Build frontends SHOULD provide some mechanism for users to override the above defaults":
    # an option like --system-site-packages, for what an author left off.
    projects.add("two", "import declared\nassert declared.version == 'the user'")
    projects.spack.fails("install", "py-two")
    projects.spack("install", "py-two ^python-venv+system_packages")


def test_users_override_requirements(projects: Projects) -> None:
    """A sentence of the contract.

    The user might decide to build a package against numpy==1.7, overriding the package's
    preferred numpy==1.8.
    """
    check = "import declared, os\nassert declared.version == '{}'"
    projects.add("one", check.format("1.8.1"), "py-declared")
    projects.spack("install", "py-one")
    projects.add("two", check.format("1.7.2"), "py-declared")
    projects.spack("install", "py-two %py-declared@1.7.2")
    projects.add("three", check.format("1.7.2"), "py-declared")
    require = "packages:py-declared:require:'@1.7.2'"
    projects.spack("-c", require, "install", "py-three")
