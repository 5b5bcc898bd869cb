"""Where a view may be, through the command: what is in its way is left alone and named."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Callable

import pytest

from kits.recipe_repository import RecipeRepository

if TYPE_CHECKING:
    from kits.command import Command

Write = Callable[..., Path]


@pytest.fixture
def write(spack: Command, recipes: RecipeRepository, tmp_path: Path) -> Write:
    """``write(name, view)`` makes an environment of one small package."""
    recipes.plain("base")

    def make(name: str, view: object) -> Path:
        location = tmp_path / name
        location.mkdir(exist_ok=True)
        (location / "spack.yaml").write_text(f"spack:\n  specs: [base]\n  view: {view}\n")
        return location

    return make


def test_what_is_not_a_view_is_left_alone(spack: Command, write: Write, tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full/mine").write_text("mine\n")
    (tmp_path / "file").write_text("mine\n")
    (tmp_path / "empty").mkdir()
    for name, kind in (("full", "a directory"), ("file", "a file")):
        failed = spack.fails("-e", write("env", tmp_path / name), "install")
        assert f"{tmp_path / name} is {kind} that was not made as a view" in failed.err
    assert (tmp_path / "full/mine").read_text() == (tmp_path / "file").read_text() == "mine\n"
    spack("-e", write("env", tmp_path / "empty"), "install")
    assert (tmp_path / "empty/bin/base").exists()


def test_locations_that_a_view_may_not_have(
    spack: Command,
    write: Write,
    tmp_path: Path,
    packages_of: Callable[[Path], dict[str, tuple[str, ...]]],
) -> None:
    spack("install", "base")
    before = packages_of(spack.home.store)
    store = spack.home.store
    env = tmp_path / "env"
    (tmp_path / "link").symlink_to(store)
    for view, reason in (
        (".", f"holds the environment {env} itself"),
        ("..", f"holds the install tree {store}"),
        (store, f"is inside the install tree {store}"),
        (spack.prefix("base") / "view", f"is inside the install tree {store}"),
        (tmp_path / "link/view", f"is inside the install tree {store}"),
    ):
        failed = spack.fails("-e", write("env", view), "install")
        assert reason in failed.err and "env/spack.yaml:3: the view" in failed.err, failed.err
    nested = "{one: {root: v}, two: {root: v/w}}"
    failed = spack.fails("-e", write("env", nested), "install")
    assert "the view 'two' is inside the view 'one'" in failed.err
    assert packages_of(store) == before


def test_two_environments_with_one_view(spack: Command, write: Write, tmp_path: Path) -> None:
    """Each would undo the other's; the one that is missing is in nothing's way."""
    one = write("one", tmp_path / "shared")
    spack("-e", one, "install")
    two = write("two", "../shared")
    failed = spack.fails("-e", two, "install")
    assert f"the view {tmp_path / 'shared'} is a view of the environment {one} too" in failed.err
    (one / "spack.yaml").unlink()
    assert "shared shows 1 file\n" in spack("-e", two, "env", "view", "regenerate").text
    # A moved environment takes its view along, or finds it at the same location.
    two.rename(tmp_path / "moved")
    (tmp_path / "shared/bin/base").unlink()
    said = spack("-e", tmp_path / "moved", "env", "view", "regenerate").text
    assert "repaired bin/base" in said and (tmp_path / "shared/bin/base").exists()
