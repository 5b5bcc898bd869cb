"""Wheels that a package index offers, and the interpreters that they fit (PEP 425, 440, 600).

The work is ``packaging``'s; what is decided here is what counts: a yanked file, one without a
sha256 and one whose name says another project do not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple, Protocol

from spack.spec.wheel import ChosenWheel
from spack.util.project_names import normalized

__all__ = [
    "AbiOfPython",
    "DigestOf",
    "OfferedFile",
    "WheelTable",
    "fits_layout",
    "platforms_of_wheel",
    "rank_of_tags",
    "tags_of_layout",
]


class OfferedFile(Protocol):
    """A file of an index; see :class:`spack.fetch.package_index.IndexLink`."""

    @property
    def filename(self) -> str: ...
    @property
    def sha256(self) -> str | None: ...
    @property
    def requires_python(self) -> str | None: ...
    @property
    def yanked(self) -> bool: ...
    @property
    def size(self) -> int | None: ...
    @property
    def url(self) -> str: ...
    @property
    def index(self) -> str: ...
    @property
    def metadata(self) -> bool: ...
    @property
    def metadata_hashes(self) -> Mapping[str, str]: ...


class AbiOfPython(NamedTuple):
    """What decides whether a wheel fits a CPython.

    :ivar version: ``3.11.2``. :ivar threads: ``t`` without the global interpreter lock, or ``""``.
    """

    version: str
    threads: str = ""


#: See :class:`WheelTable`.
DigestOf = Callable[[OfferedFile], "tuple[str, int]"]


class _Wheel(NamedTuple):
    file: OfferedFile
    build: tuple[Any, ...]
    tags: tuple[str, ...]


class WheelTable:
    """The wheels of one project.

    :param files: everything that the index has of it.
    :param platforms: platform tags of the machine, best first.
    :param digest_of: returns sha256 and size of a file whose index does not give them; without it
        such files do not count.
    """

    def __init__(
        self,
        project: str,
        files: Iterable[OfferedFile],
        platforms: Sequence[str],
        digest_of: DigestOf | None = None,
    ) -> None:
        self._project = normalized(project)
        self._platforms = tuple(platforms)
        self._digest_of = digest_of
        self._files: dict[str, list[OfferedFile]] = {}
        for file in files:
            if file.filename.endswith(".whl"):
                version = _normal(file.filename.split("-")[1] if "-" in file.filename else "")
                if version is not None:
                    self._files.setdefault(version, []).append(file)
        self._wheels: dict[str, tuple[list[_Wheel], list[str]]] = {}

    def versions(self) -> list[str]:
        """Return the versions with a wheel for the machine, newest first, as they are spelled.

        Versions before a release are left out, unless there is nothing else.
        """
        from packaging.version import Version  # start-up: only where wheels may be chosen

        platforms = {*self._platforms, "any"}
        found = {
            Version(version): files[0].filename.split("-")[1]
            for version, files in self._files.items()
            if any(
                not platforms.isdisjoint(platforms_of_wheel(file.filename)) and not file.yanked
                for file in files
            )
        }
        final = [version for version in found if not version.is_prerelease]
        return [found[version] for version in sorted(final or found, reverse=True)]

    def files(self, version: str) -> list[OfferedFile]:
        """Return the wheels of a version that count."""
        return [wheel.file for wheel in self._of(version)[0]]

    def choose(self, version: str, python: AbiOfPython) -> ChosenWheel | None:
        """Return the wheel of *version* that fits *python* best, with its digest; or None."""
        file = self.best(version, python)
        if file is None:
            return None
        if file.sha256 is None and self._digest_of is not None:
            return ChosenWheel(file.filename, *self._digest_of(file))
        return ChosenWheel(file.filename, str(file.sha256), file.size)

    def best(self, version: str, python: AbiOfPython) -> OfferedFile | None:
        """Return the file of *version* that fits *python* best, or None."""
        ranks = rank_of_tags(_minor(python.version), python.threads, self._platforms)
        found: list[tuple[int, tuple[Any, ...], _Wheel]] = []
        for wheel in self._of(version)[0]:
            rank = min((ranks[tag] for tag in wheel.tags if tag in ranks), default=None)
            if rank is not None and _admits(wheel.file.requires_python, python.version):
                found.append((-rank, wheel.build, wheel))
        if not found:
            return None
        return max(found, key=lambda row: (row[:2], row[2].file.filename))[2].file

    def reason(self, version: str, wanted: AbiOfPython) -> str:
        """Return why there is no wheel of *version* for *wanted*: a part of a sentence."""
        wheels, refused = self._of(version)
        if not wheels and not refused:
            return f"the index has no wheel of {self._project} {version}"
        if not wheels:
            return refused[0]
        admitted = [w for w in wheels if _admits(w.file.requires_python, wanted.version)]
        if not admitted:
            needs = wheels[0].file.requires_python
            return f"Requires-Python of {self._project} {version} is {needs}"
        tags = dict.fromkeys(tag for wheel in admitted for tag in wheel.tags)
        shown = ", ".join(list(tags)[:_FEW]) + (", ..." if len(tags) > _FEW else "")
        ranks = rank_of_tags(_minor(wanted.version), wanted.threads, self._platforms)
        # An index may not have wheels of the tag for all of Linux, which comes first.
        best = next((tag for tag in ranks if "-linux_" not in tag), "nothing")
        return f"its wheels are for {shown}; {best} and the like would do"

    def _of(self, version: str) -> tuple[list[_Wheel], list[str]]:
        """Return the wheels of a version, and why its other files do not count."""
        key = _normal(version) or ""
        known = self._wheels.get(key)
        if known is None:
            known = self._wheels[key] = ([], [])
            for file in self._files.get(key, ()):
                try:
                    known[0].append(self._usable(file))
                except ValueError as error:
                    known[1].append(str(error))
        return known

    def _usable(self, file: OfferedFile) -> _Wheel:
        """Return the file with its tags.

        :raises ValueError: it does not count, with the reason.
        """
        from packaging.utils import (  # start-up: only where wheels may be chosen
            InvalidWheelFilename,
            parse_wheel_filename,
        )

        try:
            name, _, build, tags = parse_wheel_filename(file.filename)
        except InvalidWheelFilename as error:
            raise ValueError(f"the file name {file.filename} is invalid") from error
        if normalized(name) != self._project:
            raise ValueError(f"{file.filename} is not of {self._project}")
        if file.yanked:
            raise ValueError(f"{file.filename} was yanked")
        if file.sha256 is None and self._digest_of is None:
            raise ValueError(
                f"the index gives no sha256 of {file.filename}, and config:checksum does not let "
                "it be computed"
            )
        return _Wheel(file, tuple(build), tuple(sorted(str(tag) for tag in tags)))


#: How many tags an explanation lists.
_FEW = 4


@cache
def rank_of_tags(
    minor: tuple[int, int], threads: str, platforms: tuple[str, ...]
) -> Mapping[str, int]:
    """Return the tags that a CPython supports with their ranks, the best first, from 0."""
    from packaging import tags  # start-up: only where wheels may be chosen

    name = f"cp{minor[0]}{minor[1]}"
    own = name + threads + ("m" if minor < (3, 8) else "")
    supported = [
        *tags.cpython_tags(minor, [own], list(platforms)),
        *tags.compatible_tags(minor, name, list(platforms)),
    ]
    return {tag: rank for rank, tag in enumerate(dict.fromkeys(map(str, supported)))}


def _minor(version: str) -> tuple[int, int]:
    numbers = [part for part in version.split(".")[:2] if part.isdigit()]
    return (int(numbers[0]), int(numbers[1])) if len(numbers) == 2 else (0, 0)


@cache
def _normal(version: str) -> str | None:
    """Return the version so that those which PEP 440 calls equal are; None when it is none."""
    from packaging.utils import canonicalize_version  # start-up: as above
    from packaging.version import InvalidVersion, Version

    try:
        return canonicalize_version(Version(version.replace("_", "+")))
    except InvalidVersion:
        return None


@cache
def _admits(requires_python: str | None, version: str) -> bool:
    """Return whether ``Requires-Python`` admits an interpreter; nonsense admits none."""
    if not requires_python:
        return True
    from packaging.specifiers import InvalidSpecifier, SpecifierSet  # start-up: as above

    try:
        return SpecifierSet(requires_python).contains(version, prereleases=True)
    except InvalidSpecifier:
        return False


def tags_of_layout(layout: Mapping[str, Any]) -> tuple[str, ...]:
    """Return interpreter and ABI tag of a recorded layout; () where nothing says them."""
    tags = tuple(layout.get("tags") or ())
    if tags or layout.get("implementation", "cpython") != "cpython" or "version" not in layout:
        return tags
    name = "cp{}{}".format(*_minor(str(layout["version"])))
    return (name, name + ("t" if "t" in str(layout.get("abiflags", "")) else ""))


def platforms_of_wheel(filename: str) -> frozenset[str]:
    """Return the platform tags of the wheel *filename*."""
    return frozenset(filename[: -len(".whl")].rpartition("-")[2].split("."))


def fits_layout(filename: str, version: str, tags: Sequence[str]) -> bool:
    """Return whether the wheel *filename* is for the interpreter itself, whatever the platform.

    :param tags: its interpreter, ABI and platform tag (PEP 425), as the layout records them.
    """
    threads = "t" if tags[1].endswith("t") else ""
    platforms = filename[: -len(".whl")].split("-")[-1].split(".")
    ranks = rank_of_tags(_minor(version), threads, tuple(platforms))
    pythons, abis = filename[: -len(".whl")].split("-")[-3:-1]
    return any(
        f"{python}-{abi}-{platform}" in ranks
        for python in pythons.split(".")
        for abi in abis.split(".")
        for platform in platforms
    )
