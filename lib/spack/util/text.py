"""Words for numbers of things and of bytes."""

from __future__ import annotations

__all__ = ["count_of", "size_text"]


def count_of(number: int, noun: str) -> str:
    """Return ``1 package``, ``3 packages``, ``0 packages``; *noun* takes an s for its plural."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def size_text(size: float) -> str:
    """Return ``0 B``, ``980 B``, ``12.3 kB``, ``4.5 MB``: powers of 1000, as ``df -H`` has them."""
    for unit in ("B", "kB", "MB", "GB"):
        if size < 999.95:
            return f"{size:.0f} B" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} TB"
