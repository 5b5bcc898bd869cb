"""``spack style``: which files, and running the tools over them."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from spack.bootstrap.style_tools import arguments
from spack.errors import UsageError
from spack.util.helper_process import Runner

__all__ = ["StyleFinding", "changed_files", "project_root", "run_tools"]


class StyleFinding(NamedTuple):
    """What one tool says: whether all was well, and its output."""

    tool: str
    good: bool
    output: str


def project_root(cwd: Path, run: Runner) -> Path | None:
    """Return the top of the git checkout that *cwd* is in."""
    found = run(["git", "-C", str(cwd), "rev-parse", "--show-toplevel"])
    return Path(found.stdout.rstrip("\n")) if found.ok else None


def changed_files(root: Path, base: str, everything: bool, run: Runner) -> list[Path]:
    """Return the Python files that differ from *base* or are new; with *everything* all.

    :raises UsageError: git does not know *base*.
    """
    new = run(["git", "-C", str(root), "ls-files", "-z", "--others", "--exclude-standard"])
    if everything:
        old = run(["git", "-C", str(root), "ls-files", "-z"])
    else:
        old = run(["git", "-C", str(root), "diff", "-z", "--name-only", "--diff-filter=d", base])
    if not old.ok:
        raise UsageError(
            f"git cannot compare with {base}: {old.stderr.strip()}",
            hint="name another commit with --base, or files",
            ref="style-base",
        )
    names = sorted({*old.stdout.split("\0"), *new.stdout.split("\0")})
    return [root / name for name in names if name.endswith(".py") and (root / name).is_file()]


def run_tools(
    view: Path,
    tools: Sequence[str],
    files: Sequence[Path],
    root: Path,
    home: str,
    *,
    fix: bool,
) -> Iterator[StyleFinding]:
    """Run each tool over *files*, in *root*.

    :param view: of the tools' environment.
    :param home: of the user: the tools keep caches there.
    """
    variables = {
        "PATH": f"{view / 'bin'}{os.pathsep}/usr/bin{os.pathsep}/bin",
        "HOME": home,
        "LC_ALL": "C.UTF-8",
    }
    for tool in tools:
        good, output = True, ""
        for words in arguments(tool, files, root, fix=fix):
            done = subprocess.run(
                [str(view / "bin" / tool), *words],
                cwd=root,
                env=variables,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                encoding="utf-8",
                errors="replace",
            )
            good = good and done.returncode == 0
            output += done.stdout
        yield StyleFinding(tool, good, output)
