import os
import re

from spack_repo.builtin.build_systems.compiler import CompilerPackage
from spack_repo.builtin.build_systems.generic import Package

from spack.package import *


class Llvm(Package, CompilerPackage):
    """clang and flang; those of the machine are used."""

    homepage = "https://llvm.org/"

    license("Apache-2.0 WITH LLVM-exception")

    variant("clang", default=True, description="The compilers for C and C++")
    variant("flang", default=False, description="The compiler for Fortran")
    variant("lld", default=False, description="The linker")
    variant("lldb", default=False, description="The debugger")

    provides("c", "cxx", when="+clang")
    provides("fortran", when="+flang")

    c_names = ["clang"]
    cxx_names = ["clang++"]
    fortran_names = ["flang", "flang-new"]
    compiler_version_argument = "--version"
    compiler_version_regex = r"clang version ([^ )\n]+)-svn[~.\w\d-]*|clang version ([^ )\n]+)"

    compiler_wrapper_link_paths = {
        "c": os.path.join("clang", "clang"),
        "cxx": os.path.join("clang", "clang++"),
        "fortran": os.path.join("clang", "flang"),
    }

    debug_flags = ["-gcodeview", "-gdwarf-4", "-gdwarf-5", "-gline-tables-only", "-gmodules", "-g"]
    opt_flags = ["-O0", "-O1", "-O2", "-O3", "-Ofast", "-Os", "-Oz", "-Og", "-O", "-O4"]
    implicit_rpath_libs = ["libclang", "libflang"]
    stdcxx_libs = "-lstdc++"

    @property
    def supported_languages(self):
        languages = ["c", "cxx"] if self.spec.satisfies("+clang") else []
        return languages + (["fortran"] if self.spec.satisfies("+flang") else [])

    @classmethod
    def determine_version(cls, exe):
        text = Executable(exe)("--version", output=str, error=str, fail_on_error=False)
        match = re.search(r"(?<!Apple )(?:clang|flang\S*) version (\d+[\d.]*)", text)
        return match.group(1) if match else ""

    @classmethod
    def determine_variants(cls, exes, version_str):
        compilers = cls.determine_compiler_paths(exes=exes)
        variants = "+clang" if "c" in compilers else "~clang"
        variants += "+flang" if "fortran" in compilers else "~flang"
        return variants, {"compilers": compilers}

    #: Standards and the release of the compiler that knows their flag.
    standards = {
        "c": {
            "99": ("-std=c99", "1"),
            "11": ("-std=c11", "3.0"),
            "17": ("-std=c17", "6"),
            "23": ("-std=c2x", "9"),
        },
        "cxx": {
            "98": ("-std=c++98", "1"),
            "11": ("-std=c++11", "3.3"),
            "14": ("-std=c++14", "3.5"),
            "17": ("-std=c++17", "5"),
            "20": ("-std=c++20", "11"),
            "23": ("-std=c++2b", "13"),
        },
    }

    def _standard_flag(self, *, language, standard):
        flag, since = self.standards[language][standard]
        if self.spec.satisfies(f"@{since}:"):
            return flag
        raise RuntimeError(f"needs clang {since}")

    def install(self, spec, prefix):
        raise InstallError(
            "llvm is used as the machine has it",
            "install the compiler of the distribution and run: spack external find llvm",
        )
