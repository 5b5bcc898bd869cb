"""Targets that are run only where a Makefile or a build.ninja has them."""

from __future__ import annotations

import os
import re
from typing import Any

__all__ = ["TargetsMixin"]

_MISSING = (
    r"No rule to make target [`']?{target}|Target {target} not remade|"
    r"don't know how to make {target}|unknown target '{target}'".replace("{target}", "([^'. ]+)")
)


class TargetsMixin:
    """``_if_make_target_execute`` and its like, which build systems and recipes use."""

    module: Any

    def _has_make_target(self, target: str) -> bool:
        """Return whether the Makefile of the current directory has *target*.

        ``make -n`` is asked; what it prints differs between makes, its words for a missing target
        are known.
        """
        names = ("GNUmakefile", "Makefile", "makefile")
        if not any(os.path.exists(name) for name in names):
            return False
        make = self.module.make
        options = {"fail_on_error": False, "output": str, "error": str}
        text = make("-n", target, **options)
        if make.returncode == 0:
            return True
        return re.search(_MISSING, text or "") is None and make.returncode == 1

    def _if_make_target_execute(self, target: str, *args: Any, **kwargs: Any) -> None:
        """Run ``make <target>``, if there is such a target."""
        if self._has_make_target(target):
            self.module.make(target, *args, **kwargs)

    def _has_ninja_target(self, target: str) -> bool:
        """Return whether the build.ninja of the current directory has *target*."""
        if not os.path.exists("build.ninja"):
            return False
        listing = self.module.ninja("-t", "targets", "all", output=str, error=os.devnull)
        return any(line.startswith(f"{target}:") for line in listing.splitlines())

    def _if_ninja_target_execute(self, target: str, *args: Any, **kwargs: Any) -> None:
        """Run ``ninja <target>``, if there is such a target."""
        if self._has_ninja_target(target):
            self.module.ninja(target, *args, **kwargs)
