"""The platform tags of wheels that run on this machine (PEP 425, 600, 656)."""

from __future__ import annotations

from functools import cache

__all__ = ["wheel_platforms"]


@cache
def wheel_platforms() -> tuple[str, ...]:
    """Return the platform tags, the best first: those of the C library, then the plain one."""
    from packaging.tags import platform_tags  # start-up: only where wheels may be chosen

    return tuple(platform_tags())
