"""Versions: one version, a version that is a git reference, and their order.

Grammar of one version: numbers and runs of letters, separated by ``.``, ``-`` or ``_`` or by a
change between digit and letter. Separators do not count when versions are compared (package
API, "Version semantics"):

- numbers compare as integers; a run of letters sorts before every number; the names in
  :data:`DEVELOP_NAMES`, as whole components, sort after every number;
- ``1.2 < 1.2.0``: a version sorts before a longer one with the same start;
- ``alpha``, ``beta``, ``rc`` at the end, with an optional number, make a pre-release that sorts
  before the same version without it.

Every version has an *order key*, a tuple that Python compares natively::

    (release, stage, number)     release = (rank, value, rank, value, ...)
                                 rank    = 0 letters, 1 number, 2 develop-like name
                                 stage   = 0 alpha, 1 beta, 2 rc, 3 final

Values are immutable and memoised: parsing a text twice costs one dictionary look-up.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, cast, overload

from spack.errors import SpecError

__all__ = [
    "DEVELOP_NAMES",
    "GitVersion",
    "Version",
    "VersionError",
]

#: Names greater than every number, ascending.
DEVELOP_NAMES = ("stable", "nightly", "trunk", "head", "master", "main", "develop")

#: (release, stage, number); see the module's docstring.
Key = tuple[tuple[Any, ...], int, int]

#: Total order of versions and ranges: (key, 0 version | 1 range, git reference, end key).
Order = tuple[Any, ...]

_DEVELOP_RANK = {name: index for index, name in enumerate(DEVELOP_NAMES)}
_STAGES = {"alpha": 0, "beta": 1, "rc": 2, "final": 3}
_FINAL = 3

_VALID = re.compile(r"[A-Za-z0-9_.\-][A-Za-z0-9_.\-]*\Z")
_SEGMENTS = re.compile(r"([0-9]+)|([A-Za-z]+)")
_PIECES = re.compile(r"([0-9]+|[A-Za-z]+)([_.\-]*)")
_COMMIT = re.compile(r"[0-9A-Fa-f]{40}\Z")
_REFERENCE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_./\-]*\Z")
_NUMBERS = re.compile(r"[0-9]+(?:\.[0-9]+)*\Z")


class VersionError(SpecError, ValueError):
    """A text is not a version, or a range is empty. Recipes may catch it as ValueError."""

    ref = "version"


class Ordered:
    """An element of the total order of versions and ranges.

    A version sorts before the ranges that start at it, a git version just above the plain
    version that it refers to. Nothing of different kind is ever equal.
    """

    __slots__ = ("order",)

    order: Order

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"{type(self).__name__} is immutable")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"{type(self).__name__} is immutable")

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Ordered):
            return self.order == other.order
        return NotImplemented

    def __ne__(self, other: object) -> bool:
        if isinstance(other, Ordered):
            return self.order != other.order
        return NotImplemented

    def __lt__(self, other: object) -> bool:
        if isinstance(other, Ordered):
            return bool(self.order < other.order)
        return NotImplemented

    def __le__(self, other: object) -> bool:
        if isinstance(other, Ordered):
            return bool(self.order <= other.order)
        return NotImplemented

    def __gt__(self, other: object) -> bool:
        if isinstance(other, Ordered):
            return bool(self.order > other.order)
        return NotImplemented

    def __ge__(self, other: object) -> bool:
        if isinstance(other, Ordered):
            return bool(self.order >= other.order)
        return NotImplemented

    def __hash__(self) -> int:
        return hash(self.order)


_set = object.__setattr__


def version_key(text: str) -> Key:
    """Return the order key of an ordinary version."""
    if _NUMBERS.match(text):  # the common case, at half the cost
        release: list[Any] = []
        for number in text.split("."):
            release.append(1)
            release.append(int(number))
        return tuple(release), _FINAL, -1
    segments = _SEGMENTS.findall(text)
    stage, number_of_stage = _FINAL, -1
    if len(segments) >= 3 and segments[-2][1] in _STAGES and segments[-1][0]:
        stage, number_of_stage = _STAGES[segments[-2][1]], int(segments[-1][0])
        del segments[-2:]
    elif len(segments) >= 2 and segments[-1][1] in _STAGES:
        stage = _STAGES[segments[-1][1]]
        del segments[-1]
    release = []
    for number, letters in segments:
        if number:
            release.append(1)
            release.append(int(number))
        elif letters in _DEVELOP_RANK:
            release.append(2)
            release.append(_DEVELOP_RANK[letters])
        else:
            release.append(0)
            release.append(letters)
    return tuple(release), stage, number_of_stage


def is_git_version(text: str) -> bool:
    """Return whether *text* is a git reference: ``git.<ref>``, 40 hex digits, ``<ref>=version``."""
    return text.startswith("git.") or "=" in text[1:] or _COMMIT.match(text) is not None


class Version(Ordered):
    """One version. ``Version("git.main=1.2")`` gives a :class:`GitVersion`.

    Indexing gives components (int or str), slicing a version.

    :raises VersionError: for a text with other characters than letters, digits, ``_.-``.
    """

    __slots__ = ("key", "string")

    key: Key
    #: The text as given.
    string: str

    def __new__(cls, text: str | int | float) -> Version:
        known = _versions.get(text) if type(text) is str else None
        if known is not None:
            return known
        return _make_version(text)

    def __reduce__(self) -> tuple[Any, ...]:
        return Version, (str(self),)

    def __copy__(self) -> Version:
        return self

    def __deepcopy__(self, memo: object) -> Version:
        return self

    def __str__(self) -> str:
        return self.string

    def __repr__(self) -> str:
        return f'Version("{self}")'

    # ---- relations ------------------------------------------------------------------------

    def satisfies(self, other: Any) -> bool:
        """Return whether *other* (version, range or list) holds this version."""
        if isinstance(other, Version):
            return self.order == other.order
        return bool(other.holds(self))

    def intersects(self, other: Any) -> bool:
        """Return the same as :meth:`satisfies`: one version either is in *other* or is not."""
        return self.satisfies(other)

    overlaps = intersects

    def holds(self, version: Version) -> bool:
        """Return whether this, as a set of one, holds *version*."""
        return self.order == version.order

    def __contains__(self, other: Any) -> bool:
        return bool(other.satisfies(self))

    def union(self, other: Any) -> Any:
        """Return the versions in either of them: a version, a range or a list."""
        from spack.spec.version_list import VersionList, simplest  # it is made of versions

        return simplest(VersionList.of(self).union(other))

    def intersection(self, other: Any) -> Any:
        """Return the versions in both: a version, or an empty list."""
        from spack.spec.version_list import VersionList, simplest

        return simplest(VersionList.of(self).intersection(other))

    # ---- parts ----------------------------------------------------------------------------

    def _pieces(self) -> list[tuple[str, str]]:
        """Return the release's components (without a pre-release) with their separators."""
        return _PIECES.findall(self.string)[: len(self.key[0]) // 2]

    @property
    def version(self) -> tuple[tuple[int | str, ...], tuple[int, int]]:
        """The components of the release, and what kind of pre-release it is."""
        return self.components, self.key[1:]

    @property
    def components(self) -> tuple[int | str, ...]:
        """Numbers and names of the release, without a pre-release."""
        return tuple(int(text) if text.isdigit() else text for text, _ in self._pieces())

    def __len__(self) -> int:
        return len(self.key[0]) // 2

    def __bool__(self) -> bool:
        return True

    def __iter__(self) -> Iterator[int | str]:
        return iter(self.components)

    @overload
    def __getitem__(self, index: int) -> int | str: ...

    @overload
    def __getitem__(self, index: slice) -> Version: ...

    def __getitem__(self, index: int | slice) -> int | str | Version:
        if isinstance(index, slice):
            pieces = self._pieces()[index]
            # as in upstream's versions, a slice is made of components: 2023.02 gives 2023.2
            text = "".join(_component(part) + separator for part, separator in pieces)
            return Version(text[: len(text) - len(pieces[-1][1])] if pieces else "")
        return self.components[index]

    def up_to(self, index: int) -> Version:
        """Return the first *index* components: ``Version("1.23-4b").up_to(3)`` is ``1.23-4``."""
        return self[:index]

    @property
    def up_to_1(self) -> Version:
        """``up_to(1)``."""
        return self[:1]

    @property
    def up_to_2(self) -> Version:
        """``up_to(2)``."""
        return self[:2]

    @property
    def up_to_3(self) -> Version:
        """``up_to(3)``."""
        return self[:3]

    @property
    def dotted(self) -> Version:
        """``1-2_3b`` as ``1.2.3b``."""
        return Version(self.string.translate(_TO_DOTS))

    @property
    def underscored(self) -> Version:
        """``1.2-3b`` as ``1_2_3b``."""
        return Version(self.string.translate(_TO_UNDERSCORES))

    @property
    def dashed(self) -> Version:
        """``1.2_3b`` as ``1-2-3b``."""
        return Version(self.string.translate(_TO_DASHES))

    @property
    def joined(self) -> Version:
        """``1.2-3b`` as ``123b``."""
        return Version(self.string.translate(_TO_NOTHING))

    @property
    def dotted_numeric_string(self) -> str:
        """Components joined by dots, with 0 for everything that is not a number."""
        numbers = [part if isinstance(part, int) else 0 for part in self.components]
        if self.is_prerelease():
            numbers += [0] if self.key[2] < 0 else [0, self.key[2]]
        return ".".join(map(str, numbers))

    def isdevelop(self) -> bool:
        """Return whether a component is one of :data:`DEVELOP_NAMES`."""
        return 2 in self.key[0][::2]

    def is_prerelease(self) -> bool:
        """Return whether it ends in ``alpha``, ``beta`` or ``rc``."""
        return self.key[1] != _FINAL


def _component(text: str) -> str:
    return str(int(text)) if text.isdigit() else text


_TO_DOTS = str.maketrans("-_", "..")
_TO_UNDERSCORES = str.maketrans(".-", "__")
_TO_DASHES = str.maketrans("._", "--")
_TO_NOTHING = str.maketrans("", "", "._-")

#: Key of a git version whose reference version is not known: above everything.
_UNRESOLVED: Key = ((3, 0), _FINAL, -1)


class GitVersion(Version):
    """A git reference with its assigned version: ``git.main=1.2``, ``<40 hex>=1.2``.

    It satisfies ranges by its reference version, is never equal to a plain version and sorts
    just above it. While the reference version is unknown it is in no range but ``:``.
    """

    __slots__ = ("_reference", "ref")

    #: Branch, tag or commit.
    ref: str
    _reference: Version | None

    @property
    def is_commit(self) -> bool:
        """Whether the reference is a full commit hash."""
        return _COMMIT.match(self.ref) is not None

    @property
    def commit_sha(self) -> str | None:
        """The commit, when the reference is one."""
        return self.ref if self.is_commit else None

    @property
    def resolved(self) -> bool:
        """Whether the reference version is known."""
        return self._reference is not None

    @property
    def ref_version(self) -> Version:
        """The version that is assigned to the reference.

        :raises VersionError: while it is unknown.
        """
        if self._reference is None:
            raise VersionError(
                f"no version is known for the git reference '{self.ref}'",
                hint=f"write the version that it has, as in '@{self.string}=1.2'",
            )
        return self._reference

    @property
    def std_version(self) -> Version | None:
        """The version that is assigned to the reference, or None."""
        return self._reference

    def with_reference(self, version: Version) -> GitVersion:
        """Return this reference, assigned to *version*."""
        return cast(GitVersion, Version(f"{self.string.partition('=')[0]}={version}"))

    def _pieces(self) -> list[tuple[str, str]]:
        return self.ref_version._pieces()

    @property
    def dotted(self) -> Version:
        """Of the reference version; so are the other forms."""
        return self.ref_version.dotted

    @property
    def underscored(self) -> Version:
        """``1_2`` of the reference version."""
        return self.ref_version.underscored

    @property
    def dashed(self) -> Version:
        """``1-2`` of the reference version."""
        return self.ref_version.dashed

    @property
    def joined(self) -> Version:
        """``12`` of the reference version."""
        return self.ref_version.joined


_versions: dict[str, Version] = {}


def _make_version(text: Any) -> Version:
    """Return a new version, remembered under its text."""
    if not isinstance(text, (str, int, float)) or isinstance(text, bool):
        raise TypeError(f"a version is made from a text, not from {type(text).__name__}")
    string = str(text).strip()
    if is_git_version(string):
        version: Version = _make_git_version(string)
    else:
        if string and not _VALID.match(string):
            raise VersionError(
                f"'{string}' is not a version",
                hint="a version holds letters, digits, '.', '_' and '-'",
                facts={"version": string},
            )
        version = object.__new__(Version)
        key = version_key(string)
        _set(version, "string", string)
        _set(version, "key", key)
        _set(version, "order", (key, 0, ""))
    _versions[string] = version
    return version


def _make_git_version(string: str) -> GitVersion:
    ref, equals, reference = string.partition("=")
    if ref.startswith("git."):
        ref = ref[4:]
    if not _REFERENCE.match(ref) or (equals and not _VALID.match(reference)):
        raise VersionError(
            f"'{string}' is not a git version",
            hint="write 'git.<branch, tag or commit>' or 'git.<reference>=<version>'",
            facts={"version": string},
        )
    version = object.__new__(GitVersion)
    known = Version(reference) if equals else None
    key = known.key if known is not None else _UNRESOLVED
    _set(version, "string", string)
    _set(version, "ref", ref)
    _set(version, "_reference", known)
    _set(version, "key", key)
    _set(version, "order", (key, 0, ref))
    return version
