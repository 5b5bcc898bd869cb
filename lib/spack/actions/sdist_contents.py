"""What a source archive of a Python project shows without a build: files, languages, modules."""

from __future__ import annotations

import re
import tarfile
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from spack.errors import SpackError

__all__ = ["ArchiveContents", "languages_of", "modules_of", "read_archive"]

#: Endings of sources -> the language whose compiler they need.
LANGUAGES: Mapping[str, str] = {
    ".c": "c",
    ".pyx": "c",
    ".cc": "cxx",
    ".cpp": "cxx",
    ".cxx": "cxx",
    ".f": "fortran",
    ".f90": "fortran",
    ".f95": "fortran",
    ".rs": "rust",
}

#: Directories whose files a build does not compile.
_UNBUILT = re.compile(r"(^|/)(tests?|testing|docs?|examples?|benchmarks?|tools|ci)/", re.I)

#: Files whose text is kept.
_KEPT = re.compile(
    r"(pyproject\.toml|setup\.py|PKG-INFO|.*Cargo\.toml|.*\.egg-info/top_level\.txt"
    r"|meson\.build|CMakeLists\.txt)"
)

#: Files that declare the languages of a project -> its words for them.
_DECLARED: Mapping[str, Mapping[str, str]] = {
    "meson.build": {"c": "c", "cpp": "cxx", "cython": "c", "fortran": "fortran", "rust": "rust"},
    "CMakeLists.txt": {"C": "c", "CXX": "cxx", "Fortran": "fortran"},
}

#: Calls of build files whose words are languages.
_LANGUAGE_CALL = r"(?mi)^\s*(?:project|add_languages|enable_language)\s*\(([^)]*)\)"

#: Longest text that is kept; no such file is nearly as long.
_LONGEST = 4 << 20


class ArchiveContents(NamedTuple):
    """Names of files relative to the archive's directory, and the texts of some."""

    names: tuple[str, ...]
    texts: Mapping[str, bytes]


def read_archive(path: Path) -> ArchiveContents:
    """Return what a source archive holds, tar or zip.

    :raises SpackError: it is damaged.
    """
    names, texts = [], {}
    try:
        for name, read in _members(path):
            inner = name.removeprefix("./").partition("/")[2]
            names.append(inner)
            if inner.count("/") < 3 and _KEPT.fullmatch(inner):
                texts[inner] = read()
    except (tarfile.TarError, zipfile.BadZipFile, EOFError, OSError) as error:
        raise SpackError(
            f"cannot read {path}: {error}", hint="fetch it again", ref="sdist"
        ) from error
    return ArchiveContents(tuple(names), texts)


def _members(path: Path) -> Iterator[tuple[str, _Reader]]:
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as packed:
            for name in packed.namelist():
                if not name.endswith("/"):
                    yield name, _Reader(packed, name)
        return
    with tarfile.open(path) as tar:
        for member in tar:
            if member.isfile():
                yield member.name, _Reader(tar, member)


class _Reader:
    """Reads the beginning of one member."""

    def __init__(self, archive: zipfile.ZipFile | tarfile.TarFile, member: object) -> None:
        self._archive = archive
        self._member = member

    def __call__(self) -> bytes:
        if isinstance(self._archive, zipfile.ZipFile):
            with self._archive.open(str(self._member)) as stream:
                return stream.read(_LONGEST)
        assert isinstance(self._member, tarfile.TarInfo)
        extracted = self._archive.extractfile(self._member)
        return extracted.read(_LONGEST) if extracted is not None else b""


def languages_of(contents: ArchiveContents) -> list[str]:
    """Return the languages of the sources that are built, sorted.

    Where a build file declares languages, sources in others are those of projects inside the
    archive that are not built with it (numpy has a Meson with its tests in Rust); C and C++ count
    in any case, as Cython generates them.
    """
    declared: set[str | None] = set()
    for file, words in _DECLARED.items():
        text = contents.texts.get(file, b"").decode("utf-8", "replace")
        for call in re.findall(_LANGUAGE_CALL, text):
            declared |= {words.get(word) for word in re.findall(r"\w+", call)}
    declared.discard(None)
    found = {
        LANGUAGES.get(f".{name.rpartition('.')[2]}".lower())
        for name in contents.names
        if not _UNBUILT.search(name)
    }
    if declared:
        found &= {"c", "cxx"}
    return sorted(language for language in found | declared if language)


def modules_of(contents: ArchiveContents, project: str) -> list[str]:
    """Return the top-level modules of a source archive, best knowledge first; [] if unknown.

    :param project: its name, normalized.
    """
    for name, text in contents.texts.items():
        if name.endswith("top_level.txt"):
            words = text.decode("utf-8", "replace").split()
            return [word for word in words if re.fullmatch(r"[A-Za-z]\w*", word)]
    expected = project.replace("-", "_")
    for root in ("src/", ""):
        packages = [
            name[len(root) :].partition("/")[0]
            for name in contents.names
            if re.fullmatch(rf"{root}[A-Za-z]\w*/__init__\.pyi?", name)
        ]
        found = sorted({name for name in packages if not _UNBUILT.search(f"{name}/")})
        if found:
            return [expected] if expected in found else found
    return []
