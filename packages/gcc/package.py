import os

from spack_repo.builtin.build_systems.compiler import CompilerPackage
from spack_repo.builtin.build_systems.generic import Package

from spack.package import *


class Gcc(Package, CompilerPackage):
    """The GNU compilers for C, C++ and Fortran; those of the machine are used."""

    homepage = "https://gcc.gnu.org"

    license("GPL-3.0-or-later WITH GCC-exception-3.1")

    variant(
        "languages",
        default="c,c++,fortran",
        values=("ada", "brig", "c", "c++", "d", "fortran", "go", "java", "jit", "lto", "objc"),
        multi=True,
        description="Compilers and runtime libraries to build",
    )

    provides("c", "cxx", when="languages=c,c++")
    provides("c", when="languages=c")
    provides("cxx", when="languages=c++")
    provides("fortran", when="languages=fortran")

    c_names = ["gcc"]
    cxx_names = ["g++"]
    fortran_names = ["gfortran"]
    compiler_suffixes = [r"-mp-\d+(?:\.\d+)?", r"-\d+(?:\.\d+)?", r"\d\d"]
    compiler_version_regex = r"(?<!clang version)\s?([0-9.]+)"
    compiler_version_argument = ("-dumpfullversion -dumpversion", "-dumpversion")

    compiler_wrapper_link_paths = {
        "c": os.path.join("gcc", "gcc"),
        "cxx": os.path.join("gcc", "g++"),
        "fortran": os.path.join("gcc", "gfortran"),
    }

    debug_flags = ["-g", "-gstabs+", "-gstabs", "-gxcoff+", "-gxcoff", "-gvms"]
    opt_flags = ["-O", "-O0", "-O1", "-O2", "-O3", "-Os", "-Ofast", "-Og"]
    implicit_rpath_libs = ["libgcc", "libgfortran"]
    stdcxx_libs = "-lstdc++"

    @property
    def supported_languages(self):
        names = {"c": "c", "cxx": "c++", "fortran": "fortran"}
        return [x for x, name in names.items() if self.spec.satisfies(f"languages={name}")]

    @classmethod
    def determine_variants(cls, exes, version_str):
        compilers = cls.determine_compiler_paths(exes=exes)
        names = {"c": "c", "cxx": "c++", "fortran": "fortran"}
        languages = ",".join(name for language, name in names.items() if language in compilers)
        return f"languages='{languages}'", {"compilers": compilers}

    #: Standards and the release of the compiler that knows their flag.
    standards = {
        "c": {
            "99": ("-std=c99", "4.5"),
            "11": ("-std=c11", "4.7"),
            "17": ("-std=c17", "8"),
            "23": ("-std=c2x", "9"),
        },
        "cxx": {
            "98": ("", "1"),
            "11": ("-std=c++11", "4.7"),
            "14": ("-std=c++14", "4.9"),
            "17": ("-std=c++17", "6"),
            "20": ("-std=c++20", "11"),
            "23": ("-std=c++23", "11"),
        },
    }

    def _standard_flag(self, *, language, standard):
        flag, since = self.standards[language][standard]
        if self.spec.satisfies(f"@{since}:"):
            return flag
        raise RuntimeError(f"needs gcc {since}")

    def install(self, spec, prefix):
        raise InstallError(
            "gcc is used as the machine has it",
            "install the compiler of the distribution and run: spack external find gcc",
        )
