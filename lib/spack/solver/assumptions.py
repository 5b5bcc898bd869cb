"""The user's constraints as assumptions: each can be blamed when they contradict each other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

__all__ = ["Assumption", "Assumptions"]


@dataclass(frozen=True)
class Assumption:
    """One constraint of the user's.

    :param kind: ``asked`` (a root is there at all), ``root`` (what it says), ``dependency``,
        ``conflict``, ``requires``, ``require``, ``prefer``, ``forbid``, ``develop``, ``pure``
        (one compiler for each language), ``generates`` (compilers that know a target) or
        ``domain`` (which versions, externals and installed specs of a package there are).
    :param package: the package that it is about, or that it comes from.
    :param text: what it says.
    :param origin: ``file:line`` or ``command line``.
    :param data: the record or the root behind it.
    """

    kind: str
    package: str
    text: str
    origin: str
    data: Any = None
    message: str | None = None


class Assumptions:
    """Numbers guards from 1."""

    def __init__(self) -> None:
        self.rows: list[Assumption] = []

    def add(self, *args: Any, **keywords: Any) -> int:
        """Return the number of a new assumption; the arguments are those of :class:`Assumption`."""
        self.rows.append(Assumption(*args, **keywords))
        return len(self.rows)

    def __getitem__(self, number: int) -> Assumption:
        return self.rows[number - 1]

    def __len__(self) -> int:
        return len(self.rows)
