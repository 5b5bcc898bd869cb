"""Texts of the logic program."""

from __future__ import annotations

__all__ = ["quote", "unquote"]


def quote(text: str) -> str:
    """Return *text* as a string term of the logic program."""
    if '"' in text or "\\" in text or "\n" in text:
        text = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{text}"'


def unquote(text: str) -> str:
    """Return the inverse of :func:`quote`, for the text between the quotes."""
    if "\\" not in text:
        return text
    text = text.replace("\\\\", "\0").replace('\\"', '"').replace("\\n", "\n")
    return text.replace("\0", "\\")
