"""Which directories are environments, and which of them have a name."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

__all__ = ["MANIFEST_NAME", "is_environment", "list_environments"]

#: The file that makes a directory an environment.
MANIFEST_NAME = "spack.yaml"


def is_environment(path: Path) -> bool:
    """Return whether *path* is a directory with a ``spack.yaml``."""
    return (path / MANIFEST_NAME).is_file()


def list_environments(environments_root: Path) -> tuple[str, ...]:
    """Return the sorted names of all named environments."""
    return tuple(sorted(path.name for path in _folders(environments_root) if is_environment(path)))


def _folders(root: Path) -> Iterator[Path]:
    try:
        yield from root.iterdir()
    except (FileNotFoundError, NotADirectoryError):
        return
