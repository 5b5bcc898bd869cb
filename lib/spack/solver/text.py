"""Texts of the logic program."""

from __future__ import annotations

__all__ = ["quote"]


def quote(text: str) -> str:
    """*text* as a string term of the logic program."""
    if '"' in text or "\\" in text or "\n" in text:
        text = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{text}"'
