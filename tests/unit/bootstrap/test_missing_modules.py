"""An interpreter without a part of its standard library is named, with what to do."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from spack.bootstrap.missing_modules import explain_missing

#: Starts the command as ``bin/spack`` does, in an interpreter that lacks a module.
_WITHOUT = """
import sys
sys.modules[{name!r}] = None
sys.argv[0] = {main!r}
with open({main!r}) as stream:
    exec(compile(stream.read(), {main!r}, "exec"), {{"__name__": "__main__", "__file__": {main!r}}})
"""


@pytest.mark.parametrize("name", ["json", "sqlite3", "_sqlite3"])
def test_a_missing_module_is_named(root: Path, tmp_path: Path, name: str) -> None:
    main = str(root / "lib" / "spack" / "__main__.py")
    environ = {
        "HOME": str(tmp_path),
        "PATH": "/usr/bin:/bin",
        "SPACK_USER_CACHE_PATH": str(tmp_path / "cache"),
    }
    (tmp_path / "db" / ".spack-db").mkdir(parents=True)
    (tmp_path / "db" / ".spack-db" / "index.sqlite").touch()
    code = _WITHOUT.format(name=name, main=main)
    argv = [sys.executable, "-c", code, "-c", f"config:install_tree:root:{tmp_path}/db", "find"]
    done = subprocess.run(argv, env=environ, capture_output=True, text=True)
    assert done.returncode == 1
    assert f"has no module {name.lstrip('_')}, which is part of Python" in done.stderr
    assert "SPACK_PYTHON=/path/to/python3" in done.stderr
    assert "Traceback" not in done.stderr


def test_modules_that_are_not_pythons_are_left_to_the_traceback() -> None:
    assert explain_missing(ImportError("x", name="spack.nothing")) is None
    assert explain_missing(ImportError("x")) is None
