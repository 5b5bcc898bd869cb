"""What build systems hand to their tools, for specs made by hand."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

import pytest

from kits.specs import make_spec
from spack.api.builder import create_builder
from spack.api.context import BuildContext
from spack.build_systems.autotools import AutotoolsPackage
from spack.build_systems.cmake import CMakePackage, define
from spack.build_systems.compiler import CompilerPackage
from spack.build_systems.cuda import CudaPackage
from spack.build_systems.gnu import GNUMirrorPackage
from spack.build_systems.meson import MesonPackage
from spack.build_systems.python import PythonPackage
from spack.build_systems.python_wheel import flattened, settings_of
from spack.package import any_combination_of, variant
from spack.spec import Edge


def package(kind: Any, tmp_path: Path, edges: Any = (), **variants: Any) -> Any:
    """Return an object of the package class *kind* with these variants, and a stage."""
    spec = make_spec(f"{kind.name}@1.2", *edges, **variants)
    context = BuildContext(lambda digest: kind, lambda digest: str(tmp_path / "prefix"))
    found = context.package(spec)
    source = tmp_path / "stage" / "source"
    found.stage = SimpleNamespace(
        path=str(source.parent), source_path=str(source), archive_file=None
    )
    create_builder(found)
    return found


class DemoCmake(CMakePackage):
    """A CMake package."""

    variant("mpi", default=False, description="")
    variant("parts", values=any_combination_of("a", "b"), description="")
    variant("never", default=False, description="", when="@9:")

    def cmake_args(self) -> Any:
        return [self.define_from_variant("USE_MPI", "mpi"), self.define_from_variant("PARTS")]


def test_cmake_arguments(tmp_path: Path) -> None:
    found = package(
        DemoCmake,
        tmp_path,
        build_system="cmake",
        build_type="Debug",
        generator="ninja",
        mpi=True,
        parts=("b", "a"),
    )
    args = found.builder.std_cmake_args
    assert args[:2] == ["-G", "Ninja"]
    assert f"-DCMAKE_INSTALL_PREFIX:STRING={tmp_path}/prefix" in args
    assert "-DCMAKE_BUILD_TYPE:STRING=Debug" in args
    assert found.builder.cmake_args() == ["-DUSE_MPI:BOOL=ON", "-DPARTS:STRING=a;b"]
    assert found.define_from_variant("NEVER") == ""
    with pytest.raises(KeyError):
        found.define_from_variant("UNKNOWN")
    assert found.builder.build_directory.startswith(str(tmp_path / "stage" / "spack-build-"))


def test_cmake_flags_of_the_spec(tmp_path: Path) -> None:
    found = package(DemoCmake, tmp_path, build_system="cmake", generator="make")
    found.flags_to_build_system_args({"cflags": ["-g"], "cppflags": ["-DX"], "ldflags": ["-s"]})
    args = found.builder.std_cmake_args
    assert "-DCMAKE_C_FLAGS=-g -DX" in args and "-DCMAKE_CXX_FLAGS=-DX" in args
    assert "-DCMAKE_SHARED_LINKER_FLAGS=-s" in args


def test_define() -> None:
    assert define("A", False) == "-DA:BOOL=OFF"
    assert define("A", ("x", 1)) == "-DA:STRING=x;1"
    assert define("A", 14) == "-DA:STRING=14"


class DemoMeson(MesonPackage):
    """A Meson package."""


def test_meson_arguments(tmp_path: Path) -> None:
    found = package(
        DemoMeson,
        tmp_path,
        build_system="meson",
        buildtype="plain",
        strip=True,
        default_library=("shared", "static"),
    )
    assert found.builder.std_meson_args == [
        f"-Dprefix={tmp_path}/prefix",
        f"-Dlibdir={tmp_path}/prefix/lib",
        *("-Dbuildtype=plain", "-Dstrip=true", "-Ddefault_library=both"),
        "-Dwrap_mode=nodownload",
    ]


class DemoAutotools(AutotoolsPackage):
    """An autotools package."""

    variant("ssl", default=True, description="")
    variant("fabrics", values=any_combination_of("psm", "ucx"), description="")
    variant("mode", default="fast", values=("fast", "small"), description="")
    variant("never", default=False, description="", when="@9:")

    def with_or_without_ucx(self, active: bool) -> str:
        return f"--ucx={active}"


def test_autotools_arguments(tmp_path: Path) -> None:
    found = package(
        DemoAutotools,
        tmp_path,
        build_system="autotools",
        ssl=True,
        fabrics=("psm",),
        mode="small",
    )
    assert found.with_or_without("ssl") == ["--with-ssl"]
    assert found.enable_or_disable("tls", variant="ssl") == ["--enable-tls"]
    assert found.with_or_without("ssl", activation_value=lambda x: f"/{x}") == ["--with-ssl=/ssl"]
    assert found.with_or_without("fabrics") == ["--with-psm", "--ucx=False"]
    assert found.enable_or_disable("mode") == ["--disable-fast", "--enable-small"]
    assert found.with_or_without("never") == []
    with pytest.raises(KeyError):
        found.with_or_without("unknown")
    found.flags_to_build_system_args({"fflags": ["-g"], "ldlibs": ["-lm"]})
    assert found.configure_flag_args == ["FFLAGS=-g", "LIBS=-lm", "FCFLAGS=-g"]


class DemoPython(PythonPackage):
    """A Python package."""

    pypi = "demo-pkg/demo_pkg-1.0.tar.gz"


def test_python_sources_are_names_on_the_index() -> None:
    assert DemoPython.url == "pypi:demo-pkg/demo_pkg-1.0.tar.gz"
    assert DemoPython.list_url == "pypi:demo-pkg/"
    assert DemoPython.homepage is None
    assert PythonPackage.url is None


def test_nested_settings_are_flattened() -> None:
    settings = {"setup-args": {"-Dx": 1}, "builddir": "b", "args": ["a", "b"]}
    assert list(flattened(settings)) == [
        ("setup-args", "-Dx=1"),
        ("builddir", "b"),
        ("args", "a"),
        ("args", "b"),
    ]
    assert settings_of(settings) == {"setup-args": "-Dx=1", "builddir": "b", "args": ["a", "b"]}


def test_modules_are_found_where_they_lie(tmp_path: Path) -> None:
    class Interpreter(PythonPackage):
        purelib = platlib = "lib/site"

    node = make_spec("python@3.11")
    edge = Edge(node, ("build", "run"))
    found = package(DemoPython, tmp_path, [edge], build_system="python_pip")
    context = found.spec._context
    context._objects[node.dag_hash()] = SimpleNamespace(
        purelib="lib/site", platlib="lib/site", name="python"
    )
    for name in ("pkg/__init__.py", "pkg/sub/__init__.py", "single.py", "bad-name.py"):
        path = tmp_path / "prefix/lib/site" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("")
    assert sorted(found.import_modules) == ["pkg", "pkg.sub", "single"]


class DemoCompiler(CompilerPackage):
    """A compiler."""

    c_names = ("gcc",)
    cxx_names = ("g++",)
    fortran_names = ("gfortran",)
    compiler_suffixes: ClassVar[list[str]] = [r"-\d+"]


def test_compilers_are_distinguished_by_name() -> None:
    assert "^()gcc()$" in DemoCompiler.executables
    paths = DemoCompiler.determine_compiler_paths(
        exes=["/b/gcc", "/b/gcc-12", "/b/g++-12", "/b/x86_64-linux-gnu-gfortran"]
    )
    assert paths == {
        "c": "/b/gcc",
        "cxx": "/b/g++-12",
        "fortran": "/b/x86_64-linux-gnu-gfortran",
    }


def test_cuda_flags_and_capabilities() -> None:
    assert CudaPackage.compute_capabilities(["90", "100f"]) == ["9.0", "10.0f"]
    assert CudaPackage.cuda_flags(["70"]) == [
        "--generate-code arch=compute_70,code=sm_70 --generate-code arch=compute_70,code=compute_70"
    ]


class DemoGnu(GNUMirrorPackage):
    """A package of GNU."""

    gnu_mirror_path = "make/make-4.tar.gz"


def test_mirrors_give_urls(tmp_path: Path) -> None:
    spec = SimpleNamespace(name="demo-gnu")
    assert DemoGnu(spec).urls[0] == "https://ftpmirror.gnu.org/make/make-4.tar.gz"
    with pytest.raises(AttributeError, match="gnu_mirror_path"):
        _ = GNUMirrorPackage(spec).urls
