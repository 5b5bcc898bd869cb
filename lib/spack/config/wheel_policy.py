"""Whether what is installed may be a wheel of the package index: ``concretizer:wheels``."""

from __future__ import annotations

from typing import Literal

__all__ = ["WheelPolicy"]

#: Only where a spec or packages.yaml names ``build_system=python_binary``; for what only builds
#: need; wherever one fits; always.
WheelPolicy = Literal["never", "build", "prefer", "only"]
