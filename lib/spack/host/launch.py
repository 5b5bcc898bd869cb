"""How programs are started here: whether ``/usr/bin/env`` splits its argument (``-S``).

The line ``#!/usr/bin/env -S program arguments`` needs coreutils 8.30 (2018), or the ``env`` of a
BSD or of macOS; busybox 1.35 does not know it.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Callable, Protocol

from spack.util.hashing import checksum

__all__ = ["ENV", "splits_env"]

ENV = "/usr/bin/env"


class _Done(Protocol):
    @property
    def returncode(self) -> int: ...


def splits_env(run: Callable[[Sequence[str]], _Done], cache: str, env: str = ENV) -> bool:
    """Return whether *env* knows ``-S``.

    :param run: runs a program.
    :param cache: directory that remembers the answer for as long as *env* is the same file.
    """
    try:
        info = os.stat(env)
    except OSError:
        return False
    identity = f"{env} {info.st_dev} {info.st_ino} {info.st_size} {info.st_mtime_ns}"
    location = os.path.join(cache, f"env-{checksum(identity.encode()):08x}")
    try:
        with open(location, encoding="ascii") as stream:
            return stream.read() == "splits"
    except OSError:
        pass
    answer = run([env, "-S", "sh -c :"]).returncode == 0
    from spack.util.filesystem import atomic_write  # start-up: only a cold run writes

    try:
        os.makedirs(cache, exist_ok=True)
        atomic_write(location, "splits" if answer else "does not")
    except OSError:
        pass  # a cache that cannot be written is skipped
    return answer
