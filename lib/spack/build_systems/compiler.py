"""What packages that are compilers have in common: names, detection, flags."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from typing import Any, Union

from spack.package import (
    CompilerError,
    Executable,
    PackageBase,
    ProcessError,
    classproperty,
    memoized,
    which_string,
)
from spack.spec.languages import LANGUAGE_NAMES, LANGUAGES

__all__ = ["CompilerPackage", "compiler_output"]

Path = Union[str, "os.PathLike[str]"]


class CompilerPackage(PackageBase):
    """Mixin of packages that provide ``c``, ``cxx`` or ``fortran``.

    A subclass lists the names of its programs as ``<language>_names``. Paths of an external
    compiler are its extra attribute ``compilers``, by language.
    """

    tags: Sequence[str] = ["compiler"]

    #: Regular expressions of what may follow a program's name, and precede it.
    compiler_suffixes: list[str] = [r"-.*"]
    compiler_prefixes: list[str] = []

    #: Arguments that make the compiler print its version; they are tried in order.
    compiler_version_argument: str | tuple[str, ...] = "-dumpversion"
    #: Finds the version in that output; several groups are joined with dots.
    compiler_version_regex = "(.*)"

    compiler_languages: Sequence[str] = list(LANGUAGE_NAMES)

    #: Below the compiler wrapper's directory, the name for each language.
    compiler_wrapper_link_paths: dict[str, str] = {}

    opt_flags: Sequence[str] = []
    debug_flags: Sequence[str] = []

    rpath_arg: str | None = "-Wl,-rpath,"
    linker_arg: str = "-Wl,"
    pic_flag: str = "-fPIC"
    verbose_flags: str = "-v"
    openmp_flag: str = "-fopenmp"
    implicit_rpath_libs: list[str] = []

    @property
    def supported_languages(self) -> Sequence[str]:
        """Languages of this very installation."""
        return self.compiler_languages

    @classproperty
    def compiler_names(cls) -> Sequence[str]:
        """Names of the programs of all languages."""
        names: list[str] = []
        for language in cls.compiler_languages:
            names.extend(getattr(cls, f"{language}_names", ()))
        return names

    @classproperty
    def executables(cls) -> Sequence[str]:
        """Regular expressions of file names, for ``spack external find``."""
        kind: Any = cls
        return [
            f"^({prefix}){re.escape(name)}({suffix})$"
            for prefix in ("", *kind.compiler_prefixes)
            for name in kind.compiler_names
            for suffix in ("", *kind.compiler_suffixes)
        ]

    @classmethod
    def determine_version(cls, exe: Path) -> str:
        """Return version of the program *exe*; "" when it does not print one."""
        arguments = cls.compiler_version_argument
        for argument in (arguments,) if isinstance(arguments, str) else arguments:
            try:
                output = compiler_output(exe, version_argument=argument)
            except ProcessError:
                continue
            match = re.search(cls.compiler_version_regex, output)
            if match:
                return ".".join(match.groups())
        return ""

    @classmethod
    def compiler_bindir(cls, prefix: Path) -> Path:
        """Return directory of the programs below *prefix*."""
        return os.path.join(prefix, "bin")

    @classmethod
    def determine_compiler_paths(cls, exes: Sequence[Path]) -> dict[str, Path]:
        """Return programs by language; a plain name is better than one with a suffix or prefix."""
        languages = sorted(cls.compiler_languages, key=len, reverse=True)
        names = {language: getattr(cls, f"{language}_names", ()) for language in languages}
        paths: dict[str, Path] = {}
        for exe in sorted(exes, key=os.fspath, reverse=True):
            base = os.path.basename(exe)
            exact = [x for x in languages if base in names[x]]
            similar = [x for x in languages if any(name in base for name in names[x])]
            for language in (exact or similar)[:1]:
                paths[language] = exe
        return paths

    @classmethod
    def determine_variants(
        cls, exes: Sequence[Path], version_str: str
    ) -> tuple[str, Mapping[str, Any]]:
        """Return variants and extra attributes of a detected compiler."""
        return "", {"compilers": cls.determine_compiler_paths(exes=exes)}

    def standard_flag(self, *, language: str, standard: str) -> str:
        """Return flag for a language's standard, such as ``-std=c++17``.

        :raises CompilerError: the compiler does not know it.
        """
        if language not in self.supported_languages:
            raise CompilerError(f"{self.spec} does not provide the '{language}' language")
        try:
            return self._standard_flag(language=language, standard=standard)
        except (KeyError, RuntimeError) as exc:
            raise CompilerError(
                f"{self.spec} does not provide the '{language}' standard {standard}"
            ) from exc

    def _standard_flag(self, *, language: str, standard: str) -> str:
        raise KeyError(standard)

    def archspec_name(self) -> str:
        """Name of the compiler in archspec's tables."""
        name: str = self.spec.name
        return name

    def _path(self, language: str) -> str | None:
        if self.spec.external:
            compilers = (self.spec.extra_attributes or {}).get("compilers", {})
            path: str | None = compilers.get(language)
            return path
        own: str | None = getattr(self, f"_{LANGUAGE_ATTRIBUTES[language]}_path")()
        return own

    @property
    def cc(self) -> str | None:
        """Path of the C compiler."""
        return self._path("c")

    @property
    def cxx(self) -> str | None:
        """Path of the C++ compiler."""
        return self._path("cxx")

    @property
    def fortran(self) -> str | None:
        """Path of the Fortran compiler."""
        return self._path("fortran")

    def _cc_path(self) -> str | None:
        """Return the C compiler of an installation that is not external; for subclasses."""
        return None

    def _cxx_path(self) -> str | None:
        """Return C++ compiler of an installation that is not external; for subclasses."""
        return None

    def _fortran_path(self) -> str | None:
        """Return Fortran compiler of an installation that is not external; for subclasses."""
        return None


#: Languages and the attribute of the package that holds their compiler.
LANGUAGE_ATTRIBUTES = {row.name: row.attribute for row in LANGUAGES}


def compiler_output(
    compiler_path: Path, *, version_argument: str, ignore_errors: tuple[int, ...] = ()
) -> str:
    """Return a compiler's output for *version_argument*; remembered by absolute path."""
    path = os.fspath(compiler_path)
    if not os.path.isabs(path):
        path = which_string(path, required=True)
    return _output(path, version_argument, ignore_errors)


@memoized
def _output(path: str, argument: str, ignore_errors: tuple[int, ...]) -> str:
    args = [argument] if argument else []
    compiler = Executable(path)
    return compiler(*args, output=str, error=str, ignore_errors=ignore_errors, timeout=120) or ""
