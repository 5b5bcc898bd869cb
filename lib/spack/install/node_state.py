"""The states of one build of a plan, as a table: what may follow what, and nothing else.

A node goes through::

    WAITING -> FETCHING -> STAGED -> BUILDING -> INSTALLED

It ends as REUSED if another process has installed it by the time that its lock is taken, as FAILED
if something went wrong, as SKIPPED if it was given up: something that it needs failed, or the
first failure stops everything. In the manner of :mod:`h11`, events are classes, and
:data:`TRANSITIONS` says for each state which events may come and which state follows. All else is
an error of the scheduler, which :func:`next_state` raises.

A node that is fetched while it is given up is SKIPPED at once; how the fetch ends no longer counts.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping

from spack.store import InstallRecord
from spack.util.frozen import frozen

__all__ = [
    "OPEN",
    "SATISFIED",
    "TRANSITIONS",
    "BuildStarted",
    "BuildSucceeded",
    "BuiltElsewhere",
    "FetchStarted",
    "GivenUp",
    "IllegalTransitionError",
    "NodeEvent",
    "NodeState",
    "SourcesStaged",
    "StepFailed",
    "next_state",
]


class NodeState(enum.Enum):
    """Where a build of the plan is."""

    WAITING = "waiting"
    FETCHING = "fetching"
    STAGED = "staged"
    BUILDING = "building"
    INSTALLED = "installed"
    REUSED = "reused"
    FAILED = "failed"
    SKIPPED = "skipped"


class NodeEvent:
    """What happens to a node; each kind is a class of its own."""


@frozen
class FetchStarted(NodeEvent):
    """The node's lock is taken and its sources are being fetched."""


@frozen
class BuiltElsewhere(NodeEvent):
    """Another process has installed the node since the plan was made, as *record*."""

    record: InstallRecord


@frozen
class SourcesStaged(NodeEvent):
    """The sources are unpacked."""


@frozen
class BuildStarted(NodeEvent):
    """The build was started."""


@frozen
class BuildSucceeded(NodeEvent):
    """The node is installed and recorded as *record*."""

    record: InstallRecord


@frozen
class StepFailed(NodeEvent):
    """Waiting, fetching or building ended with *error*."""

    error: BaseException


@frozen
class GivenUp(NodeEvent):
    """Something else failed, so that the node is not to be installed."""


_S = NodeState

TRANSITIONS: Mapping[NodeState, Mapping[type[NodeEvent], NodeState]] = {
    _S.WAITING: {
        FetchStarted: _S.FETCHING,
        BuiltElsewhere: _S.REUSED,
        StepFailed: _S.FAILED,
        GivenUp: _S.SKIPPED,
    },
    _S.FETCHING: {
        SourcesStaged: _S.STAGED,
        StepFailed: _S.FAILED,
        GivenUp: _S.SKIPPED,
    },
    _S.STAGED: {
        BuildStarted: _S.BUILDING,
        GivenUp: _S.SKIPPED,
    },
    _S.BUILDING: {
        BuildSucceeded: _S.INSTALLED,
        StepFailed: _S.FAILED,
        GivenUp: _S.SKIPPED,
    },
    _S.INSTALLED: {},
    _S.REUSED: {},
    _S.FAILED: {},
    _S.SKIPPED: {
        SourcesStaged: _S.SKIPPED,
        StepFailed: _S.SKIPPED,
    },
}

#: States of nodes that something is still to be done about.
OPEN = frozenset({_S.WAITING, _S.FETCHING, _S.STAGED, _S.BUILDING})

#: States of nodes that are there for the builds that need them.
SATISFIED = frozenset({_S.INSTALLED, _S.REUSED})


class IllegalTransitionError(RuntimeError):
    """An event came in a state in which it cannot: a fault of the scheduler."""


def next_state(state: NodeState, event: NodeEvent) -> NodeState:
    """Return the state that follows *state* when *event* happens.

    :raises IllegalTransitionError: the table has no such transition.
    """
    following = TRANSITIONS[state].get(type(event))
    if following is None:
        raise IllegalTransitionError(f"{type(event).__name__} in state {state.name}")
    return following
