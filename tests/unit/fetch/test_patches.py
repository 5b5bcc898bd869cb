"""The patch applier, also against GNU patch where that is installed."""

from __future__ import annotations

import os
import random
import shutil
import stat
import subprocess
from pathlib import Path
from typing import Any

import pytest

from spack.errors import FetchError
from spack.fetch.patches import apply, parse

TEXT = "".join(f"line {number}\n" for number in range(1, 21)).encode()
CHANGE = b"""Some words about it.

--- a/f.txt\t2020-01-01 00:00:00
+++ b/f.txt\t2020-01-02 00:00:00
@@ -4,5 +4,6 @@ context
 line 4
 line 5
-line 6
+LINE 6
+line 6b
 line 7
 line 8
"""


@pytest.fixture
def tree(tmp_path: Path, put: Any) -> Path:
    put("src/f.txt", TEXT)
    put("src/sub/f.txt", TEXT)
    return tmp_path / "src"


def changed(tree: Path, put: Any, text: bytes, **options: Any) -> bytes:
    apply(put("x.patch", text), tree, **options)
    return (tree / "f.txt").read_bytes()


def test_change_and_take_back(tree: Path, put: Any) -> None:
    assert changed(tree, put, CHANGE) == TEXT.replace(b"line 6\n", b"LINE 6\nline 6b\n")
    assert changed(tree, put, CHANGE, reverse=True) == TEXT


def test_level_and_working_directory(tree: Path, put: Any) -> None:
    assert apply(put("x.patch", CHANGE), tree, working_dir="sub") == ("sub/f.txt",)
    deep = CHANGE.replace(b"a/f.txt", b"f.txt").replace(b"b/f.txt", b"f.txt")
    assert apply(put("y.patch", deep), tree, level=0) == ("f.txt",)


def test_lines_were_added_before(tree: Path, put: Any) -> None:
    put("src/f.txt", b"new\n" * 7 + TEXT)
    assert b"LINE 6\n" in changed(tree, put, CHANGE)


def test_fuzz(tree: Path, put: Any) -> None:
    put("src/f.txt", TEXT.replace(b"line 4\n", b"line four\n").replace(b"line 8\n", b"eight\n"))
    assert b"line four\nline 5\nLINE 6\nline 6b\nline 7\neight\n" in changed(tree, put, CHANGE)


def test_line_ends_of_the_file_stay(tree: Path, put: Any) -> None:
    put("src/f.txt", TEXT.replace(b"\n", b"\r\n"))
    assert b"line 5\r\nLINE 6\r\nline 6b\r\nline 7\r\n" in changed(tree, put, CHANGE)


def test_new_and_removed_files(tree: Path, put: Any) -> None:
    new = b"--- /dev/null\n+++ b/new/n.txt\n@@ -0,0 +1,2 @@\n+one\n+two\n\\ No newline at end\n"
    put("x.patch", new)
    assert apply(tree.parent / "x.patch", tree) == ("new/n.txt",)
    assert (tree / "new/n.txt").read_bytes() == b"one\ntwo"
    with pytest.raises(FetchError, match="is there already"):
        apply(tree.parent / "x.patch", tree)
    apply(tree.parent / "x.patch", tree, reverse=True)
    assert not (tree / "new/n.txt").exists()


def test_git_patches(tree: Path, put: Any) -> None:
    text = b"""From 0000 Mon Sep 17 00:00:00 2001
Subject: [PATCH] moves
---
 f.txt | 2 +-
diff --git a/sub/f.txt b/sub/g.txt
similarity index 95%
rename from sub/f.txt
rename to sub/g.txt
index 1..2 100644
--- a/sub/f.txt
+++ b/sub/g.txt
@@ -1,2 +1,2 @@
-line 1
+LINE 1
 line 2
diff --git a/run.sh b/run.sh
new file mode 100755
index 0000000..1
--- /dev/null
+++ b/run.sh
@@ -0,0 +1 @@
+#!/bin/sh
diff --git a/f.txt b/f.txt
old mode 100644
new mode 100755
--\x20
2.40
"""
    assert apply(put("x.patch", text), tree) == ("f.txt", "run.sh", "sub/f.txt", "sub/g.txt")
    assert not (tree / "sub/f.txt").exists()
    assert (tree / "sub/g.txt").read_bytes().startswith(b"LINE 1\nline 2\n")
    for name in ("run.sh", "f.txt"):
        assert stat.S_IMODE((tree / name).stat().st_mode) == 0o755


def test_several_diffs_of_one_file(tree: Path, put: Any) -> None:
    second = CHANGE.replace(b"-line 6\n", b"-LINE 6\n").replace(b"+LINE 6\n", b"+L6\n")
    second = second.replace(b"+line 6b\n", b" line 6b\n").replace(b"-4,5", b"-4,6")
    assert b"line 5\nL6\nline 6b\nline 7\n" in changed(tree, put, CHANGE + second)


def test_lost_blanks_on_empty_lines(tree: Path, put: Any) -> None:
    put("src/f.txt", b"a\n\nb\n")
    text = b"--- a/f.txt\n+++ b/f.txt\n@@ -1,3 +1,3 @@\n a\n\n-b\n+B\n"
    assert changed(tree, put, text) == b"a\n\nB\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (CHANGE.replace(b"-line 6", b"-other"), "hunk 1 of 1 does not fit 'f.txt' near line 4"),
        (CHANGE.replace(b"/f.txt", b"/none.txt"), "there is no file 'none.txt'"),
        (CHANGE.replace(b"/f.txt", b"/../../up"), "outside of the sources"),
        (CHANGE.replace(b"b/f.txt", b"b/../../up"), "outside of the sources"),
        (CHANGE[:-8], "breaks off"),
        (CHANGE.replace(b" line 8\n", b"*line 8\n"), "breaks off"),
        (b"no diff in here\n", "no unified diff"),
        (b"diff --git a/x b/x\nGIT binary patch\nliteral 0\n", "binary patch"),
    ],
)
def test_what_does_not_fit_changes_nothing(tree: Path, put: Any, text: bytes, message: str) -> None:
    first = b"--- a/sub/f.txt\n+++ b/sub/f.txt\n@@ -1 +1 @@\n-line 1\n+LINE 1\n"
    with pytest.raises(FetchError, match=message) as caught:
        apply(put("x.patch", first + text if b"@@" in text else text), tree)
    assert caught.value.hint
    assert (tree / "f.txt").read_bytes() == (tree / "sub/f.txt").read_bytes() == TEXT


def test_links_and_locations_outside(tree: Path, put: Any) -> None:
    put("victim/f.txt", TEXT)
    os.symlink("../victim", tree / "v")
    text = CHANGE.replace(b"/f.txt", b"/v/f.txt")
    with pytest.raises(FetchError, match="outside of the sources"):
        apply(put("x.patch", text), tree)
    with pytest.raises(FetchError, match="working_dir"):
        apply(put("y.patch", CHANGE), tree, working_dir="../victim")
    with pytest.raises(FetchError, match="cannot be read"):
        apply(tree / "none.patch", tree)


@pytest.mark.skipif(shutil.which("patch") is None, reason="GNU patch is missing")
@pytest.mark.parametrize("seed", range(12))
def test_same_result_as_gnu_patch(tmp_path: Path, seed: int) -> None:
    """Random edits, diffed, and applied to a file that was edited elsewhere."""
    dice = random.Random(seed)
    words = [f"{dice.choice('abcdef')}{dice.randrange(30)}\n" for _ in range(120)]
    edited = list(words)
    for _ in range(6):
        at = dice.randrange(len(edited))
        edited[at : at + dice.randrange(3)] = [f"new {dice.random()}\n"] * dice.randrange(3)
    base = [f"added {n}\n" for n in range(dice.randrange(9))] + words
    for side, lines in (("a", words), ("b", edited), ("one", base), ("two", base)):
        (tmp_path / side).mkdir()
        (tmp_path / side / "f").write_text("".join(lines))
    diff = subprocess.run(["diff", "-u", "a/f", "b/f"], cwd=tmp_path, stdout=-1, check=False)
    (tmp_path / "p").write_bytes(diff.stdout)
    argv = ["patch", "-s", "-p1", "-i", "../p"]
    assert subprocess.run(argv, cwd=tmp_path / "one", check=False).returncode == 0
    apply(tmp_path / "p", tmp_path / "two")
    assert (tmp_path / "two" / "f").read_bytes() == (tmp_path / "one" / "f").read_bytes()
    assert len(parse(diff.stdout)) == 1
