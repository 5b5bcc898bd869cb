"""Where this installation is, and where it keeps what it makes."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

__all__ = ["InstallationPaths", "find_installation"]


class InstallationPaths(NamedTuple):
    """Where this installation keeps things.

    :ivar root: the clone, or the ``data`` directory inside an installed package.
    :ivar etc: default configuration. :ivar share: shell integration and templates.
    :ivar data: what is made goes below it: the clone, or the user's directory.
    :ivar tree: the usual install tree.
    :ivar shared: that of the clone's owner, where this user may not write to the clone.
    :ivar user_cache: what may be computed again.
    """

    root: Path
    etc: Path
    share: Path
    data: Path
    tree: Path
    user_cache: Path
    shared: Path | None = None


def find_installation(environ: Mapping[str, str], home: str) -> InstallationPaths:
    """Return the paths of the clone that contains this file, or of the data that pip installed."""
    package = Path(__file__).resolve().parent.parent
    user_cache = Path(environ.get("SPACK_USER_CACHE_PATH") or os.path.join(home, ".spack"))
    clone = package.parent.parent
    if (clone / "repo.yaml").is_file() and (clone / "etc").is_dir():
        data = clone if os.access(clone, os.W_OK) else user_cache
        shared = _tree(clone) if data != clone else None
        return InstallationPaths(
            clone,
            clone / "etc",
            clone / "share",
            data,
            tree=_tree(data),
            user_cache=user_cache,
            shared=shared,
        )
    root = package / "data"
    return InstallationPaths(
        root,
        root / "etc",
        root / "share",
        user_cache,
        tree=_tree(user_cache),
        user_cache=user_cache,
    )


def _tree(data: Path) -> Path:
    return data / "opt" / "spack"
