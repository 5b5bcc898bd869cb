"""What all formats of plans are written with."""

from __future__ import annotations

import shlex
from typing import NamedTuple

__all__ = ["ExportOptions"]


class ExportOptions(NamedTuple):
    """How a plan is written.

    :ivar environment: its name or directory, as the engine's machine finds it.
    :ivar spack: the command.
    :ivar prefix: of the names of targets and of the files that mark what is done, "" for none.
    :ivar jobserver: let builds share their processes.
    :ivar jobs: processes of all builds on one machine.
    """

    environment: str
    spack: str = "spack"
    prefix: str = ""
    jobserver: bool = True
    jobs: int = 1

    @property
    def build(self) -> str:
        """The command that builds the nodes whose ``/HASH`` follow it."""
        return f"{shlex.quote(self.spack)} {self.build_words}"

    @property
    def build_words(self) -> str:
        """The same without the program."""
        return f"-e {shlex.quote(self.environment)} build --present-ok"

    @property
    def finish_words(self) -> str:
        """What takes the rest from caches and makes the views, without the program."""
        return f"-e {shlex.quote(self.environment)} install --only-concrete"

    def target(self, name: str) -> str:
        """Return *name* with the prefix."""
        return f"{self.prefix}/{name}" if self.prefix else name
