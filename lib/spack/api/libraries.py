"""Lists of libraries and headers with the compiler flags that use them.

:class:`FileList` is an immutable sequence of paths without duplicates (first one stays).
Adding two lists gives a third; indexing gives a path for an integer and a list for a slice.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, TypeVar, overload

from spack.errors import SpackError

__all__ = [
    "FileList",
    "HeaderList",
    "LibraryList",
    "NoHeadersError",
    "NoLibrariesError",
]

_Self = TypeVar("_Self", bound="FileList")

_INCLUDE = re.compile(r"(.*?)(\binclude\b)(.*)")
_HEADER_SUFFIXES = (".cuh", ".hpp", ".hh", ".h")
_LIBRARY_SUFFIXES = (".dylib", ".so", ".a")


class NoLibrariesError(SpackError):
    """A package has no libraries where its dependents look for them."""

    ref = "no-libraries"

    def __init__(self, message_or_name: str, prefix: str | None = None) -> None:
        super().__init__(_unable("libraries", message_or_name, prefix))


class NoHeadersError(SpackError):
    """A package has no headers where its dependents look for them."""

    ref = "no-headers"

    def __init__(self, message_or_name: str, prefix: str | None = None) -> None:
        super().__init__(_unable("headers", message_or_name, prefix))


def _unable(what: str, message_or_name: str, prefix: str | None) -> str:
    if prefix is None:
        return message_or_name
    return f"Unable to locate {message_or_name} {what} in {prefix}"


def _unique(items: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(items))


class FileList(Sequence[str]):
    """Paths of files.

    :param files: one path or several.
    """

    def __init__(self, files: str | Iterable[str]) -> None:
        if isinstance(files, (str, os.PathLike)):
            files = [files]
        self.files: list[str] = _unique(os.fspath(path) for path in files)

    @property
    def directories(self) -> list[str]:
        """Directories of the files, each once."""
        return _unique(os.path.dirname(path) for path in self.files if os.path.dirname(path))

    @property
    def basenames(self) -> list[str]:
        """Names of the files, each once."""
        return _unique(os.path.basename(path) for path in self.files)

    def joined(self, separator: str = " ") -> str:
        """Return all paths as one text."""
        return separator.join(self.files)

    @overload
    def __getitem__(self, item: int) -> str: ...

    @overload
    def __getitem__(self: _Self, item: slice) -> _Self: ...

    def __getitem__(self, item: Any) -> Any:
        found = self.files[item]
        return type(self)(found) if isinstance(item, slice) else found

    def __add__(self: _Self, other: Iterable[str]) -> _Self:
        return type(self)([*self.files, *other])

    def __radd__(self: _Self, other: Any) -> _Self:
        return type(self)([*(other or ()), *self.files])  # sum() begins with 0

    def __iter__(self) -> Iterator[str]:
        return iter(self.files)

    def __len__(self) -> int:
        return len(self.files)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, FileList):
            return NotImplemented
        return self.files == other.files

    __hash__ = None  # type: ignore[assignment]  # compares by content

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.files!r})"

    def __str__(self) -> str:
        return self.joined()


class HeaderList(FileList):
    """Header files; ``directories`` can be assigned where the guess is wrong."""

    def __init__(self, files: str | Iterable[str]) -> None:
        super().__init__(files)
        self._macros: list[str] = []
        self._directories: list[str] | None = None

    @property
    def directories(self) -> list[str]:
        """Directories for ``-I``: up to and with the first component called ``include``."""
        if self._directories is not None:
            return self._directories
        return _unique(_up_to_include(path) for path in super().directories)

    @directories.setter
    def directories(self, value: str | Iterable[str] | None) -> None:
        paths = [value] if isinstance(value, str) else list(value or ())
        self._directories = _unique(os.path.normpath(path) for path in paths)

    @property
    def headers(self) -> list[str]:
        """The paths."""
        return self.files

    @property
    def names(self) -> list[str]:
        """Names without directory and suffix, each once."""
        return _unique(_without_suffix(name, _HEADER_SUFFIXES) for name in self.basenames)

    @property
    def include_flags(self) -> str:
        """The flags ``-I<dir> ...``."""
        return " ".join(f"-I{path}" for path in self.directories)

    @property
    def macro_definitions(self) -> str:
        """Flags given to :meth:`add_macro`."""
        return " ".join(self._macros)

    @property
    def cpp_flags(self) -> str:
        """Include flags, then macro definitions."""
        return " ".join(filter(None, (self.include_flags, self.macro_definitions)))

    def add_macro(self, macro: str) -> None:
        """Add a definition such as ``-DNAME=1``."""
        self._macros.append(macro)


class LibraryList(FileList):
    """Library files."""

    @property
    def libraries(self) -> list[str]:
        """The paths."""
        return self.files

    @property
    def names(self) -> list[str]:
        """Names for ``-l``: without ``lib`` and suffix, each once."""
        return _unique(
            _without_suffix(name[3:] if name.startswith("lib") else name, _LIBRARY_SUFFIXES)
            for name in self.basenames
        )

    @property
    def search_flags(self) -> str:
        """The flags ``-L<dir> ...``."""
        return " ".join(f"-L{path}" for path in self.directories)

    @property
    def link_flags(self) -> str:
        """The flags ``-l<name> ...``."""
        return " ".join(f"-l{name}" for name in self.names)

    @property
    def ld_flags(self) -> str:
        """Search flags, then link flags."""
        return f"{self.search_flags} {self.link_flags}"


def _up_to_include(path: str) -> str:
    match = _INCLUDE.match(path)
    return os.path.join(match.group(1), match.group(2)) if match else path


def _without_suffix(name: str, suffixes: Sequence[str]) -> str:
    for suffix in suffixes:
        index = name.rfind(suffix)
        if index != -1:
            return name[:index]
    return name
