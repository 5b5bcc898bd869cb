"""The user's editor."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from collections.abc import Mapping, Sequence

from spack.errors import UsageError

__all__ = ["edit"]

#: Tried where neither VISUAL nor EDITOR names one.
_USUAL = ("sensible-editor", "vim", "vi", "nano", "emacs", "micro", "ed")


def edit(paths: Sequence[os.PathLike[str]], environ: Mapping[str, str]) -> int:
    """Open *paths* in the user's editor, wait for its end, and return its exit code.

    :raises UsageError: there is no editor.
    """
    search = environ.get("PATH")
    named = environ.get("VISUAL") or environ.get("EDITOR") or ""
    words = shlex.split(named) or [x for x in _USUAL if shutil.which(x, path=search)][:1]
    program = shutil.which(words[0], path=search) if words else None
    if program is None:
        what = f"the editor {words[0]} is not there" if words else "there is no editor"
        raise UsageError(what, hint="set EDITOR to the command that starts one", ref="no-editor")
    return subprocess.call([program, *words[1:], *map(os.fspath, paths)], env=dict(environ))
