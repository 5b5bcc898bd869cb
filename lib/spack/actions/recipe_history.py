"""The history of recipes in the git repository that they are in."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from spack.errors import UsageError
from spack.recipe.package_names import package_name
from spack.repo import Repository
from spack.util.helper_process import run

__all__ = ["Author", "PackageChanges", "RecipeHistory", "authors_of"]


class PackageChanges(NamedTuple):
    """Names of packages that came, changed and left between two revisions."""

    added: tuple[str, ...]
    changed: tuple[str, ...]
    removed: tuple[str, ...]


class Author(NamedTuple):
    """How much of a file is an author's.

    :ivar last: seconds since the epoch of the author's last change.
    """

    name: str
    email: str
    lines: int
    last: int


class RecipeHistory:
    """A repository of recipes as git knows it.

    :param environ: of git.
    """

    def __init__(self, repository: Repository, environ: Mapping[str, str]) -> None:
        self.repository = repository
        self._environ = dict(environ)

    def names(self, revision: str) -> list[str]:
        """Return the sorted names of the packages at *revision*."""
        folder = f"{self.repository.packages}{os.sep}"
        out = self.git(["ls-tree", "-r", "--name-only", "--full-name", revision, "--", folder])
        found = {Path(line).parent.name for line in out.splitlines() if line.endswith("package.py")}
        return sorted(map(package_name, found))

    def changes(self, old: str, new: str) -> PackageChanges:
        """Return the packages that differ between two revisions."""
        before, after = set(self.names(old)), set(self.names(new))
        paths = self.git(["diff", "--name-only", old, new, "--", str(self.repository.packages)])
        touched = {package_name(Path(line).parent.name) for line in paths.splitlines()}
        return PackageChanges(
            tuple(sorted(after - before)),
            tuple(sorted(touched & before & after)),
            tuple(sorted(before - after)),
        )

    def stage(self, names: Iterable[str]) -> None:
        """Add recipes to git's index."""
        self.git(["add", "--", *(str(self.repository.recipe_file(name)) for name in names)])

    def git(self, words: Sequence[str]) -> str:
        """Return what git prints in the directory of the recipes.

        :raises UsageError: git is missing, or refuses.
        """
        return _git(self.repository.packages, words, self._environ)


def _git(directory: Path, words: Sequence[str], environ: Mapping[str, str]) -> str:
    done = run(["git", *words], env=environ, cwd=str(directory), timeout=None)
    if not done.ok:
        reason = done.stderr.strip().splitlines() or [str(done.returncode)]
        raise UsageError(
            f"git cannot {words[0]} in {directory}: {reason[-1]}",
            hint="the recipes must be in a clone, and the revisions exist",
            ref="recipe-history",
        )
    return done.stdout


def authors_of(path: Path, environ: Mapping[str, str]) -> list[Author]:
    """Return the authors of the lines of a file, those with the most lines first.

    :raises UsageError: git does not know the file.
    """
    text = _git(path.parent, ("blame", "--line-porcelain", "--", path.name), environ)
    found: dict[tuple[str, str], tuple[int, int]] = {}
    for block in re.split(r"^\t.*\n?", text, flags=re.MULTILINE):
        fields = dict(re.findall(r"^(author|author-mail|author-time) (.*)$", block, re.MULTILINE))
        if fields:
            key = (fields["author"], fields["author-mail"].strip("<>"))
            lines, last = found.get(key, (0, 0))
            found[key] = (lines + 1, max(last, int(fields["author-time"])))
    authors = [Author(name, mail, *counts) for (name, mail), counts in found.items()]
    return sorted(authors, key=lambda author: (-author.lines, author.name))
