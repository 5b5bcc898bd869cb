import os
import pathlib
import re

from spack_repo.builtin.build_systems.generic import Package

from spack.package import *

#: Names under which the wrapper is called, in bin_dir and in a directory for each compiler.
NAMES = (
    "cc",
    "c++",
    "c89",
    "c99",
    "cpp",
    "f77",
    "f90",
    "f95",
    "fc",
    "ftn",
    "ld",
    "ld.bfd",
    "ld.gold",
    "ld.lld",
)
COMPILERS = {
    "aocc": ("clang", "clang++", "flang"),
    "arm": ("armclang", "armclang++", "armflang"),
    "case-insensitive": ("CC",),
    "cce": ("cc", "craycc", "crayftn", "ftn"),
    "clang": ("clang", "clang++", "flang"),
    "fj": ("fcc", "frt"),
    "gcc": ("gcc", "g++", "gfortran"),
    "intel": ("icc", "icpc", "ifort"),
    "nag": ("nagfor",),
    "nvhpc": ("nvc", "nvc++", "nvfortran"),
    "oneapi": ("icx", "icpx", "ifx"),
    "rocmcc": ("amdclang", "amdclang++", "amdflang"),
}

#: What shells, make and distutils keep together when they split the value of CC into words.
ONE_WORD = re.compile(r"[\w@%+=:,./-]+", re.ASCII)

#: Languages: attribute of the compiler's package, variable of the build, the wrapper's variable.
LANGUAGES = (
    ("c", "cc", "CC"),
    ("cxx", "cxx", "CXX"),
    ("fortran", "fortran", "F77"),
    ("fortran", "fortran", "FC"),
)


class CompilerWrapper(Package):
    """Wraps the compilers of a build and adds the directories of its dependencies."""

    has_code = False
    tags = ["runtime"]

    license("Apache-2.0 OR MIT")

    version("1.0")

    def bin_dir(self):
        """A :class:`pathlib.Path`, as upstream's; below libexec, so that no view links it."""
        return pathlib.Path(self.prefix.libexec.spack)

    def install(self, spec, prefix):
        script = os.path.join(self.bin_dir(), "cc")
        mkdirp(self.bin_dir())
        copy(os.path.join(self.package_dir, "wrapper.sh"), script)
        os.chmod(script, 0o755)
        for name in NAMES:
            if name != "cc":
                symlink("cc", os.path.join(self.bin_dir(), name))
        for directory, names in COMPILERS.items():
            mkdirp(os.path.join(self.bin_dir(), directory))
            for name in names:
                symlink("../cc", os.path.join(self.bin_dir(), directory, name))

    def _languages(self, dependent_spec):
        """Rows of LANGUAGES that the dependent uses, with the package of the compiler."""
        for language, attribute, variable in LANGUAGES:
            if dependent_spec.has_virtual_dependency(language):
                package = dependent_spec[language].package
                if getattr(package, attribute, None):
                    yield language, attribute, variable, package

    def _path(self, package, language):
        return os.path.join(self.bin_dir(), package.compiler_wrapper_link_paths[language])

    def setup_dependent_build_environment(
        self, env: EnvironmentModifications, dependent_spec: Spec
    ) -> None:
        directories, implicit, extra = [], [], []
        for language, attribute, variable, package in self._languages(dependent_spec):
            env.set(f"SPACK_{variable}", getattr(package, attribute))
            if language not in package.compiler_wrapper_link_paths:
                continue
            wrapper = self._path(package, language)
            # The wrapper's directory is first on PATH, so its name will do.
            env.set(variable, wrapper if ONE_WORD.fullmatch(wrapper) else os.path.basename(wrapper))
            env.set(f"SPACK_{variable}_RPATH_ARG", package.rpath_arg)
            env.set(f"SPACK_{variable}_LINKER_ARG", package.linker_arg)
            flags = microarchitecture_flags(dependent_spec, language)
            if flags:
                env.set(f"SPACK_TARGET_ARGS_{attribute.upper()}", flags)
            directories += [self.bin_dir(), os.path.dirname(wrapper)]
            implicit += CompilerPropertyDetector(package.spec).implicit_rpaths()
            extra += package.spec.extra_attributes.get("extra_rpaths", [])
        if not directories:
            return
        if implicit:
            env.set("SPACK_COMPILER_IMPLICIT_RPATHS", ":".join(dedupe(implicit)))
        if extra:
            env.set("SPACK_COMPILER_EXTRA_RPATHS", ":".join(dedupe(extra)))
        runpath = os.environ.get("SPACK_SHARED_LINKING") == "runpath"
        env.set("SPACK_DTAGS_TO_ADD", f"--{'en' if runpath else 'dis'}able-new-dtags")
        for directory in dedupe(directories):
            env.prepend_path("SPACK_COMPILER_WRAPPER_PATH", directory)

    def setup_dependent_package(self, module, dependent_spec):
        names = {"CC": "spack_cc", "CXX": "spack_cxx", "F77": "spack_f77", "FC": "spack_fc"}
        for language, _, variable, package in self._languages(dependent_spec):
            if language in package.compiler_wrapper_link_paths:
                setattr(module, names[variable], self._path(package, language))
