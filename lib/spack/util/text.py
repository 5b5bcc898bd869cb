"""Words for numbers of things."""

from __future__ import annotations

__all__ = ["count_of"]


def count_of(number: int, noun: str) -> str:
    """Return ``1 package``, ``3 packages``, ``0 packages``; *noun* takes an s for its plural."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
