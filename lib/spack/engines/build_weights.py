"""What a build is expected to take, learned from earlier builds of the package."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from spack.install.plan import Step
from spack.spec.wheel import wheel_of
from spack.store.build_history import BuildUsage

__all__ = ["BuildWeight", "expected_weight"]

_MIB = 1 << 20


class BuildWeight(NamedTuple):
    """What a build takes.

    :ivar seconds: wall time. :ivar memory: bytes. :ivar cores: that it keeps busy.
    :ivar known: learned, not assumed.
    """

    seconds: float
    memory: int
    cores: int
    known: bool = True


#: What is assumed of packages that have not been built here: of what compiles, of wheels of the
#: package index, of all else.
_COMPILED = BuildWeight(60.0, 2048 * _MIB, 2, known=False)
_WHEEL = BuildWeight(1.0, 256 * _MIB, 1, known=False)
_PLAIN = BuildWeight(5.0, 512 * _MIB, 1, known=False)

#: Memory of the installer, and what a package may need more than it did.
_INSTALLER = 200 * _MIB
_MARGIN = 1.2


def expected_weight(step: Step, history: Sequence[BuildUsage]) -> BuildWeight:
    """Return what the build of *step* is expected to take.

    :param history: earlier builds of the package; those of the version count, if there are any.
    """
    version = str(step.spec.version)
    rows = [row for row in history if row.version == version] or list(history)
    if not rows:
        if wheel_of(step.spec) is not None:
            return _WHEEL
        return _COMPILED if step.heavy else _PLAIN
    seconds = sorted(row.seconds for row in rows)[len(rows) // 2]
    cores = max(1, round(max(row.processor / max(row.seconds, 0.001) for row in rows)))
    # Each core may run a process as large as the largest that was seen.
    memory = max(row.memory for row in rows) * cores * _MARGIN + _INSTALLER
    return BuildWeight(round(seconds, 3), math.ceil(memory / _MIB) * _MIB, cores)
