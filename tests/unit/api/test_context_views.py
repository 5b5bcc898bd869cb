"""Specs as recipes see them in a build."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from kits.specs import make_spec
from spack.api.context import BuildContext, SpecView, current_build
from spack.api.libraries import NoHeadersError, NoLibrariesError
from spack.api.targets import Target
from spack.errors import InstallError, SpackError
from spack.package import (
    Executable,
    Package,
    Prefix,
    Version,
    depends_on,
    determine_number_of_jobs,
    extends,
    find_libraries,
    get_cmake_prefix_path,
    get_effective_jobs,
    provides,
    variant,
)
from spack.spec import ConcreteSpec, Edge, External


class Zlib(Package):
    @property
    def libs(self) -> Any:
        return find_libraries("libz", self.prefix, shared=True, recursive=True)


class Mpich(Package):
    provides("mpi@:3", when="@3:")
    provides("mpi@:5", when="@5:")
    provides("mpi", when="@2")

    def setup_dependent_package(self, module: Any, dependent_spec: Any) -> None:
        self.spec.mpicc = "/the/mpicc"

    @property
    def mpi_libs(self) -> Any:
        return ["through the virtual", *self.spec.last_query.extra_parameters]

    @property
    def libs(self) -> Any:
        return ["by name", *self.spec.last_query.extra_parameters]

    @property
    def headers(self) -> Any:
        return None


class Python(Package):
    pass


class PythonVenv(Package):
    pass


class Gcc(Package):
    cc = "/usr/bin/gcc"
    cxx = "/usr/bin/g++"
    pic_flag = "-fPIC"
    openmp_flag = "-fopenmp"

    def standard_flag(self, *, language: str, standard: str) -> str:
        return f"-std={language}{standard}"


class Shared(Package):
    variant("shared", default=True)


class Root(Package):
    variant("x", default="b", values=("b",))
    variant("x", default="a", values=("a",), when="@2:")
    variant("x", default="c", values=("c",), when="@3:")
    extends("python")
    depends_on("zlib")


CLASSES: dict[str, Any] = {
    "root": Root,
    "zlib": Zlib,
    "mpich": Mpich,
    "python": Python,
    "python-venv": PythonVenv,
    "gcc": Gcc,
    "shared-lib": Shared,
}


def node(name: str, *edges: Edge, version: str = "1.0", **parts: Any) -> ConcreteSpec:
    parts.setdefault("target", "x86_64_v3")
    return make_spec(f"{name}@{version}", *edges, namespace="mine", **parts)


def edge(spec: ConcreteSpec, *types: str, virtuals: tuple = ()) -> Edge:
    return Edge(spec, frozenset(types or ("build", "link")), virtuals)


@pytest.fixture
def graph(tmp_path: Path) -> SpecView:
    zlib = node("zlib", version="1.2.13")
    python = node("python", version="3.11.2", external=External("/usr", (), {"extra": {"a": 1}}))
    venv = node("python-venv", edge(python, "build", "run"))
    mpich = node("mpich", edge(zlib, "link"), version="4.1")
    gcc = node("gcc", version="12.2.0", external=External("/usr", (), {}))
    shared = node("shared-lib", shared=False)
    root = node(
        "root",
        edge(python, "build", "run"),
        edge(venv, "build", "run"),
        edge(mpich, "link", virtuals=("mpi",)),
        edge(gcc, "build", virtuals=("c", "cxx")),
        edge(shared, "link"),
        version="2.1.3",
        build_system="generic",
        d=True,
        langs=("c", "f"),
        flags={"cflags": ("-O2", "-g")},
    )
    names = {n.dag_hash(): n.name for n in root.traverse()}

    def prefix(digest: str) -> str:
        return "/usr" if names[digest] in ("python", "gcc") else str(tmp_path / names[digest])

    context = BuildContext(lambda digest: CLASSES[names[digest]], prefix, jobs=4)
    token = current_build.set(context)
    yield context.view(root)
    current_build.reset(token)


def test_the_node(graph: SpecView) -> None:
    assert (graph.name, graph.version) == ("root", Version("2.1.3"))
    assert graph.version.up_to(2) == Version("2.1")
    assert graph.variants["d"].value is True
    assert graph.variants["langs"].value == ("c", "f")
    with pytest.raises(KeyError):
        graph.variants["nosuch"]
    assert graph.satisfies("@2: +d") and not graph.satisfies("@3:")
    assert graph.intersects("@2:")
    assert graph.compiler_flags["cflags"] == ["-O2", "-g"]
    assert graph.compiler_flags["ldflags"] == []
    assert (graph.platform, graph.os) == ("linux", "debian12")
    assert str(graph.architecture) == "linux-debian12-x86_64_v3"
    assert "debian12" in graph.architecture
    assert graph.external is False and graph.extra_attributes == {}
    assert len(graph.dag_hash()) == 32
    assert graph.format("{name}-{version}") == "root-2.1.3"
    assert graph.format("{prefix}").endswith("/root")
    assert graph.concrete and graph.build_spec == graph
    assert str(graph.versions) == "=2.1.3"


def test_dependencies_by_name_and_virtual(graph: SpecView) -> None:
    assert graph["mpi"].name == "mpich"
    assert graph["zlib"].version == Version("1.2.13")
    assert graph["root"] == graph
    with pytest.raises(KeyError, match=r"No spec with name cmake in root@2.1.3"):
        graph["cmake"]
    assert "mpi" in graph and "cmake" not in graph
    assert "zlib@1.2:" in graph and "zlib@2:" not in graph
    assert "+d" in graph and "~d" not in graph
    assert [d.name for d in graph.dependencies(deptype="link")] == ["mpich", "shared-lib"]
    assert [d.name for d in graph.dependencies("python")] == ["python"]
    assert graph.dependencies("zlib") == []
    virtuals = {e.spec.name: e.virtuals for e in graph.edges_to_dependencies()}
    assert virtuals["gcc"] == ("c", "cxx")
    assert graph.has_virtual_dependency("c") and not graph.has_virtual_dependency("fortran")
    names = {n.name for n in graph.traverse(deptype="link", root=False)}
    assert names == {"mpich", "zlib", "shared-lib"}
    assert len({graph["zlib"], graph["mpi"]["zlib"]}) == 1


def test_versions_of_virtuals_come_from_the_recipes_of_providers(graph: SpecView) -> None:
    assert graph.satisfies("^mpi@3:") and graph.satisfies("%mpi@:1")
    assert not graph.satisfies("^mpi@4:") and not graph.satisfies("^mpi@2: +x")
    assert "mpi@3" in graph and "mpi@4" not in graph
    assert graph["mpi"].satisfies("mpi@2:") and not graph["mpi"].satisfies("lapack")
    assert graph.intersects("^mpi@3:") and not graph.intersects("^mpi@4:")


def test_externals(graph: SpecView) -> None:
    python = graph["python"]
    assert python.external is True
    assert python.external_path == "/usr"
    assert python.extra_attributes == {"extra": {"a": 1}}
    assert isinstance(python.prefix, Prefix) and python.prefix.lib == "/usr/lib"


def test_packages(graph: SpecView) -> None:
    package = graph["mpi"].package
    assert package is graph["mpich"].package
    assert package.spec == graph["mpich"]
    assert graph.package["zlib"].version == Version("1.2.13")
    assert graph.package.prefix == graph.prefix


def test_attributes_that_recipes_set(graph: SpecView) -> None:
    with pytest.raises(AttributeError):
        graph["mpi"].mpicc  # noqa: B018  # not yet
    graph["mpi"].package.setup_dependent_package(None, graph)
    assert graph["mpi"].mpicc == "/the/mpicc"
    assert graph["mpich"].mpicc == "/the/mpicc"


def test_queries(graph: SpecView) -> None:
    assert graph["mpi"].libs == ["through the virtual"]
    assert graph["mpich"].libs == ["by name"]
    assert graph["mpi:cxx, hl"].libs == ["through the virtual", "cxx", "hl"]
    assert graph["mpich:cxx"].last_query.extra_parameters == ["cxx"]
    assert graph["mpich"].last_query.extra_parameters == []
    assert graph["mpi"].last_query.isvirtual
    with pytest.raises(InstallError, match=r"headers of mpich@4.1/.* is None"):
        graph["mpich"].headers  # noqa: B018  # the property is what is tested


def test_libraries(graph: SpecView, tmp_path: Path) -> None:
    library = tmp_path / "zlib" / "lib" / "libz.so"
    library.parent.mkdir(parents=True)
    library.touch()
    assert list(graph["zlib"].libs) == [str(library)]
    with pytest.raises(NoLibrariesError, match="shared-lib"):
        graph["shared-lib"].libs  # noqa: B018  # the property is what is tested
    static = tmp_path / "shared-lib" / "lib" / "libshared_lib.a"
    static.parent.mkdir(parents=True)
    static.with_suffix(".so").touch()
    with pytest.raises(NoLibrariesError):
        graph["shared-lib"].libs  # noqa: B018  # ~shared: only static ones count
    static.touch()
    assert list(graph["shared-lib"].libs) == [str(static)]


def test_headers(graph: SpecView, tmp_path: Path) -> None:
    with pytest.raises(NoHeadersError):
        graph["zlib"].headers  # noqa: B018  # the property is what is tested
    header = tmp_path / "zlib" / "include" / "sub" / "zlib.h"
    header.parent.mkdir(parents=True)
    header.touch()
    assert list(graph["zlib"].headers) == [str(header)]


def test_commands(graph: SpecView, tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="unable to locate zlib command"):
        graph["zlib"].command  # noqa: B018  # the property is what is tested
    program = tmp_path / "zlib" / "bin" / "zlib"
    program.parent.mkdir(parents=True)
    program.touch(mode=0o755)
    assert graph["zlib"].command.path == str(program)


def test_python_is_the_one_of_the_venv(graph: SpecView, tmp_path: Path) -> None:
    expected = os.path.join(tmp_path, "python-venv", "bin", "python3")
    assert graph["python"].command.path == expected
    context = current_build.get()
    context.overrides[("python", "command")] = lambda view: Executable("/build/python3")
    assert graph["python"].command.path == "/build/python3"
    assert graph["python"].command is not graph["python"].command


def test_the_deprecated_compiler(graph: SpecView) -> None:
    compiler = graph.compiler
    assert (compiler.name, compiler.version) == ("gcc", Version("12.2.0"))
    assert (compiler.cc, compiler.cxx) == ("/usr/bin/gcc", "/usr/bin/g++")
    assert compiler.cc_pic_flag == "-fPIC"
    assert compiler.openmp_flag == "-fopenmp"
    assert compiler.cxx17_flag == "-std=cxx17"
    assert compiler.c99_flag == "-std=c99"
    assert compiler.satisfies("gcc@12:")
    assert graph.package.compiler.cc == "/usr/bin/gcc"
    with pytest.raises(SpackError, match="uses no compiler"):
        graph["zlib"].compiler  # noqa: B018  # the property is what is tested


def test_targets(graph: SpecView) -> None:
    target = graph.target
    assert target == "x86_64_v3" and target != "x86_64"
    assert str(target.family) == "x86_64"
    assert "avx2" in target and "avx512f" not in target
    assert target > Target("x86_64") and target <= "x86_64_v4"
    assert Target("x86_64_v2") in target.ancestors
    assert target.vendor == "generic"


def test_package_helpers(graph: SpecView, tmp_path: Path) -> None:
    package = graph.package
    assert package.get_variant("x").default == "a"
    with pytest.raises(ValueError, match="no variant 'y'"):
        package.get_variant("y")
    assert package.extendee_spec.name == "python"
    assert package.is_extension and package.extends(graph["python"])
    assert not package.extends(graph["zlib"])
    assert graph["mpi"].package.provides("mpi")
    assert package.flag_handler("cflags", ["-O2"]) == (["-O2"], None, None)
    assert package.build_system_flags("cflags", ["-O2"]) == (None, None, ["-O2"])
    package.flags_to_build_system_args({"cflags": []})
    with pytest.raises(NotImplementedError):
        package.flags_to_build_system_args({"cflags": ["-O2"]})
    (tmp_path / "zlib" / "lib64").mkdir(parents=True)
    assert str(tmp_path / "zlib" / "lib64") in package.rpath
    assert f"-Wl,-rpath,{tmp_path}/root/lib" in package.rpath_args
    paths = get_cmake_prefix_path(package)
    assert paths[0] == str(tmp_path / "mpich") and paths[-1] == "/usr"


def test_jobs(graph: SpecView) -> None:
    assert determine_number_of_jobs(parallel=True) == 4
    assert determine_number_of_jobs(parallel=True, max_cpus=2) == 2
    assert determine_number_of_jobs(parallel=False) == 1
    assert get_effective_jobs(4, supports_jobserver=True) == 4
    assert get_effective_jobs(4, parallel=False) == 1
    current_build.get().jobserver = True
    assert get_effective_jobs(4, supports_jobserver=True) is None
    assert get_effective_jobs(4) == 4
