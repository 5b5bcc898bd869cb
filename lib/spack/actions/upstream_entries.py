"""The upstreams of a configuration file, and what their install trees hold."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from spack.config.edit import SectionFile
from spack.errors import UsageError
from spack.store import Layout, Store, Upstreams

__all__ = ["InstallTree", "add_upstream", "looked_at"]


class InstallTree(NamedTuple):
    """What an install tree is.

    :ivar packages: how many are installed, without externals.
    :ivar of_spack: whether Spack wrote it.
    """

    packages: int
    of_spack: bool


def looked_at(root: Path, cache: Path) -> InstallTree:
    """Return what is in the install tree at *root*.

    :param cache: directory for what is computed of it.
    :raises StoreError: it is none, or its database cannot be read.
    """
    store = Store(Layout(Path("/nonexistent")), upstreams=Upstreams((root,), cache))
    try:
        records = store.database.records(external=False)
        return InstallTree(len(records), not Layout(root).database.exists())
    finally:
        store.close()


def add_upstream(file: SectionFile, name: str, root: Path) -> None:
    """Put an upstream last.

    :raises UsageError: the name is taken.
    """
    if any(str(key) == name for key in file.data):
        raise UsageError(
            f"{file.path} already has an upstream {name}",
            hint="choose another name, or remove it first: spack upstream remove",
            ref="upstream-name",
        )

    def add() -> None:
        file.data[name] = {"install_tree": file.written(root)}

    file.changed(add)
