"""Make the virtual environment of the development tools, without pip and the venv module.

    python3 -I share/bootstrap/development.py .venv-dev

The wheels of development.lock are found, verified and unpacked as ``bin/spack`` does it with its
own dependencies (:mod:`spack.bootstrap.own_dependencies`). The directory appears when it is
complete; one that is there is replaced.
"""

from __future__ import annotations

import os
import shutil
import stat
import sys
import tempfile
import zipfile
from configparser import ConfigParser
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "lib"))

from spack.bootstrap import wheels  # noqa: E402
from spack.bootstrap.own_dependencies import explain, fetch_wheels  # noqa: E402
from spack.errors import SpackError  # noqa: E402

LOCK = "share/bootstrap/development.lock"

#: A console script; the interpreter is found beside it, so that the directory can be moved.
SCRIPT = """\
#!/bin/sh
'''exec' "$(dirname -- "$(realpath -- "$0")")"/python3 "$0" "$@"
' '''
import sys
from {module} import {name}
sys.exit({call}())
"""


def make(target: Path) -> None:
    """Make the virtual environment at *target*.

    :raises SpackError: a wheel cannot be fetched or used.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    staging = Path(tempfile.mkdtemp(prefix=f"{target.name}.", dir=target.parent))
    try:
        staging.chmod(0o755)
        site = staging / "lib" / f"python3.{sys.version_info[1]}" / "site-packages"
        site.mkdir(parents=True)
        (staging / "bin").mkdir()
        downloads = staging / "wheels"
        for name in fetch_wheels(str(ROOT), downloads, os.environ, lock_name=LOCK):
            wheels.unpack(downloads / name, site)
            _unpack_programs(downloads / name, staging / "bin")
        shutil.rmtree(downloads)
        _make_interpreter(staging)
        for file in site.glob("*.dist-info/entry_points.txt"):
            _write_scripts(file, staging / "bin")
        shutil.rmtree(target, ignore_errors=True)
        staging.rename(target)
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _unpack_programs(wheel: Path, directory: Path) -> None:
    """Unpack the programs of a wheel that are not scripts of Python."""
    with zipfile.ZipFile(wheel) as archive:
        for entry in archive.infolist():
            parts = entry.filename.split("/")
            if len(parts) == 3 and parts[0].endswith(".data") and parts[1] == "scripts":
                path = directory / parts[2]
                path.write_bytes(archive.read(entry))
                path.chmod(0o755)


def _make_interpreter(root: Path) -> None:
    base = Path(getattr(sys, "_base_executable", None) or sys.executable)
    (root / "bin" / "python3").symlink_to(base)
    for name in ("python", f"python3.{sys.version_info[1]}"):
        (root / "bin" / name).symlink_to("python3")
    version = ".".join(map(str, sys.version_info[:3]))
    (root / "pyvenv.cfg").write_text(
        f"home = {base.parent}\ninclude-system-site-packages = false\nversion = {version}\n"
    )


def _write_scripts(file: Path, directory: Path) -> None:
    points = ConfigParser(delimiters=("=",), interpolation=None)
    points.optionxform = str  # type: ignore[assignment,method-assign]  # names keep their case
    points.read(file)
    for script, point in points["console_scripts"].items() if "console_scripts" in points else ():
        module, _, attribute = point.partition(":")
        call = attribute.split("[")[0].strip()
        path = directory / script
        text = SCRIPT.format(module=module.strip(), name=call.partition(".")[0], call=call)
        path.write_text(text)
        path.chmod(path.stat().st_mode | stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH)


if __name__ == "__main__":
    if sys.version_info < (3, 11):
        sys.exit("the development tools need Python 3.11 or newer: PYTHON=/path/to/python3")
    try:
        make(Path(sys.argv[1]).absolute())
    except SpackError as error:
        sys.exit(explain(error).rstrip())
