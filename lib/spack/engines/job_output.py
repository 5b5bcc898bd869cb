"""What a job prints: the lines of ``spack build``, read while it runs."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

__all__ = ["BuildBegun", "BuildEnded", "JobOutput"]

_BEGIN = re.compile(r"==> Installing \S+?/([a-z0-9]{7})\Z")

#: Lines at the end of an output that are shown when nothing else says what failed.
_SHOWN = 15


class BuildBegun(NamedTuple):
    """The build of the node whose hash begins with *prefix* has begun."""

    prefix: str


class BuildEnded(NamedTuple):
    """The outcome of a node: see :class:`spack.actions.node_builds.NodeOutcome`."""

    hash: str
    status: str
    data: dict[str, Any]


class JobOutput:
    """The file of what a job prints; it may not be there yet, on a file system of the network."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._read = 0
        self._rest = b""

    @property
    def is_begun(self) -> bool:
        """Whether the job has printed anything."""
        try:
            return self.path.stat().st_size > 0
        except OSError:
            return False

    def news(self) -> Iterator[BuildBegun | BuildEnded]:
        """Yield what was printed since the last call, as far as it means something."""
        try:
            with open(self.path, "rb") as stream:
                stream.seek(self._read)
                data = stream.read()
        except OSError:
            return
        self._read += len(data)
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            event = _event(line.decode("utf-8", "replace"))
            if event is not None:
                yield event

    def last_lines(self) -> str:
        """Return the end of what was printed."""
        try:
            text = self.path.read_text(encoding="utf-8", errors="replace")
        except OSError:
            return ""
        return "\n".join(text.splitlines()[-_SHOWN:])


def _event(line: str) -> BuildBegun | BuildEnded | None:
    begun = _BEGIN.match(line)
    if begun:
        return BuildBegun(begun[1])
    if line.startswith('{"hash": '):
        try:
            data = json.loads(line)
            return BuildEnded(str(data["hash"]), str(data["status"]), data)
        except (ValueError, KeyError):
            return None
    return None
