"""Where an installation keeps things."""

from __future__ import annotations

from pathlib import Path

from spack.config.paths import usual_tree


def test_the_usual_install_tree(tmp_path: Path) -> None:
    clone, user = tmp_path / "clone", tmp_path / "user"
    assert usual_tree(clone, clone) == clone / "opt" / "spack"
    assert usual_tree(clone, user) == user / "opt" / "spack"
    (clone / "opt" / "spack" / ".spack-db").mkdir(parents=True)
    assert usual_tree(clone, user) == clone / "opt" / "spack", "somebody else's packages"
    assert usual_tree(user, user) == user / "opt" / "spack"
    (user / "opt" / "spack").mkdir(parents=True)
    assert usual_tree(clone, user) == user / "opt" / "spack", "one's own come first"
