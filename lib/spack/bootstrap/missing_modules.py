"""An interpreter that lacks a part of the standard library, as some systems split it.

This module imports nothing that could be missing.
"""

from __future__ import annotations

import sys

__all__ = ["explain_missing"]

#: What distributions leave out, or what is not built where a library was missing; for Python 3.9,
#: which has no list of its modules.
_SPLIT = frozenset(
    (
        "bz2", "ctypes", "distutils", "ensurepip", "fcntl", "hashlib", "json", "lzma",
        "multiprocessing", "select", "socket", "sqlite3", "ssl", "unicodedata", "venv", "zlib",
    )
)  # fmt: skip


def explain_missing(error: ImportError) -> str | None:
    """Return the message for a missing part of the standard library; None for anything else."""
    name = (error.name or "").partition(".")[0]
    public = name.lstrip("_")
    known = getattr(sys, "stdlib_module_names", _SPLIT)
    if not name or (name not in known and public not in _SPLIT):
        return None
    return (
        f"==> Error: {sys.executable} has no module {public}, which is part of Python\n"
        "  hint: install the rest of Python's standard library with the system's package manager, "
        "or name another interpreter: SPACK_PYTHON=/path/to/python3\n"
    )
