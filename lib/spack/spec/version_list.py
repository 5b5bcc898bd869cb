"""Sets of versions: ranges and lists, their algebra and their canonical text.

Grammar::

    list    = element *("," element)
    element = "=" version        exactly this version
            | git-version        exactly this git reference
            | version            all versions that start with it: 1.2 is 1.2:1.2
            | [lo] ":" [hi]      both ends included, hi with everything below its prefix

Inside, a range is half open: from ``lo`` up to, not including, the *successor* of ``hi``
(``:1.4`` ends before ``1.5``, so it holds 1.4.9, and 1.5rc1, which sorts before 1.5). Lists are
unions; they are kept sorted, merged and free of redundancy, so that equal sets of ranges have
one text: ``1.2,1.3`` is ``1.2:1.3``. Everything is immutable; parsing is memoised.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, Union

from spack.spec.version import (
    DEVELOP_NAMES,
    GitVersion,
    Ordered,
    Version,
    VersionError,
    _set,
    is_git_version,
)

if TYPE_CHECKING:
    from spack.spec.version import (
        Key,
    )

__all__ = ["EmptyRangeError", "VersionList", "VersionRange", "any_version", "ver"]

Element = Union[Version, "VersionRange"]

_FINAL = 3
#: Below every version, and above every version with the develop-like names.
_LOWEST: Key = ((), 0, -1)
_HIGHEST: Key = ((2, len(DEVELOP_NAMES) + 1), _FINAL, -1)


class EmptyRangeError(VersionError):
    """The upper end of a range is below its lower end."""

    ref = "empty-version-range"


def successor(key: Key) -> Key:
    """Return the smallest key of *key*'s length above all versions that start with it."""
    release, stage, number = key
    if stage != _FINAL:
        return release, stage, number + 1
    if not release:
        return (0, "A"), stage, number
    rank, value = release[-2:]
    value = _next_letters(value) if rank == 0 else value + 1
    return (*release[:-2], rank, value), stage, number


def _next_letters(text: str) -> str:
    """Return the next run of letters (``Z`` sorts before ``a``): ``ab`` gives ``ac``."""
    while True:
        last = text[-1]
        if last == "z":
            text += "A"
        elif last == "Z":
            text = text[:-1] + "a"
        else:
            text = text[:-1] + chr(ord(last) + 1)
        if text not in DEVELOP_NAMES:
            return text


class VersionRange(Ordered):
    """``lo:hi``; None is an open end.

    :raises EmptyRangeError: when no version can be in it.
    """

    __slots__ = ("end", "hi", "lo", "start")

    lo: Version | None
    hi: Version | None
    #: First key inside, and first key beyond.
    start: Key
    end: Key

    def __init__(
        self,
        lo: Version | str | None = None,
        hi: Version | str | None = None,
    ) -> None:
        lo = Version(lo) if isinstance(lo, str) else lo
        hi = Version(hi) if isinstance(hi, str) else hi
        start = _LOWEST if lo is None else lo.key
        end = _HIGHEST if hi is None else successor(hi.key)
        if end <= start:
            raise EmptyRangeError(
                f"the version range {lo}:{hi} is empty",
                hint=f"write the lower end first: {hi}:{lo}",
                facts={"lo": str(lo), "hi": str(hi)},
            )
        _set(self, "lo", lo)
        _set(self, "hi", hi)
        _set(self, "start", start)
        _set(self, "end", end)
        _set(self, "order", (start, 1, "", end))

    def __reduce__(self) -> tuple[Any, ...]:
        return VersionRange, (self.lo, self.hi)

    def __str__(self) -> str:
        if self.lo is not None and self.hi is not None and self.lo.order == self.hi.order:
            return self.lo.string
        return f"{'' if self.lo is None else self.lo}:{'' if self.hi is None else self.hi}"

    def __repr__(self) -> str:
        return f'VersionRange("{self}")'

    def holds(self, version: Version) -> bool:
        """Return whether *version* is in this range."""
        return self.start <= version.key < self.end or (
            self.lo is None and self.hi is None  # git references without an assigned version
        )

    def satisfies(self, other: Any) -> bool:
        """Return whether *other* holds every version of this range."""
        if isinstance(other, VersionRange):
            return other.start <= self.start and self.end <= other.end
        if isinstance(other, VersionList):
            return any(self.satisfies(element) for element in other)
        return False

    def intersects(self, other: Any) -> bool:
        """Return whether a version is in both."""
        if isinstance(other, VersionRange):
            return self.start < other.end and other.start < self.end
        if isinstance(other, VersionList):
            return any(self.intersects(element) for element in other)
        return self.holds(other)

    overlaps = intersects

    def __contains__(self, other: Any) -> bool:
        return bool(other.satisfies(self))

    def intersection(self, other: Any) -> Version | VersionRange | VersionList:
        """Return the versions in both, as simple as they are: an empty list when there are none."""
        return simplest(VersionList.of(self).intersection(other))

    def union(self, other: Any) -> Version | VersionRange | VersionList:
        """Return the versions in either of them, as simple as they are."""
        return simplest(VersionList.of(self, *_elements(other)))

    def common(self, other: VersionRange) -> VersionRange:
        """Return the intersection with a range that does intersect."""
        return VersionRange(
            self.lo if self.start >= other.start else other.lo,
            self.hi if self.end <= other.end else other.hi,
        )

    def joined_with(self, other: VersionRange) -> VersionRange:
        """Return the union with a range that overlaps or touches."""
        return VersionRange(
            self.lo if self.start <= other.start else other.lo,
            self.hi if self.end >= other.end else other.hi,
        )


def simplest(versions: VersionList) -> Version | VersionRange | VersionList:
    """Return the one element of *versions*, or *versions* when it has more or none."""
    return versions.versions[0] if len(versions.versions) == 1 else versions


def _elements(value: Any) -> tuple[Element, ...]:
    return value.versions if isinstance(value, VersionList) else (value,)


class VersionList(Ordered):
    """A sorted, merged union of versions and ranges; may be empty.

    ``VersionList("1.2:1.4,=2")`` parses, ``VersionList([Version("1.2"), ...])`` unites.
    """

    __slots__ = ("versions",)

    versions: tuple[Element, ...]

    def __new__(cls, value: Any = ()) -> VersionList:
        if isinstance(value, str):
            return cls.parse(value)
        if isinstance(value, VersionList):
            return value
        if isinstance(value, (Version, VersionRange)):
            return cls.of(value)
        return cls.of(*(element for item in value for element in _elements(ver(item))))

    @staticmethod
    def of(*elements: Element) -> VersionList:
        """Return the union of *elements*."""
        return _new_list(elements if len(elements) < 2 else _merged(elements))

    @staticmethod
    def parse(text: str) -> VersionList:
        """Return the list that *text* (the part after an ``@``) describes; memoized.

        :raises VersionError: when it is malformed or holds an empty range.
        """
        known = _lists.get(text)
        if known is None:
            known = VersionList.of(*[_parse_element(part) for part in text.split(",")])
            _lists[text] = known
        return known

    @staticmethod
    def any() -> VersionList:
        """Return all versions, ``:``."""
        return any_version

    def __reduce__(self) -> tuple[Any, ...]:
        return VersionList, (list(self.versions),)

    def __str__(self) -> str:
        return ",".join(
            f"={element}" if type(element) is Version else str(element) for element in self.versions
        )

    def __repr__(self) -> str:
        return f'VersionList("{self}")'

    def __len__(self) -> int:
        return len(self.versions)

    def __bool__(self) -> bool:
        return bool(self.versions)

    def __iter__(self) -> Iterator[Element]:
        return iter(self.versions)

    def __reversed__(self) -> Iterator[Element]:
        return reversed(self.versions)

    def __getitem__(self, index: int) -> Element:
        return self.versions[index]

    @property
    def concrete(self) -> Version | None:
        """The version, when the list holds exactly one."""
        if len(self.versions) == 1 and isinstance(self.versions[0], Version):
            return self.versions[0]
        return None

    @property
    def concrete_range_as_version(self) -> Version | None:
        """:attr:`concrete`, or ``x`` of the range ``x`` (that is ``x:x``)."""
        if len(self.versions) != 1:
            return None
        element = self.versions[0]
        if isinstance(element, Version):
            return element
        same = element.lo is not None and element.lo == element.hi
        return element.lo if same else None

    @property
    def is_any(self) -> bool:
        """Whether it is ``:``."""
        return self.order == any_version.order

    def holds(self, version: Version) -> bool:
        """Return whether *version* is in one of the elements."""
        return any(element.holds(version) for element in self.versions)

    def satisfies(self, other: Any) -> bool:
        """Return whether *other* holds every version of this list."""
        if self is other or other is any_version:
            return True
        return all(element.satisfies(other) for element in self.versions)

    def intersects(self, other: Any) -> bool:
        """Return whether a version is in both."""
        return any(
            first.intersects(second) for first in self.versions for second in _elements(other)
        )

    overlaps = intersects

    def __contains__(self, other: Any) -> bool:
        return bool(other.satisfies(self))

    def union(self, other: Any) -> VersionList:
        """Return the versions in either of them."""
        return VersionList.of(*self.versions, *_elements(other))

    def intersection(self, other: Any) -> VersionList:
        """Return the versions in both, perhaps none."""
        if self is other or other is any_version:
            return self
        if self is any_version and isinstance(other, VersionList):
            return other
        found: list[Element] = []
        for first in self.versions:
            for second in _elements(other):
                if not first.intersects(second):
                    continue
                if isinstance(first, VersionRange) and isinstance(second, VersionRange):
                    found.append(first.common(second))
                else:
                    found.append(first if isinstance(first, Version) else second)
        return VersionList.of(*found)

    def lowest(self) -> Version | None:
        """Return the lowest plain version in the list."""
        return next((v for v in self.versions if type(v) is Version), None)

    def highest(self) -> Version | None:
        """Return the highest plain version in the list."""
        return next((v for v in reversed(self.versions) if type(v) is Version), None)

    def highest_numeric(self) -> Version | None:
        """Return the highest plain version that is not develop-like."""
        plain = (v for v in reversed(self.versions) if type(v) is Version)
        return next((v for v in plain if not v.isdevelop()), None)

    def preferred(self) -> Version | None:
        """Return :meth:`highest_numeric`, else :meth:`highest`."""
        return self.highest_numeric() or self.highest()


def _new_list(elements: tuple[Element, ...]) -> VersionList:
    result = object.__new__(VersionList)
    _set(result, "versions", elements)
    _set(result, "order", tuple(element.order for element in elements))
    return result


def _merged(elements: Iterable[Element]) -> tuple[Element, ...]:
    """Return *elements* sorted, without versions in ranges, ranges that touch merged."""
    ranges: list[VersionRange] = []
    plain: list[Version] = []
    for element in sorted(elements):
        if isinstance(element, Version):
            plain.append(element)
        elif ranges and element.start <= ranges[-1].end:
            ranges[-1] = ranges[-1].joined_with(element)
        else:
            ranges.append(element)
    result: list[Element] = list(ranges)
    seen = set()
    for version in plain:
        if version.order not in seen and not any(r.holds(version) for r in ranges):
            seen.add(version.order)
            result.append(version)
    result.sort()
    return tuple(result)


def _parse_element(text: str) -> Element:
    text = text.strip()
    lo, colon, hi = text.partition(":")
    if colon:
        if ":" in hi:
            raise VersionError(f"'{text}' is not a version range", facts={"version": text})
        return VersionRange(_end(lo, text), _end(hi, text))
    if text.startswith("="):
        return Version(text[1:])
    version = Version(text)
    if isinstance(version, GitVersion):
        return version
    if not text:
        raise VersionError("a version is missing")
    return VersionRange(version, version)


def _end(text: str, whole: str) -> Version | None:
    text = text.strip()
    if not text:
        return None
    if "=" in text or is_git_version(text):
        raise VersionError(
            f"'{text}' cannot be an end of the range '{whole}'",
            hint="the ends of a range are plain versions",
            facts={"version": whole},
        )
    return Version(text)


_lists: dict[str, VersionList] = {}

#: All versions.
any_version = VersionList.of(VersionRange())
_lists[":"] = any_version


def ver(value: Any) -> Version | VersionRange | VersionList:
    """Return the simplest of version, range and list for *value*, in the grammar of this module.

    A text with a comma gives a list.

    :param value: a text, a number, a sequence of those, or already one of the results.
    """
    if isinstance(value, (Version, VersionRange, VersionList)):
        return value
    if isinstance(value, (list, tuple, set, frozenset)):
        return VersionList(value)
    if not isinstance(value, (str, int, float)):
        raise TypeError(f"ver() takes a text, not {type(value).__name__}")
    text = str(value)
    found = VersionList.parse(text)
    return found if "," in text else simplest(found)
