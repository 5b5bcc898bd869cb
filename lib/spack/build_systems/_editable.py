"""Installs that refer to a developer's source tree (PEP 660), which stays as clean as it was."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

__all__ = ["direct_url", "left_clean"]

#: Directories that backends leave beside sources, and that nothing needs after the build.
_LEFT = (".egg-info", ".dist-info", "__pycache__")

#: Where sources are, below the tree.
_LOCATIONS = (".", "src", "lib", "python")


def direct_url(directory: str) -> bytes:
    """Return the ``direct_url.json`` of an editable install of *directory* (PEP 610)."""
    url = Path(os.path.abspath(directory)).as_uri()
    return json.dumps({"dir_info": {"editable": True}, "url": url}).encode()


@contextlib.contextmanager
def left_clean(directory: str) -> Iterator[None]:
    """Remove afterwards what the build of a wheel has left in the tree of *directory*.

    What was there before stays, and so do extension modules that were compiled beside their
    sources: they are what is imported.
    """
    before = _leftovers(directory)
    bytecode = os.environ.get("PYTHONDONTWRITEBYTECODE")
    os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
    try:
        yield
    finally:
        if bytecode is None:
            del os.environ["PYTHONDONTWRITEBYTECODE"]
        else:
            os.environ["PYTHONDONTWRITEBYTECODE"] = bytecode
        for path in _leftovers(directory) - before:
            shutil.rmtree(path, ignore_errors=True)


def _leftovers(directory: str) -> set[str]:
    found = {os.path.join(directory, "build")}
    for location in _LOCATIONS:
        folder = os.path.join(directory, location)
        with contextlib.suppress(OSError):
            found.update(
                os.path.join(folder, name) for name in os.listdir(folder) if name.endswith(_LEFT)
            )
    return {path for path in found if os.path.isdir(path)}
