"""An upstream ``builtin`` repository before this one: its recipes, this engine's guarantees."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from kits.command import Command
from kits.recipe_repository import RecipeRepository

#: What upstream's say of a distribution's Python whose default scheme is patched.
PYTHON = '''\
from spack_repo.builtin.build_systems.generic import Package

from spack.package import *


class Python(Package):
    """As it asks a patched interpreter for its default scheme."""

    extendable = True
    variant("ssl", default=True, description="Words")

    executables = [r"^python3$"]
    platlib = purelib = "local/lib/python3/dist-packages"

    @classmethod
    def determine_version(cls, exe):
        return Executable(exe)("-V", output=str).split()[1]

    @property
    def command(self):
        return Executable(self.prefix.bin.python3)

    def setup_dependent_package(self, module, dependent_spec):
        module.python = self.command
        module.python_platlib = join_path(dependent_spec.prefix, self.platlib)
        module.python_purelib = join_path(dependent_spec.prefix, self.purelib)

    def setup_dependent_build_environment(self, env, dependent_spec):
        for language, name in (("c", "CC"), ("cxx", "CXX")):
            if dependent_spec.has_virtual_dependency(language):
                wrapper = dependent_spec["compiler-wrapper"].package
                compiler = dependent_spec[language].package
                env.set(name, wrapper.bin_dir() / compiler.compiler_wrapper_link_paths[language])
'''

#: Those of the engine's parts that upstream has too, for its own engine.
VENV = '''\
from spack_repo.builtin.build_systems.generic import Package

from spack.package import *


class PythonVenv(Package):
    """A venv, of which nothing is recorded."""

    has_code = False
    version("1.0")
    extends("python")

    def install(self, spec, prefix):
        python("-m", "venv", "--without-pip", prefix)

    platlib = purelib = "local/lib/python3/dist-packages"

    @property
    def command(self):
        return Executable(self.prefix.bin.python3)
'''
WRAPPER = '''\
from spack_repo.builtin.build_systems.generic import Package

from spack.package import *


class CompilerWrapper(Package):
    """Of another engine."""

    version("9.0", sha256="0" * 64, url="file:///nowhere/compiler-wrapper-9.0.tar.gz")
'''
FLAG = """
from setuptools import Extension, setup

setup(name="flag", version="1.0", py_modules=["pure"], ext_modules=[Extension("flag", ["flag.c"])])
"""
SOURCE = """
#include <Python.h>
static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "flag", 0, -1, 0};
PyMODINIT_FUNC PyInit_flag(void) { return PyModule_Create(&module); }
"""


@pytest.fixture
def upstream(recipes: RecipeRepository) -> Any:
    """Return the test repository under upstream's name, first of all."""
    location = recipes.root / "repo.yaml"
    location.write_text(location.read_text().replace("tiny", "builtin"))
    recipes.write("python", PYTHON)
    recipes.write("python-venv", VENV)
    recipes.write("compiler-wrapper", WRAPPER)
    files = {"setup.py": FLAG, "flag.c": SOURCE, "pure.py": ""}
    recipes.add(
        "py-flag",
        f'version("1.0", {recipes.archive("flag-1.0", files)})\n'
        'depends_on("c", type="build")\n'
        'depends_on("py-setuptools", type="build")\n'
        '\n@run_after("install")\ndef tell(self):\n'
        "    print('PATHS', python_platlib, self.spec['python'].package.purelib)\n",
        base="PythonPackage",
    )
    return recipes


@pytest.mark.parametrize("venv", ["", "^builtin.python-venv"])
def test_modules_are_where_the_venv_looks(
    spack: Command, upstream: Any, tmp_path: Path, venv: str
) -> None:
    """Upstream's Python says ``local/…/dist-packages``.

    With the engine's python-venv, and with upstream's when another process asks for it, extensions
    are where their venv finds them.
    """
    environment = tmp_path / "work"
    spack("env", "create", "--dir", str(environment))
    spack("-e", str(environment), "add", f"py-flag {venv}".strip())
    spack("-e", str(environment), "install")
    prefix = spack("location", "-i", "py-flag").out.strip()
    version = spack("find", "--format", "{version.up_to_2}", "python").out.strip()
    site = f"lib/python{version}/site-packages"
    assert f"PATHS {prefix}/{site} {site}" in spack("logs", "py-flag").out
    assert {"bin", "include", "lib", ".spack"} >= set(os.listdir(prefix))
    program = "import flag, pure; print(flag.__file__)"
    found = subprocess.check_output(
        [environment / ".spack-env/view/bin/python", "-c", program], text=True
    )
    assert found.startswith(str(environment / ".spack-env/view" / site))


#: As kokkos has it: a property that its dependents ask relies on names of its own build.
COMPILED = '''\
from spack_repo.builtin.build_systems.generic import Package

from spack.package import *


class {name}(Package):
    """Words."""

    has_code = False
    version("1.0")
    depends_on("c", type="build")
    {more}

    @property
    def compiler(self):
        return spack_cc

    def install(self, spec, prefix):
        touch(prefix.done)
        print("COMPILER", {asked}.compiler)
'''


def test_methods_of_dependencies_have_the_names_of_their_builds(
    spack: Command, recipes: RecipeRepository
) -> None:
    recipes.write("kokk", COMPILED.format(name="Kokk", more="", asked="self"))
    more = 'depends_on("kokk")'
    recipes.write("fft", COMPILED.format(name="Fft", more=more, asked='self["kokk"]'))
    spack("install", "fft")
    words = spack("logs", "fft").out.split("COMPILER", 1)[1].split()
    assert words[0].endswith("/gcc")
