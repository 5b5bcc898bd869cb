"""What earlier builds took: a small file for each package, in the database's directory.

It outlives the packages, so that the plan of a build of everything knows what each takes. It is
advice: a file that cannot be read or written is left alone, and of two processes that write one at
the same time the entry of one is lost.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from spack.errors import SpackError
from spack.util.filesystem import atomic_write
from spack.util.json_input import parse_json

if TYPE_CHECKING:
    from spack.spec import ConcreteSpec

__all__ = ["BuildHistory", "BuildUsage"]

#: Builds that are remembered of each package, the last ones.
_KEPT = 8


class BuildUsage(NamedTuple):
    """What one build took.

    :ivar version: of what was built.
    :ivar seconds: wall time. :ivar processor: seconds of all processors.
    :ivar memory: bytes of its largest process.
    """

    version: str
    seconds: float
    processor: float
    memory: int


class BuildHistory:
    """The builds that a store has seen.

    :param folder: of the files; made when there is something to keep.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def of(self, name: str) -> tuple[BuildUsage, ...]:
        """Return the last builds of a package, the latest last."""
        found: list[BuildUsage] = []
        with contextlib.suppress(OSError, ValueError, SpackError):
            for row in parse_json(self._path(name).read_bytes()):
                with contextlib.suppress(TypeError, KeyError, ValueError):
                    found.append(_usage(row["version"], row))
        return tuple(found)

    def add(self, node: ConcreteSpec, usage: Mapping[str, Any]) -> None:
        """Remember a build.

        :param usage: with ``seconds``, ``processor`` and ``memory``; as records have it.
        """
        with contextlib.suppress(OSError, ValueError, TypeError, KeyError, SpackError):
            rows = [*self.of(node.name), _usage(str(node.version), usage)][-_KEPT:]
            self._folder.mkdir(parents=True, exist_ok=True)
            text = json.dumps([row._asdict() for row in rows])
            atomic_write(self._path(node.name), text + "\n")

    def _path(self, name: str) -> Path:
        return self._folder / f"{name}.json"


def _usage(version: str, data: Mapping[str, Any]) -> BuildUsage:
    return BuildUsage(
        str(version), float(data["seconds"]), float(data["processor"]), int(data["memory"])
    )
