"""Types of dependencies: a row each, and the sets of types that are followed for a purpose."""

from __future__ import annotations

from typing import Literal, NamedTuple

__all__ = ["DEPTYPES", "RUN_TIME", "TYPES", "USUAL", "DepType", "DependencyType"]

#: Name of a type.
DepType = Literal["build", "link", "run", "test"]


class DependencyType(NamedTuple):
    """One type of dependencies.

    :ivar letter: shown by ``spack spec -t``.
    :ivar run_time: what is installed needs it to stay.
    :ivar usual: every install needs it; others are needed on request.
    """

    name: DepType
    letter: str
    run_time: bool = False
    usual: bool = True


#: All types in the order in which they are written.
TYPES = (
    DependencyType("build", "b"),
    DependencyType("link", "l", run_time=True),
    DependencyType("run", "r", run_time=True),
    DependencyType("test", "t", usual=False),
)

#: Names of all types.
DEPTYPES: tuple[DepType, ...] = tuple([row.name for row in TYPES])

#: What an installed node or its users can meet.
RUN_TIME: frozenset[DepType] = frozenset([row.name for row in TYPES if row.run_time])

#: What an install needs; traversals follow it by default.
USUAL: tuple[DepType, ...] = tuple([row.name for row in TYPES if row.usual])
