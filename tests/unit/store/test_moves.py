"""Where an install tree was before it was moved, from its records."""

from __future__ import annotations

from pathlib import Path

from spack.store.layout import Layout
from spack.store.moves import (
    earlier_root,
    earlier_roots,
    forget_earlier_roots,
    in_tree,
    note_earlier_root,
)


def test_the_earlier_root_follows_from_a_prefix(tmp_path: Path) -> None:
    (tmp_path / "new/linux/zlib-1-x").mkdir(parents=True)
    new = str(tmp_path / "new")
    assert earlier_root(new, ["/old/store/linux/zlib-1-x"]) == "/old/store"
    assert earlier_root(new, ["/old/linux/gone-1-y", "/old/linux/zlib-1-x"]) == "/old"
    assert earlier_root(new, ["/old/linux/gone-1-y"]) is None
    assert earlier_root(new, []) is None


def test_other_names_of_the_same_tree_are_no_move(tmp_path: Path) -> None:
    (tmp_path / "store/linux/zlib-1-x").mkdir(parents=True)
    (tmp_path / "link").symlink_to("store")
    recorded = f"{tmp_path}/store/linux/zlib-1-x"
    assert earlier_root(str(tmp_path / "link"), [recorded]) is None


def test_a_copy_is_a_move(tmp_path: Path) -> None:
    for name in ("store", "copy"):
        (tmp_path / name / "linux/zlib-1-x").mkdir(parents=True)
    recorded = f"{tmp_path}/store/linux/zlib-1-x"
    assert earlier_root(str(tmp_path / "copy"), [recorded]) == f"{tmp_path}/store"


def test_paths_follow_once() -> None:
    assert in_tree("/old/a/b", "/old", "/new") == "/new/a/b"
    assert in_tree("/older/a", "/old", "/new") == "/older/a"
    assert in_tree("/old/new/a", "/old", "/old/new") == "/old/new/a"
    assert in_tree("/old/a", "/old", "/old/new") == "/old/new/a"


def test_roots_are_noted_once(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    layout.database_folder.mkdir()
    assert earlier_roots(layout) == ()
    for root in ("/a b", "/c", "/a b"):
        note_earlier_root(layout, root)
    assert earlier_roots(layout) == ("/a b", "/c")
    forget_earlier_roots(layout)
    forget_earlier_roots(layout)
    assert earlier_roots(layout) == ()
