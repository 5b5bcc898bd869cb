"""``spec.compiler``: the deprecated view of the compilers, forwarded to their packages."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from spack.errors import SpackError
from spack.spec.languages import LANGUAGE_NAMES, LANGUAGES

__all__ = ["CompilerError", "CompilerView"]


class CompilerError(SpackError):
    """A compiler cannot be used; build systems and recipes raise it."""

    ref = "compiler"


#: Attributes of the old compiler object: the language whose package answers, and its attribute.
_ATTRIBUTES: Mapping[str, tuple[str | None, str]] = {
    **{old: (row.name, row.attribute) for row in LANGUAGES for old in row.old_names},
    **{
        f"{old}_{attribute}": (row.name, attribute)
        for row in LANGUAGES
        for old in row.old_names
        for attribute in ("pic_flag", "rpath_arg")
    },
    "openmp_flag": (None, "openmp_flag"),
    "opt_flags": (None, "opt_flags"),
    "debug_flags": (None, "debug_flags"),
    "stdcxx_libs": ("cxx", "stdcxx_libs"),
    "linker_arg": (None, "linker_arg"),
    "verbose_flag": (None, "verbose_flags"),
}

_STANDARD = re.compile(r"(c|cxx)(\d+)_flag")

#: Packages under the names that the old compiler object had.
_OLD_NAMES = {
    "llvm": "clang",
    "intel-oneapi-compilers": "oneapi",
    "intel-oneapi-compilers-classic": "intel",
    "llvm-amdgpu": "rocmcc",
    "acfl": "arm",
}


class CompilerView:
    """All compilers of a spec as if they were one; C answers first, then C++, then Fortran."""

    def __init__(self, spec: Any) -> None:
        self._spec = spec

    def _of(self, language: str | None) -> Any:
        if language is not None:
            return self._spec[language]
        for candidate in LANGUAGE_NAMES:
            if self._spec.has_virtual_dependency(candidate):
                return self._spec[candidate]
        raise AttributeError("compiler")

    @property
    def spec(self) -> Any:
        """The compiler's spec."""
        return self._of(None)

    @property
    def name(self) -> str:
        """The compiler's old name, ``clang`` for llvm."""
        name = str(self._of(None).name)
        return _OLD_NAMES.get(name, name)

    @property
    def version(self) -> Any:
        """The compiler's version."""
        return self._of(None).version

    @property
    def prefix(self) -> Any:
        """The compiler's prefix."""
        return self._of(None).prefix

    @property
    def extra_rpaths(self) -> list[str]:
        """Directories that the configuration of the external adds to rpaths."""
        return list(self._of(None).extra_attributes.get("extra_rpaths", ()))

    def implicit_rpaths(self) -> list[str]:
        """Return directories that the compiler's own runtime libraries are in."""
        from spack.api.platforms import CompilerPropertyDetector  # only a few recipes ask

        return list(CompilerPropertyDetector(self._of(None)).implicit_rpaths())

    def satisfies(self, constraint: Any) -> bool:
        """Return whether the compiler's spec satisfies *constraint*; old names are understood."""
        text = str(constraint)
        for new, old in _OLD_NAMES.items():
            if re.match(rf"{old}(?![\w-])", text):
                text = new + text[len(old) :]
        return bool(self._of(None).satisfies(text))

    def __getattr__(self, name: str) -> Any:
        standard = _STANDARD.fullmatch(name)
        if standard:
            package = self._of(standard[1]).package
            return package.standard_flag(language=standard[1], standard=standard[2])
        if name in _ATTRIBUTES:
            language, attribute = _ATTRIBUTES[name]
            return getattr(self._of(language).package, attribute)
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(self._of(None).package, name)

    def __str__(self) -> str:
        return f"{self.name}@{self.version}"
