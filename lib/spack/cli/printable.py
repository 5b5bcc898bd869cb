"""Text of builds, recipes and servers as it may be shown on a terminal."""

from __future__ import annotations

__all__ = ["printable"]

#: Characters that reverse the direction of what follows; it would not read as it is.
_DIRECTIONS = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"


def printable(text: str) -> str:
    """Return *text* without colours, its control characters as escapes; lines and tabs stay.

    What a terminal understands as a command, such as its title or a cleared screen, would be
    a command of the source that is built.
    """
    if text.isprintable():
        return text
    import re  # start-up: most texts are plain

    plain = re.sub(r"\x1b\[[0-9;]*m", "", text)
    return "".join(repr(x)[1:-1] if _is_control(x) else x for x in plain)


def _is_control(character: str) -> bool:
    if character in "\n\t":
        return False
    return character < " " or "\x7f" <= character <= "\x9f" or character in _DIRECTIONS
