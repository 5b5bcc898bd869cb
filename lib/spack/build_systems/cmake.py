"""Packages built with CMake.

The build happens beside the source tree. CMake learns of the dependencies through
``CMAKE_PREFIX_PATH`` and never reads or writes a package registry of the user; of Python it learns
the one interpreter of the build, under every name that its modules have for it.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

from spack.api.context import SpecView
from spack.package import (
    BuilderWithDefaults,
    InstallError,
    PackageBase,
    Prefix,
    build_system,
    conflicts,
    depends_on,
    get_cmake_prefix_path,
    register_builder,
    run_after,
    tty,
    variant,
    when,
    working_dir,
)

from ._checks import execute_build_time_tests

__all__ = [
    "CMakeBuilder",
    "CMakePackage",
    "define",
    "define_cuda_architectures",
    "define_from_variant",
    "define_hip_architectures",
    "generator",
]

#: Values of the variant ``generator``: CMake's name, and what a configured tree has.
GENERATORS = {"make": ("Unix Makefiles", "Makefile"), "ninja": ("Ninja", "build.ninja")}

#: Definitions by the version of CMake that knows them.
DEFINITIONS_BY_VERSION: Sequence[tuple[str, str, object]] = (
    ("@3.15:", "CMAKE_POLICY_DEFAULT_CMP0090", "NEW"),
    ("@3.1:3.14", "CMAKE_EXPORT_NO_PACKAGE_REGISTRY", True),
    ("@3.16:", "CMAKE_FIND_USE_PACKAGE_REGISTRY", False),
    ("@3.1:3.15", "CMAKE_FIND_PACKAGE_NO_PACKAGE_REGISTRY", True),
    ("@3.1:3.15", "CMAKE_FIND_PACKAGE_NO_SYSTEM_PACKAGE_REGISTRY", True),
    ("@3.5:", "CMAKE_EXPORT_COMPILE_COMMANDS", True),
)

#: Under these names FindPython, FindPython3 and FindPythonInterp take an interpreter.
PYTHON_VARIABLES = ("Python_EXECUTABLE", "Python3_EXECUTABLE", "PYTHON_EXECUTABLE")

#: CMake's names of languages and the compiler flags that they take.
LANGUAGES = {"C": "cflags", "CXX": "cxxflags", "Fortran": "fflags"}


def generator(*names: str, default: str | None = None) -> None:
    """Declare the possible build tools (``"make"``, ``"ninja"``); a directive.

    :param default: the first of *names* when absent.
    """
    unknown = [name for name in names if name not in GENERATORS]
    if unknown:
        raise ValueError(f"generator() takes {', '.join(GENERATORS)}, not {', '.join(unknown)}")
    variant(
        "generator",
        default=default or names[0],
        values=tuple(GENERATORS),
        description="the build system generator to use",
        when="build_system=cmake",
    )
    for name in GENERATORS:
        if name not in names:
            conflicts(f"generator={name}")


class CMakePackage(PackageBase):
    """A package with a ``CMakeLists.txt``."""

    #: Dependencies whose ``dependent_cmake_args`` are not wanted.
    disable_cmake_hints_from: list[str] = []

    build_system_class = "CMakePackage"
    default_buildsystem = "cmake"

    build_system("cmake")

    with when("build_system=cmake"):
        variant(
            "build_type",
            default="Release",
            description="CMake build type",
            values=("Debug", "Release", "RelWithDebInfo", "MinSizeRel"),
        )
        variant(
            "ipo",
            default=False,
            when="%cmake@3.9:",
            description="CMake interprocedural optimization",
        )
        generator("ninja", "make", default="make")
        depends_on("cmake", type="build")
        depends_on("gmake", type="build", when="generator=make")
        depends_on("ninja", type="build", when="generator=ninja")

    def flags_to_build_system_args(self, flags: Mapping[str, list[str]]) -> None:
        """Turn compiler flags into definitions, kept in ``cmake_flag_args``.

        CMake knows no preprocessor flags of their own: they go with those of every language.
        """
        args: list[str] = []
        for language, name in LANGUAGES.items():
            own = [*flags.get(name, []), *flags.get("cppflags", [])]
            if own:
                args.append(f"-DCMAKE_{language}_FLAGS={' '.join(own)}")
        if flags.get("ldflags"):
            text = " ".join(flags["ldflags"])
            args += [f"-DCMAKE_{kind}_LINKER_FLAGS={text}" for kind in ("EXE", "MODULE", "SHARED")]
        if flags.get("ldlibs"):
            text = " ".join(flags["ldlibs"])
            args += [f"-DCMAKE_{language}_STANDARD_LIBRARIES={text}" for language in LANGUAGES]
        self.cmake_flag_args = args

    def define(self, cmake_var: str, value: Any) -> str:
        """See :func:`define`."""
        return define(cmake_var, value)

    def define_from_variant(self, cmake_var: str, variant: str | None = None) -> str:
        """See :func:`define_from_variant`."""
        return define_from_variant(self, cmake_var, variant)


@register_builder("cmake")
class CMakeBuilder(BuilderWithDefaults):
    """Configure, build, install; recipes mostly override :meth:`cmake_args`."""

    phases: tuple[str, ...] = ("cmake", "build", "install")

    package_methods: tuple[str, ...] = ("cmake_args", "check")
    package_attributes: tuple[str, ...] = (
        "build_targets",
        "install_targets",
        "build_time_test_callbacks",
        "archive_files",
        "root_cmakelists_dir",
        "std_cmake_args",
        "build_dirname",
        "build_directory",
    )

    build_targets: list[str] = []
    install_targets = ["install"]
    build_time_test_callbacks = ["check"]

    @property
    def archive_files(self) -> list[str]:
        """Files of the build that are kept with its log."""
        names = ("CMakeCache.txt", "compile_commands.json")
        return [os.path.join(self.build_directory, name) for name in names]

    @property
    def root_cmakelists_dir(self) -> str:
        """Directory of the topmost ``CMakeLists.txt``, absolute or below the source tree."""
        source: str = self.pkg.stage.source_path
        return source

    @property
    def generator(self) -> str:
        """CMake's name of the generator."""
        for value, (name, _) in GENERATORS.items():
            if self.spec.satisfies(f"generator={value}"):
                return name
        raise InstallError(f"the variant 'generator' of {self.spec.name} has an unknown value")

    @property
    def std_cmake_args(self) -> list[str]:
        """Arguments that every CMake build gets."""
        args = CMakeBuilder.std_args(self.pkg, generator=self.generator)
        return args + list(getattr(self.pkg, "cmake_flag_args", []))

    @staticmethod
    def std_args(pkg: PackageBase, generator: str | None = None) -> list[str]:
        """Return arguments for any package that calls CMake.

        :raises InstallError: for a generator other than Makefiles and Ninja.
        """
        generator = generator or "Unix Makefiles"
        if generator.split(" - ")[-1] not in [name for name, _ in GENERATORS.values()]:
            raise InstallError(f"CMake's generator '{generator}' is not supported")
        libraries = [os.path.join(pkg.prefix, name) for name in ("lib", "lib64")]
        args = [
            "-G",
            generator,
            define("CMAKE_INSTALL_PREFIX", str(pkg.prefix)),
            define("CMAKE_INSTALL_RPATH_USE_LINK_PATH", True),
            define("CMAKE_INSTALL_RPATH", libraries),
            define("CMAKE_PREFIX_PATH", get_cmake_prefix_path(pkg)),
            define("CMAKE_BUILD_TYPE", _variant(pkg, "build_type", "RelWithDebInfo")),
        ]
        if "Makefiles" in generator:
            args.append(define("CMAKE_VERBOSE_MAKEFILE", True))
        args += _args_by_version(pkg)
        args += _python_args(pkg)
        args += _hints(pkg)
        return args

    @staticmethod
    def define_cuda_architectures(pkg: PackageBase) -> str:
        """See :func:`define_cuda_architectures`."""
        return define_cuda_architectures(pkg)

    @staticmethod
    def define_hip_architectures(pkg: PackageBase) -> str:
        """See :func:`define_hip_architectures`."""
        return define_hip_architectures(pkg)

    @staticmethod
    def define(cmake_var: str, value: Any) -> str:
        """See :func:`define`."""
        return define(cmake_var, value)

    def define_from_variant(self, cmake_var: str, variant: str | None = None) -> str:
        """See :func:`define_from_variant`."""
        return define_from_variant(self.pkg, cmake_var, variant)

    @property
    def build_dirname(self) -> str:
        """Name of the build directory."""
        return f"spack-build-{self.pkg.spec.dag_hash(7)}"

    @property
    def build_directory(self) -> str:
        """Path of the build directory, beside the source tree."""
        return os.path.join(self.pkg.stage.path, self.build_dirname)

    def cmake_args(self) -> list[str]:
        """Return arguments of the recipe, after :attr:`std_cmake_args`."""
        return []

    def cmake(self, pkg: CMakePackage, spec: SpecView, prefix: Prefix) -> None:
        """Configure; a development build that is configured already is left as it is."""
        artifact = dict(GENERATORS.values()).get(self.generator, "")
        if spec.is_develop and os.path.isfile(os.path.join(self.build_directory, artifact)):
            tty.msg("The build directory is configured already")
            return
        source = os.path.join(pkg.stage.source_path, self.root_cmakelists_dir)
        options = [*self.std_cmake_args, *self.cmake_args(), os.path.abspath(source)]
        with working_dir(self.build_directory, create=True):
            pkg.module.cmake(*options)

    def build(self, pkg: CMakePackage, spec: SpecView, prefix: Prefix) -> None:
        """Build :attr:`build_targets`."""
        verbose = ["-v"] if self.generator == "Ninja" else []
        with working_dir(self.build_directory):
            self._tool(pkg)(*verbose, *self.build_targets)

    def install(self, pkg: CMakePackage, spec: SpecView, prefix: Prefix) -> None:
        """Build :attr:`install_targets`."""
        with working_dir(self.build_directory):
            self._tool(pkg)(*self.install_targets)

    def _tool(self, pkg: PackageBase) -> Any:
        return pkg.module.ninja if self.generator == "Ninja" else pkg.module.make

    run_after("build")(execute_build_time_tests)

    def check(self) -> None:
        """Run the targets ``test`` and ``check`` where they exist."""
        ninja = self.generator == "Ninja"
        run = self.pkg._if_ninja_target_execute if ninja else self.pkg._if_make_target_execute
        with working_dir(self.build_directory):
            run("test", jobs_env="CTEST_PARALLEL_LEVEL")
            run("check")


def define(cmake_var: str, value: Any) -> str:
    """Return a ``-D`` argument: booleans become ON/OFF, sequences lists with ``;``.

    >>> define("SWR", ["avx", "avx2"])
    '-DSWR:STRING=avx;avx2'
    """
    if isinstance(value, bool):
        return f"-D{cmake_var}:BOOL={'ON' if value else 'OFF'}"
    if isinstance(value, Sequence) and not isinstance(value, str):
        value = ";".join(str(item) for item in value)
    return f"-D{cmake_var}:STRING={value}"


def define_from_variant(pkg: PackageBase, cmake_var: str, variant: str | None = None) -> str:
    """Return :func:`define` with the value of a variant; "" when its condition does not hold.

    :param variant: *cmake_var* in lower case when absent.
    :raises KeyError: the package has no such variant.
    """
    name = variant or cmake_var.lower()
    if not pkg.has_variant(name):
        raise KeyError(f"'{name}' is not a variant of '{pkg.name}'")
    if name not in pkg.spec.variants:
        return ""
    value = pkg.spec.variants[name].value
    return define(cmake_var, sorted(value) if isinstance(value, (tuple, list)) else value)


def define_hip_architectures(pkg: PackageBase) -> str:
    """Return ``CMAKE_HIP_ARCHITECTURES`` from the variant ``amdgpu_target``; "" without it."""
    if "amdgpu_target" in pkg.spec.variants and pkg.spec.satisfies("%cmake@3.21:"):
        return define("CMAKE_HIP_ARCHITECTURES", pkg.spec.variants["amdgpu_target"].value)
    return ""


def define_cuda_architectures(pkg: PackageBase) -> str:
    """Return ``CMAKE_CUDA_ARCHITECTURES`` from the variant ``cuda_arch``; "" without it."""
    if "cuda_arch" in pkg.spec.variants and pkg.spec.satisfies("%cmake@3.18:"):
        return define("CMAKE_CUDA_ARCHITECTURES", pkg.spec.variants["cuda_arch"].value)
    return ""


def _variant(pkg: PackageBase, name: str, default: object) -> Any:
    variants = pkg.spec.variants
    return variants[name].value if name in variants else default


def _args_by_version(pkg: PackageBase) -> list[str]:
    cmakes = pkg.spec.dependencies("cmake", deptype="build")
    if len(cmakes) != 1:
        return []
    cmake = cmakes[0]
    args = [
        define(name, value)
        for versions, name, value in DEFINITIONS_BY_VERSION
        if cmake.satisfies(versions)
    ]
    if cmake.satisfies("@3.9:"):
        args.append(define("CMAKE_INTERPROCEDURAL_OPTIMIZATION", bool(_variant(pkg, "ipo", False))))
    if pkg.spec.satisfies("^boost@:1.69.0"):
        args.append(define("Boost_NO_BOOST_CMAKE", True))
    return args


def _python_args(pkg: PackageBase) -> list[str]:
    """Return the arguments that name the build's interpreter, so that FindPython finds no other."""
    if not pkg.spec.dependencies("python"):
        return []
    interpreter = pkg.spec["python"].command.path
    return [define(name, interpreter) for name in PYTHON_VARIABLES]


def _hints(pkg: PackageBase) -> list[str]:
    """Return arguments that dependencies request (``dependent_cmake_args``)."""
    unwanted = set(getattr(pkg, "disable_cmake_hints_from", []))
    args: list[str] = []
    for edge in pkg.spec.edges_to_dependencies():
        package = edge.spec.package
        if not hasattr(package, "dependent_cmake_args"):
            continue
        if package.name not in unwanted and not unwanted.intersection(edge.virtuals):
            args += package.dependent_cmake_args(pkg.spec)
    return args
