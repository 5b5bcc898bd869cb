"""A view of a Python of the system, made one of the same Python at another path."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

from spack.util.filesystem import atomic_write
from spack.util.frozen import replace
from spack.util.hashing import sha256_hex
from spack.view.view_manifest import ITEMS, MANIFEST, SELF, head_text, load_head

__all__ = ["use_other_python"]

_CONFIGURATION, _INTERPRETER = "pyvenv.cfg", "bin/python3"

#: Lines of ``pyvenv.cfg`` that name the interpreter.
_HOME = re.compile(r"^home = .*$", re.MULTILINE)
_EXECUTABLE = re.compile(r"^executable = .*$", re.MULTILINE)


def use_other_python(root: Path, executable: str) -> None:
    """Let the view at *root* start the interpreter *executable*, and correct what it records.

    :param executable: absolute path, of the same version as the view's.
    :raises OSError: the view cannot be written.
    """
    file = root / _CONFIGURATION
    text = file.read_text(encoding="utf-8")
    text = _HOME.sub(lambda _: f"home = {os.path.dirname(executable)}", text)
    text = _EXECUTABLE.sub(lambda _: f"executable = {executable}", text)
    atomic_write(file, text)
    link = root / _INTERPRETER
    link.unlink()
    link.symlink_to(executable)
    head = load_head(str(root))
    assert head is not None and head.python is not None
    head = replace(head, python={**head.python, "executable": executable})
    atomic_write(root / MANIFEST, head_text(head))
    records = root / ITEMS / f"{SELF}.json"
    rows = json.loads(records.read_text(encoding="utf-8"))
    rows[_INTERPRETER][1] = executable
    info = file.stat()
    rows[_CONFIGURATION][2:] = [sha256_hex(text), info.st_size, info.st_mtime_ns]
    atomic_write(records, json.dumps(rows, sort_keys=True, separators=(",", ":")))
