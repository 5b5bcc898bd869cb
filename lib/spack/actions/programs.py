"""Programs of the machine that actions run, with errors for the user."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from typing import NamedTuple

from spack.errors import UsageError, ViewError

__all__ = ["Programs"]

#: The package of Debian and of most other distributions that has a program, by its name.
_PACKAGES = {
    "mksquashfs": "squashfs-tools",
    "unsquashfs": "squashfs-tools",
    "squashfuse": "squashfuse",
    "fusermount": "fuse",
    "zstd": "zstd",
}


class Programs(NamedTuple):
    """The programs on a search path; they run in a neutral environment.

    :ivar search_path: as ``PATH``.
    """

    search_path: str

    def find(self, name: str) -> str | None:
        """Return the path of a program, or None."""
        return shutil.which(name, path=self.search_path)

    def need(self, name: str, purpose: str) -> str:
        """Return the path of a program.

        :param purpose: completes "cannot".
        :raises UsageError: it is not there.
        """
        found = self.find(name)
        if found is None:
            raise UsageError(
                f"cannot {purpose}: the program {name} is not on PATH",
                hint=f"install {_PACKAGES.get(name, name)} (the package's name on Debian)",
                ref="program-missing",
            )
        return found

    def attempt(self, argv: Sequence[str]) -> str:
        """Run a program; return "" if it succeeds, else what it said last.

        Standard output is not captured: a program that stays in the background keeps it open.
        """
        environ = {"PATH": self.search_path, "LC_ALL": "C"}
        done = subprocess.run(
            argv,
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
        )
        if done.returncode == 0:
            return ""
        lines = [line for line in done.stderr.splitlines() if line.strip()]
        return lines[-1].strip() if lines else f"{argv[0]} ended with {done.returncode}"

    def run(self, argv: Sequence[str], purpose: str) -> None:
        """Run a program.

        :raises ViewError: it fails.
        """
        problem = self.attempt(argv)
        if problem:
            raise ViewError(
                f"cannot {purpose}: {problem}",
                facts={"program": argv[0], "reason": problem},
                hint="look at the free space and the permissions there",
                ref="program-failed",
            )
