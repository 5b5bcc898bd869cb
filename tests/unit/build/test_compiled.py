"""Builds with compilers: the wrapper, make, CMake and C extensions."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from spack.api.elf import get_rpaths
from spack.spec import ConcreteSpec, External

C = ("c", "cxx")


def external(
    workspace: Any, name: str, version: str, program: str, **attributes: Any
) -> ConcreteSpec:
    """Return a tool of the machine."""
    path = shutil.which(program)
    if path is None:
        pytest.skip(f"{program} is not installed")
    prefix = os.path.dirname(os.path.dirname(path))
    return workspace.node(name, version, external=External(prefix, (), attributes))


@pytest.fixture
def gcc(workspace: Any) -> ConcreteSpec:
    """Return the machine's gcc as it is detected."""
    paths = {"c": shutil.which("gcc"), "cxx": shutil.which("g++")}
    if None in paths.values():
        pytest.skip("gcc or g++ is not installed")
    return external(workspace, "gcc", "12.2.0", "gcc", compilers=paths)


@pytest.fixture
def wrapper(workspace: Any) -> ConcreteSpec:
    """Return an installed compiler wrapper."""
    spec = workspace.node("compiler-wrapper", "1.0", variants={"build_system": "generic"})
    workspace.install(spec)
    return spec


@pytest.fixture
def library(workspace: Any, gcc: ConcreteSpec, wrapper: ConcreteSpec) -> ConcreteSpec:
    """Return an installed library ``libanswer`` that a Makefile built."""
    gmake = external(workspace, "gmake", "4.3", "make")
    workspace.recipe(
        "answer",
        """
        from spack_repo.builtin.build_systems.makefile import MakefilePackage
        class Answer(MakefilePackage):
            version("1.0")
            depends_on("c", type="build")
            def edit(self, spec, prefix):
                filter_file("@prefix@", prefix, "Makefile", string=True)
        """,
    )
    spec = workspace.node(
        "answer",
        "1.0",
        (gcc, "build", C),
        (wrapper, "build"),
        (gmake, "build"),
        variants={"build_system": "makefile"},
    )
    source = workspace.source(
        "answer",
        answer_dot_h="int answer(void);\n",
        answer_dot_c="int answer(void) { return 42; }\n",
        Makefile=(
            "libanswer.so: answer.c\n"
            "\t$(CC) -shared -fPIC -o $@ $<\n"
            "install: libanswer.so\n"
            "\tmkdir -p @prefix@/lib @prefix@/include\n"
            "\tcp libanswer.so @prefix@/lib/\n"
            "\tcp answer.h @prefix@/include/\n"
        ),
    )
    workspace.install(spec, source)
    return spec


def test_programs_find_headers_and_libraries_of_dependencies(
    workspace: Any, gcc: ConcreteSpec, wrapper: ConcreteSpec, library: ConcreteSpec
) -> None:
    cmake = external(workspace, "cmake", "3.25.1", "cmake")
    gmake = external(workspace, "gmake", "4.3", "make")
    workspace.recipe(
        "asks",
        """
        from spack_repo.builtin.build_systems.cmake import CMakePackage
        class Asks(CMakePackage):
            version("1.0")
            variant("loud", default=True, description="")
            depends_on("c", type="build")
            depends_on("answer")
            def cmake_args(self):
                return [self.define_from_variant("LOUD"), self.define("WORDS", ["a", "b"])]
        """,
    )
    spec = workspace.node(
        "asks",
        "1.0",
        (gcc, "build", C),
        (wrapper, "build"),
        (gmake, "build"),
        (cmake, "build"),
        (library, "build link"),
        variants={
            "build_system": "cmake",
            "build_type": "Release",
            "generator": "make",
            "loud": True,
        },
    )
    source = workspace.source(
        "asks",
        asks_dot_c="#include <answer.h>\n#include <stdio.h>\n"
        'int main(void) { printf("%d\\n", answer()); return 0; }\n',
        CMakeLists_dot_txt=(
            "cmake_minimum_required(VERSION 3.10)\nproject(asks C)\n"
            'if(NOT LOUD OR NOT WORDS STREQUAL "a;b")\nmessage(FATAL_ERROR wrong)\nendif()\n'
            "add_executable(asks asks.c)\ntarget_link_libraries(asks answer)\n"
            "install(TARGETS asks DESTINATION bin)\n"
        ),
    )
    prefix = workspace.install(spec, source)
    program = prefix / "bin" / "asks"
    assert subprocess.run([program], capture_output=True, text=True).stdout == "42\n"
    assert str(workspace.prefix(library) / "lib") in (get_rpaths(str(program)) or [])


def test_a_compiler_error_is_what_is_shown(
    workspace: Any, gcc: ConcreteSpec, wrapper: ConcreteSpec
) -> None:
    gmake = external(workspace, "gmake", "4.3", "make")
    workspace.recipe(
        "broken",
        """
        from spack_repo.builtin.build_systems.makefile import MakefilePackage
        class Broken(MakefilePackage):
            version("1.0")
            depends_on("c", type="build")
        """,
    )
    spec = workspace.node(
        "broken",
        "1.0",
        (gcc, "build", C),
        (wrapper, "build"),
        (gmake, "build"),
        variants={"build_system": "makefile"},
    )
    source = workspace.source(
        "broken", broken_dot_c="int x = nothing;\n", Makefile="broken.o: broken.c\n\t$(CC) -c $<\n"
    )
    failure = workspace.build(spec, source).failure
    assert failure.phase == "build"
    assert any("broken.c:1:9: error:" in line for line in failure.excerpt)
    assert not any("***" in line for line in failure.excerpt)


def test_a_cmake_package_that_extends_python_installs_into_its_own_prefix(workspace: Any) -> None:
    """``Python3_SITEARCH`` of the shared python-venv would be the wrong location."""
    cmake = external(workspace, "cmake", "3.25.1", "cmake")
    gmake = external(workspace, "gmake", "4.3", "make")
    python = workspace.python()
    venv = workspace.python_venv(python)
    workspace.recipe(
        "modules",
        """
        from spack_repo.builtin.build_systems.cmake import CMakePackage
        class Modules(CMakePackage):
            version("1.0")
            extends("python")
        """,
    )
    spec = workspace.node(
        "modules",
        "1.0",
        (gmake, "build"),
        (cmake, "build"),
        (python, "build run"),
        (venv, "build run"),
        variants={"build_system": "cmake", "build_type": "Release", "generator": "make"},
    )
    source = workspace.source(
        "modules",
        CMakeLists_dot_txt=(
            "cmake_minimum_required(VERSION 3.15)\nproject(modules NONE)\n"
            "find_package(Python3 REQUIRED COMPONENTS Interpreter)\n"
            "find_package(Python REQUIRED COMPONENTS Interpreter)\n"
            "install(FILES module.py DESTINATION ${Python3_SITEARCH})\n"
            "install(FILES module.py DESTINATION ${Python_SITELIB} RENAME other.py)\n"
        ),
        module_dot_py="",
    )
    before = sorted(workspace.prefix(venv).rglob("*"))
    prefix = workspace.install(spec, source)
    modules = sorted(path.name for path in prefix.glob("lib/python3.*/site-packages/*"))
    assert modules == ["module.py", "other.py"]
    assert sorted(workspace.prefix(venv).rglob("*")) == before


class Wrapped:
    """Calls the wrapper with programs that print their arguments in place of the compilers."""

    def __init__(self, directory: Path) -> None:
        self.script = directory / "wrapper" / "cc"
        self.script.parent.mkdir()
        origin = Path(__file__).parents[3] / "packages" / "compiler_wrapper" / "wrapper.sh"
        shutil.copy(origin, self.script)
        self.script.chmod(0o755)
        fake = directory / "real" / "compiler"
        fake.parent.mkdir()
        fake.write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n')
        fake.chmod(0o755)
        (directory / "real" / "ld").symlink_to("compiler")
        self.environment = {
            "PATH": f"{self.script.parent}:{directory / 'real'}:/usr/bin:/bin",
            "SPACK_CC": str(fake),
            "SPACK_FC": str(fake),
            "SPACK_CFLAGS": "-O1 -g",
            "SPACK_LDFLAGS": "-Wl,--as-needed",
            "SPACK_LDLIBS": "-lm",
            "SPACK_TARGET_ARGS_CC": "-march=x",
            "SPACK_INCLUDE_DIRS": "/d/a b/include:/d/c/include",
            "SPACK_LINK_DIRS": "/d/a b/lib",
            "SPACK_RPATH_DIRS": "/p/lib:/d/a b/lib",
            "SPACK_DTAGS_TO_ADD": "--disable-new-dtags",
        }

    def __call__(self, *args: str, name: str = "cc", **environment: str) -> list[str]:
        """Arguments that the real program gets."""
        if name != "cc":
            (self.script.parent / name).symlink_to("cc")
        variables: dict[str, str] = {**self.environment, **environment}
        result = subprocess.run(
            [self.script.parent / name, *args], env=variables, capture_output=True, text=True
        )
        assert result.returncode == 0, result.stderr
        return result.stdout.splitlines()


@pytest.fixture
def wrapped(tmp_path: Path) -> Wrapped:
    """See :class:`Wrapped`."""
    return Wrapped(tmp_path)


INCLUDES = ["-isystem", "/d/a b/include", "-isystem", "/d/c/include"]
LINKS = ["-L/d/a b/lib", "-Wl,-rpath,/p/lib", "-Wl,-rpath,/d/a b/lib", "-Wl,--disable-new-dtags"]


def test_compiling_adds_flags_before_and_directories_after(wrapped: Wrapped) -> None:
    assert wrapped("-c", "-I mine", "x.c") == [
        *("-march=x", "-O1", "-g", "-c", "-I mine", "x.c"),
        *INCLUDES,
    ]


def test_linking_adds_library_directories_and_run_paths(wrapped: Wrapped) -> None:
    assert wrapped("x.o", "-o", "a b *") == [
        *("-march=x", "-O1", "-g", "-Wl,--as-needed", "x.o", "-o", "a b *"),
        *INCLUDES,
        *LINKS,
        "-lm",
    ]


def test_a_relocatable_link_has_no_run_paths(wrapped: Wrapped) -> None:
    assert "-Wl,-rpath,/p/lib" not in wrapped("-r", "x.o", "-o", "y.o")


def test_the_linker_gets_its_own_form(wrapped: Wrapped) -> None:
    assert wrapped("x.o", name="ld") == [
        *("x.o", "-L/d/a b/lib", "-rpath", "/p/lib", "-rpath", "/d/a b/lib"),
        "--disable-new-dtags",
    ]


@pytest.mark.parametrize("question", ["--version", "-dumpversion", "-print-search-dirs", "-v"])
def test_questions_pass_unchanged(wrapped: Wrapped, question: str) -> None:
    assert wrapped(question) == [question]


def test_fortran_gets_directories_as_module_paths(wrapped: Wrapped) -> None:
    assert "-I/d/c/include" in wrapped("-c", "x.f90", name="gfortran")


def test_preprocessing_links_nothing(wrapped: Wrapped) -> None:
    assert not set(LINKS) & set(wrapped("-E", "x.c"))


def test_a_language_that_is_not_declared_is_named(wrapped: Wrapped) -> None:
    (wrapped.script.parent / "c++").symlink_to("cc")
    result = subprocess.run(
        [wrapped.script.parent / "c++", "x.cc"],
        env=wrapped.environment,
        capture_output=True,
        text=True,
    )
    assert result.returncode == 127
    assert 'depends_on("cxx", type="build")' in result.stderr


def test_variables_of_the_caller_do_not_confuse_it(wrapped: Wrapped) -> None:
    confused = {"mode": "ld", "compiler": "/bin/false", "target": "-bad", "language": "x"}
    assert wrapped("-c", "x.c", **confused)[0] == "-march=x"
