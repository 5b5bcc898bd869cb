"""What a worker says while it works: one class per event, a JSON line each.

The worker writes with :class:`WorkerEvents`, the parent reads with :func:`decode_event`.
"""

from __future__ import annotations

import contextlib
import json
import os
from dataclasses import dataclass

from spack.util.json_input import parse_json

__all__ = ["PhaseStarted", "WorkerEvents", "decode_event", "encode_event"]


@dataclass(frozen=True)
class PhaseStarted:
    """The build has entered the phase *name*; the last one is ``finish``."""

    name: str


def encode_event(event: PhaseStarted) -> bytes:
    """Return *event* as a line for :func:`decode_event`."""
    return json.dumps({"event": "phase", "name": event.name}).encode() + b"\n"


def decode_event(line: bytes) -> PhaseStarted:
    """Return the event of a line that :func:`encode_event` has made.

    :raises ValueError: it is not such a line; the recipe's code may have written it.
    """
    data = parse_json(line)
    if not isinstance(data, dict) or data.get("event") != "phase":
        raise ValueError(f"not an event of a worker: {line!r}")
    return PhaseStarted(str(data["name"]))


class WorkerEvents:
    """Writes events for the parent; silent without a descriptor."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        if descriptor >= 0:
            os.set_inheritable(descriptor, False)

    def send(self, event: PhaseStarted) -> None:
        """Write one event; a parent that no longer listens does not disturb."""
        if self._descriptor >= 0:
            with contextlib.suppress(OSError):
                os.write(self._descriptor, encode_event(event))
