"""The states of a build: the table is complete, and what it does not allow is an error."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import pytest

from kits.specs import MakeSpec
from spack.install import node_state
from spack.install.node_state import (
    OPEN,
    SATISFIED,
    TRANSITIONS,
    BuildStarted,
    BuildSucceeded,
    FetchStarted,
    GivenUp,
    IllegalTransitionError,
    NodeEvent,
    NodeState,
    SourcesStaged,
    StepFailed,
    next_state,
)
from spack.util.frozen import fields_of

EVENTS = NodeEvent.__subclasses__()


def example(kind: type[NodeEvent], record: Any) -> NodeEvent:
    values = {"record": record, "error": ValueError("x")}
    return kind(**{name: values[name] for name in fields_of(kind)})


@pytest.fixture
def record(spec: MakeSpec) -> Any:
    from spack.store import InstallRecord

    return InstallRecord.of(spec("a"), Path("/x"))


@pytest.mark.parametrize(("state", "kind"), list(itertools.product(NodeState, EVENTS)))
def test_each_event_in_each_state(state: NodeState, kind: type[NodeEvent], record: Any) -> None:
    event = example(kind, record)
    if kind in TRANSITIONS[state]:
        assert next_state(state, event) is TRANSITIONS[state][kind]
    else:
        with pytest.raises(IllegalTransitionError, match=f"{kind.__name__} in state {state.name}"):
            next_state(state, event)


def test_the_way_of_a_build(record: Any) -> None:
    state = NodeState.WAITING
    for event in (FetchStarted(), SourcesStaged(), BuildStarted(), BuildSucceeded(record)):
        assert state in OPEN
        state = next_state(state, event)
    assert state is NodeState.INSTALLED and state in SATISFIED


def test_how_an_abandoned_fetch_ends_does_not_count() -> None:
    state = next_state(NodeState.FETCHING, GivenUp())
    assert next_state(state, SourcesStaged()) is NodeState.SKIPPED
    assert next_state(state, StepFailed(ValueError("x"))) is NodeState.SKIPPED


def test_every_state_and_event_is_in_the_table() -> None:
    assert set(TRANSITIONS) == set(NodeState)
    assert {kind for row in TRANSITIONS.values() for kind in row} == set(EVENTS)
    reached = {state for row in TRANSITIONS.values() for state in row.values()}
    assert reached == set(NodeState) - {NodeState.WAITING}
    for state, row in TRANSITIONS.items():
        assert (state in OPEN) == any(following is not state for following in row.values())
    assert set(node_state.__all__) >= {kind.__name__ for kind in EVENTS}
