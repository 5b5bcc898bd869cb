"""The files of a tree that are, or could be, in version control."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

__all__ = ["own_files"]


def own_files(root: Path) -> list[str]:
    """Return the paths below *root* that git tracks or does not ignore.

    Where there is no git, or no repository (a copy, an archive), by the patterns of .gitignore.
    """
    if shutil.which("git") is not None and (root / ".git").exists():
        words = ["git", "ls-files", "-co", "--exclude-standard", "-z"]
        listed = subprocess.run(words, cwd=root, check=True, capture_output=True, text=True)
        return [name for name in listed.stdout.split("\0") if name]
    patterns = [line for line in (root / ".gitignore").read_text().splitlines() if line]
    return sorted(_walk(root, "", patterns))


def _walk(root: Path, below: str, patterns: list[str]) -> Iterator[str]:
    for entry in os.scandir(root / below):
        path = f"{below}{entry.name}"
        directory = entry.is_dir(follow_symlinks=False)
        if path == ".git" or any(_is_ignored(path, directory, pattern) for pattern in patterns):
            continue
        if directory:
            yield from _walk(root, f"{path}/", patterns)
        else:
            yield path


def _is_ignored(path: str, directory: bool, pattern: str) -> bool:
    """Tell whether a pattern of .gitignore means the path: with ``/`` in it, from the root."""
    if pattern.endswith("/") and not directory:
        return False
    plain = pattern.strip("/")
    return fnmatch(path if "/" in pattern.rstrip("/") else path.rpartition("/")[2], plain)
