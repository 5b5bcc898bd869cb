"""``spack style``: which files, and running the tools over them."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from spack.bootstrap.style_tools import arguments
from spack.errors import UsageError
from spack.util.helper_process import Runner

__all__ = ["StyleFinding", "changed_files", "project_root", "run_tools"]


class StyleFinding(NamedTuple):
    """What one tool says.

    :ivar good: all was well.
    :ivar crashed: it did not get as far as looking, or did not end by itself.
    """

    tool: str
    good: bool
    output: str
    crashed: bool = False


#: What an interpreter writes of a tool that cannot run; lines of diffs begin with other characters.
_CRASH = re.compile(r"^(Traceback \(most recent call last\):|\S*python\S*: No module named )", re.M)


def project_root(cwd: Path, run: Runner) -> Path | None:
    """Return the top of the git checkout that *cwd* is in."""
    found = run(["git", "-C", str(cwd), "rev-parse", "--show-toplevel"])
    return Path(found.stdout.rstrip("\n")) if found.ok else None


def changed_files(root: Path, base: str, everything: bool, run: Runner) -> list[Path]:
    """Return the Python files that differ from *base* or are new; with *everything* all.

    Without any commit all files are new.

    :raises UsageError: git does not know *base*.
    """
    new = run(["git", "-C", str(root), "ls-files", "-z", "--others", "--exclude-standard"])
    if base == "HEAD":
        head = run(["git", "-C", str(root), "rev-parse", "--verify", "--quiet", base])
        everything = everything or not head.ok
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
    programs: Mapping[str, Path],
    files: Sequence[Path],
    root: Path,
    home: str,
    *,
    fix: bool,
) -> Iterator[StyleFinding]:
    """Run each tool over *files*, in *root*.

    :param programs: the tools, in the order in which they run.
    :param home: of the user: the tools keep caches there.
    """
    for tool, program in programs.items():
        good, crashed, output = True, False, ""
        for words in arguments(tool, files, root, fix=fix):
            status, text = _run([str(program), *words], root, home)
            good = good and status == 0
            crashed = crashed or status < 0 or (status > 0 and _CRASH.search(text) is not None)
            output += text
        yield StyleFinding(tool, good, output, crashed)


def _run(words: Sequence[str], root: Path, home: str) -> tuple[int, str]:
    """Return exit status and output; -1 for a program that cannot be started."""
    variables = {
        "PATH": f"{os.path.dirname(words[0])}{os.pathsep}/usr/bin{os.pathsep}/bin",
        "HOME": home,
        "LC_ALL": "C.UTF-8",
    }
    try:
        done = subprocess.run(
            words,
            cwd=root,
            env=variables,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
        )
    except OSError as error:
        return -1, f"{words[0]}: {error.strerror}\n"
    return done.returncode, done.stdout
