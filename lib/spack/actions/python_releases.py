"""Releases of a Python project on the package index, with what each says of itself.

Of each release the source archive is read, and core metadata: from the archive where they are those
of every wheel (:pep:`643`), else from beside a wheel (:pep:`658`), else from the smallest wheel.
"""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from email.message import Message
from email.parser import BytesHeaderParser
from pathlib import Path
from typing import Any, NamedTuple

from spack.actions.metadata import Sdist
from spack.actions.sdist_contents import ArchiveContents, languages_of, modules_of, read_archive
from spack.build_systems._backend import BuildSystem
from spack.errors import FetchError, SpackError, UsageError
from spack.fetch.fetcher import Fetcher
from spack.fetch.index_names import stem_of, without_secrets
from spack.fetch.package_index import IndexLink
from spack.fetch.source import Checksum, IndexSource
from spack.util.hashing import hash_file
from spack.util.project_names import normalized
from spack.util.toml import parse_toml

__all__ = [
    "Fetchers",
    "PythonRelease",
    "ReleaseFiles",
    "offered_releases",
    "read_release",
    "release_of",
]


class Fetchers(NamedTuple):
    """Fetches files: those whose digest the index says, and those of indexes without digests."""

    checked: Fetcher
    unchecked: Fetcher

    def fetch(self, project: str, link: IndexLink) -> Path:
        """Return a file of the index in the cache.

        :raises FetchError: it cannot be downloaded, or is not what the index says.
        """
        digest = link.sha256
        source = IndexSource(
            project,
            link.filename,
            Checksum("sha256", digest) if digest else None,
            what=link.filename,
            origin=without_secrets(link.index),
        )
        return (self.checked if digest else self.unchecked).fetch(source)


class ReleaseFiles(NamedTuple):
    """The files of one release.

    :ivar version: as it is spelled in the name of the source archive.
    :ivar sdist: None where there are only wheels.
    """

    project: str
    version: str
    sdist: IndexLink | None
    wheels: tuple[IndexLink, ...]

    @property
    def pure(self) -> IndexLink | None:
        """A wheel for every platform."""
        return next((x for x in self.wheels if x.filename.endswith("-none-any.whl")), None)

    def admits(self, python: str) -> bool:
        """Return whether the index says that the release is for this version of Python."""
        from packaging.specifiers import InvalidSpecifier, SpecifierSet  # start-up

        link = self.sdist or self.pure
        try:
            specifiers = SpecifierSet((link.requires_python if link else None) or "")
        except InvalidSpecifier:
            return True
        return bool(specifiers.contains(python, prereleases=True))


@dataclass(frozen=True)
class PythonRelease:
    """What one release says of itself.

    :param project: its name as its metadata spell it.
    :param filename: of the archive that a recipe builds from, or of a wheel for every platform.
    :param metadata: core metadata, as an email message.
    :param build: None for a wheel.
    :param tool: the table ``[tool]`` of ``pyproject.toml``.
    :param languages: of what is compiled; empty where there is a wheel for every platform.
    :param modules: top-level modules, [] if unknown.
    :param notes: what could not be known, in words.
    """

    project: str
    version: str
    filename: str
    sha256: str
    metadata: Message
    build: BuildSystem | None = None
    tool: Mapping[str, Any] = field(default_factory=dict)
    languages: tuple[str, ...] = ()
    rust: str | None = None
    modules: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def values(self, key: str) -> list[str]:
        """Return all values of a field of the metadata, each on one line."""
        return [" ".join(str(value).split()) for value in self.metadata.get_all(key, ())]

    def value(self, key: str) -> str:
        """Return the first value of a field, "" without one."""
        return next(iter(self.values(key)), "")


def offered_releases(project: str, fetcher: Fetcher) -> list[ReleaseFiles]:
    """Return the releases of *project* that can be built or installed anywhere, newest first.

    Yanked files are left out, and so are versions before a release, unless there is nothing else.

    :raises UsageError: no index has it, or none of its files can be used.
    :raises FetchError: the index cannot be read.
    """
    from packaging.version import InvalidVersion, Version  # start-up: only this reads versions

    index, _ = fetcher.connect()
    links = index.links(project)
    if not links:
        for error in index.failures.values():
            raise error
        raise UsageError(
            f"the package index has no project {project}",
            hint="check its name; PIP_INDEX_URL and pip.conf name the index",
            ref="no-project",
        )
    found: dict[Any, dict[str, list[tuple[str, IndexLink]]]] = {}
    for link in links:
        text = None if link.yanked else _version_text(link.filename)
        try:
            version = Version(text or "")
        except InvalidVersion:
            continue
        kind = "wheel" if link.filename.endswith(".whl") else "sdist"
        found.setdefault(version, {}).setdefault(kind, []).append((text or "", link))
    releases = [
        (version, _files(normalized(project), kinds)) for version, kinds in sorted(found.items())
    ]
    usable = [(v, files) for v, files in releases if files.sdist or files.pure]
    if not usable:
        raise UsageError(
            f"{project} has no source archive, and no wheel for every platform",
            hint="a recipe can be written by hand: `spack create --name py-NAME`",
            ref="no-sdist",
        )
    final = [files for version, files in usable if not version.is_prerelease]
    return (final or [files for _, files in usable])[::-1]


def _files(project: str, kinds: Mapping[str, list[tuple[str, IndexLink]]]) -> ReleaseFiles:
    sdists = sorted(kinds.get("sdist", ()), key=lambda row: _ENDINGS.index(_ending(row[1])))
    wheels = kinds.get("wheel", ())
    text = (sdists or [*wheels])[0][0]
    return ReleaseFiles(
        project, text, sdists[0][1] if sdists else None, tuple(link for _, link in wheels)
    )


#: Endings of source archives, best first.
_ENDINGS = (".tar.gz", ".tar.xz", ".tar.bz2", ".tgz", ".zip", ".tar.zst", ".tar", ".egg")


def _ending(link: IndexLink) -> str:
    return link.filename[len(stem_of(link.filename)) :]


def _version_text(filename: str) -> str | None:
    """Return the version in the name of a distribution, as it is spelled there."""
    stem = stem_of(filename)
    if filename.endswith(".whl"):
        parts = stem.split("-")
        return parts[1] if len(parts) >= 5 else None
    if filename.endswith(".egg"):
        return None
    name, dash, version = stem.rpartition("-")
    return version if dash and name else None


def read_release(files: ReleaseFiles, fetchers: Fetchers) -> PythonRelease:
    """Return what a release says of itself; its archive is downloaded.

    :raises FetchError: a file cannot be downloaded.
    :raises SpackError: its archive is damaged, or its ``pyproject.toml`` malformed.
    """
    link = files.sdist or files.pure
    assert link is not None
    return release_of(files, fetchers.fetch(files.project, link), fetchers)


def release_of(files: ReleaseFiles, path: Path, fetchers: Fetchers) -> PythonRelease:
    """Return what a release says of itself, whose archive (or pure wheel) is at *path*.

    :raises FetchError: metadata cannot be downloaded.
    :raises SpackError: its archive is damaged, or its ``pyproject.toml`` malformed.
    """
    link = files.sdist or files.pure
    assert link is not None
    digest = hash_file(path)
    if files.sdist is None:
        metadata, modules = _of_wheel(path)
        return _made(files, link, digest, metadata=metadata, modules=tuple(modules))
    contents = read_archive(path)
    texts = contents.texts
    sdist = Sdist.from_parts(
        texts.get("pyproject.toml"), "setup.py" in texts, texts.get("PKG-INFO")
    )
    found = sdist.metadata or _metadata_of_wheels(files, fetchers)
    notes = []
    if found is None:
        found = BytesHeaderParser().parsebytes(texts.get("PKG-INFO", b""))
        notes.append("what it needs at run time: its metadata say that the build decides")
    pyproject = _toml(texts.get("pyproject.toml"))
    return _made(
        files,
        link,
        digest,
        metadata=found,
        modules=tuple(_modules(found, contents, files.project)),
        build=sdist.build,
        tool=pyproject.get("tool", {}),
        languages=() if files.pure else tuple(languages_of(contents)),
        rust=_rust_version(contents),
        notes=tuple(notes),
    )


def _made(
    files: ReleaseFiles, link: IndexLink, digest: str, *, metadata: Message, **parts: Any
) -> PythonRelease:
    name = str(metadata.get("Name") or files.project)
    return PythonRelease(name, files.version, link.filename, digest, metadata=metadata, **parts)


def _modules(metadata: Message, contents: ArchiveContents, project: str) -> list[str]:
    named = metadata.get_all("Import-Name", ())
    if named:
        return sorted({str(name).partition(";")[0].strip().partition(".")[0] for name in named})
    return modules_of(contents, project)


def _toml(data: bytes | None) -> Mapping[str, Any]:
    try:
        return parse_toml(data or b"")
    except ValueError:
        return {}  # a malformed pyproject.toml was refused before


def _rust_version(contents: ArchiveContents) -> str | None:
    """Return ``rust-version`` of the outermost ``Cargo.toml`` that has it."""
    names = sorted(
        (name for name in contents.texts if name.endswith("Cargo.toml")),
        key=lambda name: name.count("/"),
    )
    for name in names:
        table = _toml(contents.texts[name])
        package = table.get("package") or table.get("workspace", {}).get("package", {})
        version = package.get("rust-version")
        if isinstance(version, str):
            return version
    return None


def _metadata_of_wheels(files: ReleaseFiles, fetchers: Fetchers) -> Message | None:
    """Return the metadata of a wheel of the release, None if it has none."""
    served = [link for link in files.wheels if link.metadata]
    if served:
        _, transport = fetchers.checked.connect()
        _, _, body = transport.get(f"{served[0].url}.metadata")
        wanted = served[0].metadata_hashes.get("sha256")
        if wanted in (None, hashlib.sha256(body).hexdigest()):
            return BytesHeaderParser().parsebytes(body)
        raise FetchError(
            f"checksum mismatch: {without_secrets(served[0].url)}.metadata",
            hint="it was changed on its way, or the index is wrong; try again",
            ref="checksum",
        )
    wheels = sorted(files.wheels, key=lambda link: (link is not files.pure, link.size or 0))
    return _of_wheel(fetchers.fetch(files.project, wheels[0]))[0] if wheels else None


def _of_wheel(path: Path) -> tuple[Message, Sequence[str]]:
    """Return the metadata and the top-level modules of a wheel.

    :raises SpackError: it is damaged.
    """
    try:
        with zipfile.ZipFile(path) as wheel:
            names = wheel.namelist()
            name = next(x for x in names if x.endswith(".dist-info/METADATA"))
            data = wheel.read(name)
    except (zipfile.BadZipFile, OSError, StopIteration) as error:
        raise SpackError(
            f"cannot read {path}: not a wheel", hint="fetch it again", ref="wheel"
        ) from error
    tops = {name.partition("/")[0] for name in names}
    modules = sorted(
        x.removesuffix(".py") for x in tops if x.endswith(".py") or f"{x}/__init__.py" in names
    )
    return BytesHeaderParser().parsebytes(data), modules
