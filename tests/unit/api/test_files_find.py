"""Searching files, libraries and headers; the lists that come of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from spack.api.files import (
    HeaderList,
    LibraryList,
    find,
    find_all_headers,
    find_all_libraries,
    find_first,
    find_headers,
    find_libraries,
)
from spack.api.prefix import Prefix


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Return a prefix with libraries and headers, and a link that leads back up."""
    for name in (
        "lib/libb.so",
        "lib/liba.so",
        "lib/liba.a",
        "lib/deep/libc.so",
        "include/a.h",
        "include/detail/b.hpp",
        "share/a.txt",
    ):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("")
    (tmp_path / "lib" / "loop").symlink_to(tmp_path)
    return tmp_path


def names(paths: list[str], root: Path) -> list[str]:
    """*paths* relative to *root*."""
    return [str(Path(path).relative_to(root)) for path in paths]


def test_find_orders_by_pattern_then_path(tree: Path) -> None:
    assert names(find(tree, ["*.txt", "*.so"]), tree) == [
        "share/a.txt",
        "lib/deep/libc.so",
        "lib/liba.so",
        "lib/libb.so",
    ]


def test_find_depth_paths_and_missing_roots(tree: Path) -> None:
    assert find(tree, "*.so", recursive=False) == []
    assert names(find(tree, "*.so", max_depth=1), tree) == ["lib/liba.so", "lib/libb.so"]
    assert names(find([tree, tree / "none"], "detail/*.hpp"), tree) == ["include/detail/b.hpp"]
    with pytest.raises(ValueError):
        find(tree, "*", recursive=False, max_depth=2)
    with pytest.raises(TypeError):
        find(3, "*")


def test_find_first_is_the_nearest(tree: Path) -> None:
    assert find_first(tree, ["*.hpp", "*.h"]) == str(tree / "include" / "a.h")
    assert find_first(tree, "none") is None


def test_libraries(tree: Path) -> None:
    found = find_libraries(["libb", "liba"], tree, recursive=True)
    assert found.names == ["b", "a"]
    assert found.ld_flags == f"-L{tree}/lib -lb -la"
    assert find_libraries("libc", str(tree), recursive=True).basenames == ["libc.so"]
    assert len(find_libraries("liba", str(tree))) == 0
    assert find_all_libraries(str(tree / "lib")).basenames == ["liba.so", "libb.so", "liba.a"]


def test_headers(tree: Path) -> None:
    assert find_all_headers(str(tree)).directories == [f"{tree}/include"]
    headers = find_headers("b", str(tree), recursive=True)
    assert headers.include_flags == f"-I{tree}/include"
    headers.add_macro("-DX")
    assert headers.cpp_flags == f"-I{tree}/include -DX"
    headers.directories = "/other/"
    assert headers.directories == ["/other"]


def test_lists_are_sequences_without_duplicates() -> None:
    one = LibraryList(["/a/libx.so", "/a/libx.so", "/b/liby.a"])
    assert len(one) == 2 and one[0] == "/a/libx.so"
    assert isinstance(one[:1], LibraryList) and one[:1] == LibraryList("/a/libx.so")
    assert one + LibraryList("/c/libz.so.1") == LibraryList([*one, "/c/libz.so.1"])
    added = one + LibraryList("/c/libz.so.1")
    assert added.names == ["x", "y", "z"]
    assert sum([one, one], LibraryList([])) == one
    assert str(one) == one.joined(" ") == "/a/libx.so /b/liby.a"
    assert HeaderList(["/a/include/x/y.h"]).directories == ["/a/include"]
    assert HeaderList(["/a/xinclude/y.cuh"]).names == ["y"]


def test_prefix_attributes_are_paths() -> None:
    prefix = Prefix("/opt/x")
    assert prefix.lib.python == "/opt/x/lib/python"
    assert isinstance(prefix.bin, Prefix)
    assert prefix.bin.join("g++") == "/opt/x/bin/g++"
    assert prefix + "/a" == "/opt/x/a"
