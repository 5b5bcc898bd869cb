"""An install tree that was moved (or copied): its records name paths below its earlier root.

Which root that was follows from the records: a recorded prefix outside of the tree, whose last
parts are a directory in it. The first writer corrects the database and notes the earlier root in
``.spack-db/earlier-roots``, as files in the prefixes still name it until they are relocated.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from spack.util.filesystem import atomic_write

if TYPE_CHECKING:
    from spack.store.layout import Layout

__all__ = ["earlier_root", "earlier_roots", "forget_earlier_roots", "in_tree", "note_earlier_root"]


def earlier_root(root: str, prefixes: Iterable[str]) -> str | None:
    """Return the root that recorded *prefixes* are below, if their tree is now at *root*.

    None for a tree that was not moved, also where its paths are written in another way (links).
    """
    for prefix in prefixes:
        parts = prefix.split("/")
        for start in range(1, len(parts)):
            below = "/".join(parts[start:])
            here = os.path.join(root, below)
            if below and os.path.isdir(here):
                if os.path.exists(prefix) and os.path.samefile(prefix, here):
                    return None
                return "/".join(parts[:start]) or "/"
    return None


def in_tree(path: str, old: str, new: str) -> str:
    """Return *path* as it is since the tree at *old* is at *new*."""
    inside = path == old or path.startswith(old.rstrip("/") + "/")
    if not inside or path.startswith(new.rstrip("/") + "/"):
        return path
    return new + path[len(old.rstrip("/")) :]


def earlier_roots(layout: Layout) -> tuple[str, ...]:
    """Return the roots that files of the tree may still name."""
    try:
        return tuple(filter(None, layout.earlier_roots.read_text(encoding="utf-8").split("\n")))
    except (OSError, UnicodeDecodeError):
        return ()


def note_earlier_root(layout: Layout, root: str) -> None:
    """Note that the tree was at *root*. :raises OSError: if that cannot be written."""
    known = earlier_roots(layout)
    if root not in known:
        text = "".join(f"{line}\n" for line in (*known, root))
        atomic_write(layout.earlier_roots, text, shared=True)


def forget_earlier_roots(layout: Layout) -> None:
    """Note that no file names an earlier root any more. :raises OSError: as usual."""
    Path(layout.earlier_roots).unlink(missing_ok=True)
