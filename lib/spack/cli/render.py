"""Text for people: messages, errors, colour, trees and columns."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TextIO

from spack.cli.printable import printable
from spack.errors import SpackError
from spack.util.streams import flush_output

__all__ = [
    "Colors",
    "columns",
    "message",
    "render_error",
    "system_error",
    "terminal_width",
    "use_color",
    "warning",
]

#: Name -> SGR parameters. A name is used for what it means, never for its colour.
STYLES = {
    "error": "1;31",
    "warning": "1;33",
    "arrow": "1;34",
    "hash": "90",
    "version": "36",
    "variant": "94",
    "architecture": "35",
    "good": "32",
    "bad": "31",
    "strong": "1",
    "dim": "2",
}


def use_color(stream: TextIO, choice: str | None = None) -> bool:
    """Return whether to use colour: ``--color``, SPACK_COLOR, NO_COLOR, else on a terminal."""
    choice = choice or os.environ.get("SPACK_COLOR") or "auto"
    if choice in ("always", "never"):
        return choice == "always"
    if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return False
    return stream.isatty()


class Colors:
    """``paint(text, "version")`` gives the text in its style, or as it is without colour."""

    def __init__(self, enabled: bool) -> None:
        self.enabled = enabled

    def paint(self, text: str, style: str) -> str:
        """Return *text* in the style of that name."""
        if not self.enabled or not text:
            return text
        return f"\033[{STYLES[style]}m{text}\033[0m"


def message(text: str, stream: TextIO | None = None, color: str | None = None) -> None:
    """Print ``==> text``, on standard output by default."""
    stream = sys.stdout if stream is None else stream
    arrow = Colors(use_color(stream, color)).paint("==>", "arrow")
    stream.write(f"{arrow} {printable(text)}\n")
    stream.flush()


def warning(text: str, color: str | None = None) -> None:
    """Print ``==> Warning: text`` on standard error."""
    paint = Colors(use_color(sys.stderr, color)).paint
    sys.stdout.flush()
    sys.stderr.write(f"{paint('==> Warning:', 'warning')} {printable(text)}\n")


def render_error(
    error: SpackError, stream: TextIO, color: str | None = None, debug: bool = False
) -> None:
    """Return the text of an error: message, reference, details, causes, hint.

    ``--debug`` (or SPACK_DEBUG) adds the Python traceback.
    """
    paint = Colors(use_color(stream, color)).paint
    lines = [f"{paint('==> Error:', 'error')} {printable(error.message)}"]
    lines += [f"    {line}" for line in _details(error)]
    lines += _causes(error, paint, 1)
    if error.hint:
        lines.append(f"  {paint('hint:', 'strong')} {printable(error.hint)}")
    if debug:
        lines.append(f"  reference: {error.ref}")
        import traceback  # start-up: errors of daily life have none

        lines += traceback.format_exception(type(error), error, error.__traceback__)
    flush_output()
    stream.write("\n".join(line.rstrip("\n") for line in lines) + "\n")


def _causes(error: SpackError, paint: Any, depth: int) -> list[str]:
    lines: list[str] = []
    indent = "  " * depth
    said = error.long_message or ""
    for number, cause in enumerate(error.causes, 1):
        mark = f"{number}. " if len(error.causes) > 1 else ""
        if isinstance(cause, OSError):
            cause = system_error(cause)
        text = cause.message if isinstance(cause, SpackError) else str(cause) or repr(cause)
        if text not in said:
            lines.append(f"{indent}{mark}{printable(text)}")
        if isinstance(cause, SpackError):
            lines += [f"{indent}     {line}" for line in _details(cause)]
            lines += _causes(cause, paint, depth + 2)
            if cause.hint and cause.hint != error.hint:
                location = f"{number}. " if text in said else "   "
                lines.append(
                    f"{indent}{location}{paint('hint:', 'strong')} {printable(cause.hint)}"
                )
    return lines


def _details(error: SpackError) -> list[str]:
    return printable((error.long_message or "").rstrip()).splitlines()


#: What to say of errors of the system that no lower layer could say more about.
_SYSTEM_HINTS = {
    errno.ENOSPC: "free some space, or set config:install_tree:root and config:build_stage",
    errno.EDQUOT: "free some of your quota, or set config:install_tree:root to another directory",
    errno.EACCES: "check the permissions, or set a writable directory in config.yaml",
    errno.EROFS: "set a writable directory: config:install_tree:root, SPACK_USER_CACHE_PATH",
    errno.EFBIG: "raise the limit on the size of files (ulimit -f)",
    errno.EMFILE: "raise the limit of open files (ulimit -n)",
}


def system_error(error: OSError) -> SpackError:
    """Return an error of the operating system as a :class:`SpackError`."""
    where = f": {error.filename}" if error.filename else ""
    return SpackError(
        f"{error.strerror or error}{where}",
        hint=_SYSTEM_HINTS.get(error.errno or 0),
        ref="system",
    )


def terminal_width(environ: Mapping[str, str]) -> int:
    """Return the columns of the terminal as :mod:`shutil` finds them, whose import takes 2 ms."""
    text = environ.get("COLUMNS", "")
    if text.isdigit() and int(text):
        return int(text)
    try:
        return os.get_terminal_size(sys.stdout.fileno()).columns or 80
    except (OSError, ValueError):
        return 80


def columns(items: Sequence[str], width: int = 80, indent: int = 0) -> str:
    """Return the items in columns, read downwards, as ``ls`` does."""
    if not items:
        return ""
    widest = max(map(len, items)) + 2
    count = max(1, (width - indent) // widest)
    rows = -(-len(items) // count)
    lines = []
    for row in range(rows):
        cells = [items[i] for i in range(row, len(items), rows)]
        lines.append(" " * indent + "".join(cell.ljust(widest) for cell in cells).rstrip())
    return "\n".join(lines)


def table(rows: Iterable[tuple[str, ...]], indent: int = 2, gap: int = 2) -> str:
    """Return rows of cells with aligned columns; the last column is not padded."""
    rows = [tuple(row) for row in rows]
    if not rows:
        return ""
    count = max(map(len, rows))
    widths = [max((len(row[i]) for row in rows if i < len(row)), default=0) for i in range(count)]
    lines = []
    for row in rows:
        cells = [cell.ljust(widths[i] + gap) for i, cell in enumerate(row)]
        lines.append((" " * indent + "".join(cells)).rstrip())
    return "\n".join(lines)
