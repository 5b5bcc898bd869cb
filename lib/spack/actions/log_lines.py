"""The lines of a build's log that matter."""

from __future__ import annotations

from collections.abc import Sequence

from spack.build.log_excerpt import excerpt, hint

__all__ = ["important_lines"]


def important_lines(lines: Sequence[str], limit: int) -> tuple[list[str], str | None]:
    """Return at most *limit* lines that say what went wrong, and a hint where one is known."""
    shown = excerpt(lines, limit)
    return shown, hint(shown)
