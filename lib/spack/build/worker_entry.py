"""The worker as a process: what it takes over from the installer, and how it ends with it."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
from pathlib import Path

__all__ = ["await_permission", "follow_installer", "reset_signals", "step_back"]

#: What builds in the background add to their niceness.
_NICE = 10

#: What Python ignores in itself, and not in the programs that it starts.
_OF_PYTHON = (signal.SIGPIPE, signal.SIGXFSZ)


def await_permission(lifeline: int) -> None:
    """Wait for the permission to begin. :raises SystemExit: the installer has ended."""
    os.set_inheritable(lifeline, False)
    if not os.read(lifeline, 1):
        sys.exit("the installer has ended")


def follow_installer(lifeline: int) -> None:
    """End the process group as soon as the installer has ended."""

    def wait() -> None:
        with contextlib.suppress(OSError):
            os.read(lifeline, 1)
        os.killpg(os.getpgrp(), signal.SIGKILL)

    threading.Thread(target=wait, daemon=True, name="lifeline").start()


def reset_signals() -> None:
    """Handle all signals by default, whatever the caller of the installer ignores or blocks.

    Programs inherit that. While SIGCHLD is ignored no program's status is available (waitpid(2)):
    every one of them would seem to succeed.
    """
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    for number in signal.valid_signals():
        if number not in _OF_PYTHON and signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, signal.SIG_DFL)


def step_back() -> None:
    """Lower the priority below that of the other builds.

    Linux shares processors among sessions first, and each worker leads one; its niceness is set
    in a file of its own (sched(7), "The autogroup feature"), where that is in use.
    """
    with contextlib.suppress(OSError):
        os.nice(_NICE)
    with contextlib.suppress(OSError):
        Path("/proc/self/autogroup").write_text(str(_NICE), encoding="ascii")
