"""Environment markers of Python projects (:pep:`508`) as conditions of recipes (``when=``).

A marker is evaluated for every combination of interpreter, platform, processor and extra that it
distinguishes, and the condition is read from the table of results. So it does not matter how the
marker is written, and what can never apply (``python_version < "3"``) disappears.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import product
from typing import Any, NamedTuple

__all__ = ["PYTHONS", "Condition", "marker_conditions", "unknown_variables"]

#: Minor versions of Python 3 that conditions distinguish.
MINORS = range(6, 21)

#: Platforms of recipes and the markers of each.
PLATFORMS: Mapping[str, Mapping[str, str]] = {
    "linux": {"sys_platform": "linux", "platform_system": "Linux", "os_name": "posix"},
    "darwin": {"sys_platform": "darwin", "platform_system": "Darwin", "os_name": "posix"},
    "windows": {"sys_platform": "win32", "platform_system": "Windows", "os_name": "nt"},
    "freebsd": {"sys_platform": "freebsd14", "platform_system": "FreeBSD", "os_name": "posix"},
}

#: Families of processors, and the platforms that run on each with its name there.
TARGETS: Mapping[str, Mapping[str, str]] = {
    "x86_64": {"linux": "x86_64", "darwin": "x86_64", "windows": "AMD64", "freebsd": "amd64"},
    "aarch64": {"linux": "aarch64", "darwin": "arm64", "windows": "ARM64", "freebsd": "arm64"},
    "ppc64le": {"linux": "ppc64le"},
    "riscv64": {"linux": "riscv64"},
}

#: A platform on a family of processors.
Machine = tuple[str, str]
_MACHINES: Sequence[Machine] = tuple((p, t) for t, names in TARGETS.items() for p in names)

#: Variables of markers that the table has.
_KNOWN = frozenset(
    (
        "extra",
        "implementation_name",
        "implementation_version",
        "os_name",
        "platform_machine",
        "platform_python_implementation",
        "platform_system",
        "python_full_version",
        "python_version",
        "sys_platform",
    )
)

_VARIABLES = _KNOWN | frozenset(("platform_release", "platform_version"))

#: Interpreters: minor and patch number.
Python = tuple[int, int]
PYTHONS: Sequence[Python] = tuple((minor, 0) for minor in MINORS)

_FULL = re.compile(r"""["']3\.(\d+)\.(\d+)""")


class Condition(NamedTuple):
    """When a requirement applies.

    :ivar extra: the extra that asks for it, "" without one.
    :ivar when: further conditions of a recipe, ``platform=linux ^python@:3.10``; "" always.
    """

    extra: str
    when: str


def unknown_variables(marker: Any) -> list[str]:
    """Return the variables of *marker* that no recipe can ask for, such as ``platform_release``."""
    words = re.findall(r"[a-z_.]+", re.sub(r"\"[^\"]*\"|'[^']*'", "", str(marker)))
    return sorted({word for word in words if word in _VARIABLES - _KNOWN})


def marker_conditions(
    marker: Any, extras: Iterable[str], admitted: Callable[[str], bool]
) -> list[Condition]:
    """Return the conditions under which *marker* (``packaging``'s; None) holds; none: never.

    :param extras: the project's, by their normalized names.
    :param admitted: whether a version of Python is one that the project admits.
    """
    if marker is None:
        return [Condition("", "")]
    text = str(marker)
    table = _Table(_pythons(text, admitted), "platform" in text or "os_name" in text)
    plain = table.evaluated(marker, "")
    found = [Condition("", when) for when in table.conditions(plain)]
    for extra in extras if "extra" in text else ():
        of_extra = table.evaluated(marker, extra) - plain
        found += [Condition(extra, when) for when in table.conditions(of_extra)]
    return found


def _pythons(text: str, admitted: Callable[[str], bool]) -> list[Python]:
    """Return the interpreters that *text* distinguishes, oldest first."""
    found = set(PYTHONS)
    for minor, patch in _FULL.findall(text):
        number = int(patch)
        found |= {(int(minor), x) for x in (number - 1, number, number + 1) if x >= 0}
    return [python for python in sorted(found) if admitted("3.{}.{}".format(*python))]


class _Table:
    """The combinations of interpreter and machine, and how a set of them is said in a recipe.

    :param apart: whether machines can differ; else one represents all.
    """

    def __init__(self, pythons: Sequence[Python], apart: bool) -> None:
        self._pythons = pythons
        self._machines = _MACHINES if apart else _MACHINES[:1]

    def evaluated(self, marker: Any, extra: str) -> frozenset[_Cell]:
        """Return the combinations for which *marker* holds."""
        return frozenset(
            cell
            for cell in product(self._pythons, self._machines)
            if marker.evaluate(_environment(cell, extra))
        )

    def conditions(self, cells: frozenset[_Cell]) -> list[str]:
        """Return the conditions whose alternative is *cells*."""
        by_pythons: dict[tuple[Python, ...], list[Machine]] = {}
        for machine in self._machines:
            held = tuple(python for python in self._pythons if (python, machine) in cells)
            if held:
                by_pythons.setdefault(held, []).append(machine)
        found = []
        for held, machines in by_pythons.items():
            python = self._python(held)
            for words in [""] if machines == list(self._machines) else _machine_words(machines):
                found.append(" ".join(filter(None, (words, python))))
        return found

    def _python(self, held: Sequence[Python]) -> str:
        """Return the condition on the interpreter; "" where all are *held*."""
        if len(held) == len(self._pythons):
            return ""
        found = []
        begin: int | None = None
        for at, python in enumerate((*self._pythons, None)):
            if python in held and begin is None:
                begin = at
            if python not in held and begin is not None:
                found.append(self._range(begin, at))
                begin = None
        return f"^python@{','.join(found)}"

    def _range(self, begin: int, end: int) -> str:
        """Return the range of the interpreters from index *begin* up to *end*."""
        minor, patch = self._pythons[begin]
        lower = "" if begin == 0 else f"3.{minor}" + (f".{patch}" if patch else "")
        if end == len(self._pythons):
            return f"{lower}:"
        minor, patch = self._pythons[end - 1]
        upper = f"3.{minor}" + (f".{patch}" if self._pythons[end][0] == minor else "")
        return upper if lower == upper else f"{lower}:{upper}"


#: One combination.
_Cell = tuple[Python, Machine]


def _environment(cell: _Cell, extra: str) -> dict[str, str]:
    (minor, patch), (platform, target) = cell
    return {
        "python_version": f"3.{minor}",
        "python_full_version": f"3.{minor}.{patch}",
        "implementation_version": f"3.{minor}.{patch}",
        "implementation_name": "cpython",
        "platform_python_implementation": "CPython",
        "platform_machine": TARGETS[target][platform],
        "platform_release": "",
        "platform_version": "",
        "extra": extra,
        **PLATFORMS[platform],
    }


def _machine_words(machines: Sequence[Machine]) -> list[str]:
    """Return the fewest conditions on platform and processor that say *machines*."""
    covers = []
    for names, at in ((PLATFORMS, 0), (TARGETS, 1)):
        whole = [
            name
            for name in names
            if all(machine in machines for machine in _MACHINES if machine[at] == name)
        ]
        words = [_WORD[at].format(name) for name in whole]
        words += [
            " ".join(word.format(name) for word, name in zip(_WORD, machine))
            for machine in machines
            if machine[at] not in whole
        ]
        covers.append(words)
    return min(covers, key=lambda words: (len(words), sum(map(len, words))))


_WORD = ("platform={}", "target={}:")
