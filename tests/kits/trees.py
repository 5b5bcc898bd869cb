"""Trees of installed Python packages, compared without what always differs.

What differs always, and is left out:

* bytecode: pip's is bound to the source by a checked hash and names the absolute path, the tool's
  is unchecked and relative; pip also compiles scripts and data (``bin/__pycache__``);
* extension modules: the search path of libraries and the debug information name the prefix and the
  stage, which have the hash of the spec in them; RECORD has their digests.

Known besides: pip keeps rows of RECORD without a digest where a backend has written none, the
tool's are filled; and pbr writes another ``Generator`` into WHEEL when pip has asked it for
metadata before.
"""

from __future__ import annotations

import csv
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

BUILDERS = ("python_wheel", "python_pip")


def tree(prefix: Path, scratch: Path) -> Mapping[str, Any]:
    """Kind, mode and content, without what is listed above."""
    found: dict[str, Any] = {}
    for path in sorted(prefix.rglob("*")):
        name = str(path.relative_to(prefix))
        if name.startswith((".spack", "bin/__pycache__")):
            continue
        mode = oct(path.lstat().st_mode)
        if path.is_symlink():
            found[name] = (mode, os.readlink(path))
        elif path.is_dir():
            found[name] = (mode,)
        elif path.name == "RECORD":
            found[name] = (mode, record(path))
        else:
            found[name] = (mode, content(path, prefix, scratch))
    return found


def record(path: Path) -> list[list[str]]:
    """Return the rows, without digests of extension modules and bytecode of scripts."""
    with path.open(newline="") as stream:
        rows = list(csv.reader(stream))
    rows = [[row[0], "", ""] if row[0].endswith(".so") else row for row in rows]
    return [row for row in rows if "bin/__pycache__" not in row[0]]


def content(path: Path, prefix: Path, scratch: Path) -> bytes:
    """Without debug information, and with one text for the hash of the prefix."""
    data = path.read_bytes()
    if path.suffix == ".pyc":
        return b""
    if data.startswith(b"\x7fELF"):
        stripped = scratch / "stripped"
        command = ["strip", "-g", "-R", ".note.gnu.build-id", "-o", str(stripped), str(path)]
        subprocess.run(command, check=True)
        data = stripped.read_bytes()
    digest = prefix.name.rpartition("-")[2].encode()
    return data.replace(digest, b"@" * len(digest))


def differences(one: Mapping[str, Any], other: Mapping[str, Any]) -> list[str]:
    """Paths that are in one of the trees only, or not the same in both."""
    return sorted(path for path in {*one, *other} if one.get(path) != other.get(path))
