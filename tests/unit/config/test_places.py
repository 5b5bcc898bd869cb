"""Where an installation keeps things."""

from __future__ import annotations

from pathlib import Path

from spack.config.paths import find_installation


def test_paths_of_a_clone(tmp_path: Path, root: Path) -> None:
    found = find_installation({"SPACK_USER_CACHE_PATH": str(tmp_path)}, "/home/user")
    assert (found.root, found.user_cache) == (root, tmp_path)
    assert found.tree == found.data / "opt" / "spack"
    # a user that may not write to the clone has an own tree, and that of the clone's owner
    assert found.shared == (None if found.data == root else root / "opt" / "spack")
