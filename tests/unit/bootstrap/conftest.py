"""A copy of the repository whose lock file names wheels that the test makes."""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Callable

import pytest

#: Stands for the cli: says what it sees and imports a dependency.
CLI = """
def main(argv):
    import sys
    try:
        import dep
    except ImportError:
        dep = None
    print(argv, getattr(dep, "VALUE", None), sys.flags.isolated, sys.flags.no_site)
    print([p for p in sys.path if "site-packages" in p or "dist-packages" in p])
    return len(argv)
"""


def wheel(members: Mapping[str, bytes], links: Mapping[str, str] = {}) -> bytes:
    """Return a wheel in memory; *links* are entries that are symbolic links."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
        for name, target in links.items():
            info = zipfile.ZipInfo(name)
            info.external_attr = 0o120777 << 16
            archive.writestr(info, target)
    return data.getvalue()


@dataclass
class Copy:
    """The copy, an index beside it (a directory of wheels), and a home."""

    root: Path
    wheels: Path
    home: Path
    rows: list[dict[str, Any]] = field(default_factory=list)

    def offer(self, name: str, data: bytes, digest: str | None = None) -> None:
        """Put a wheel on the index and names it in the lock file."""
        filename = f"{name}-1.0-py3-none-any.whl"
        (self.wheels / filename).write_bytes(data)
        digest = digest or hashlib.sha256(data).hexdigest()
        row = {"name": name, "version": "1.0", "minors": [9, None], "system": ""}
        self.rows.append({**row, "wheels": {filename: digest}})
        self.write_lock()

    def write_lock(self) -> None:
        default_index_wheel = {"file": "none.whl", "sha256": ""}
        body = (
            json.dumps({"knows-the-index": default_index_wheel, "packages": self.rows}, indent=1)[
                2:
            ]
            + "\n"
        )
        digest = hashlib.sha256(body.encode()).hexdigest()
        self.lock.write_text(f'{{"digest": "{digest}",\n{body}')

    @property
    def lock(self) -> Path:
        return self.root / "share" / "bootstrap" / "requirements.lock"

    @property
    def deps(self) -> Path:
        return self.root / "var" / "spack" / "deps"

    def locations(self) -> list[str]:
        """Return what is in the private directory, but for the lock."""
        if not self.deps.exists():
            return []
        return sorted(name for name in os.listdir(self.deps) if name != ".lock")

    def environ(self, **more: str) -> dict[str, str]:
        return {
            "HOME": str(self.home),
            "PATH": "/usr/bin:/bin",
            "PIP_NO_INDEX": "1",
            "PIP_FIND_LINKS": str(self.wheels),
            "PIP_CONFIG_FILE": "/dev/null",
            "SPACK_PYTHON": sys.executable,
            **more,
        }

    def run(
        self, *argv: str, program: str | None = None, cwd: Path | None = None, **more: str
    ) -> subprocess.CompletedProcess[str]:
        """Run bin/spack."""
        environ = {name: value for name, value in self.environ(**more).items() if value}
        return subprocess.run(
            [program or str(self.root / "bin" / "spack"), *argv],
            env=environ,
            cwd=cwd or self.home,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )


@pytest.fixture
def make_wheel() -> Callable[..., bytes]:
    return wheel


@pytest.fixture
def copy(tmp_path: Path, root: Path) -> Copy:
    """With one dependency, ``dep``, which has a script and data besides its module."""
    made = Copy(tmp_path / "a copy", tmp_path / "wheels", tmp_path / "home")
    for directory in (made.wheels, made.home, made.lock.parent):
        directory.mkdir(parents=True)
    wanted = ("__init__.py", "__main__.py", "errors.py", "bootstrap", "fetch", "util", "recipe")
    package = made.root / "lib" / "spack"
    package.mkdir(parents=True)
    for name in wanted:
        source = root / "lib" / "spack" / name
        if source.is_dir():
            shutil.copytree(source, package / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, package)
    (package / "cli").mkdir()
    (package / "cli" / "__init__.py").write_text("")
    (package / "cli" / "main.py").write_text(CLI)
    (made.root / "bin").mkdir()
    shutil.copy(root / "bin" / "spack", made.root / "bin" / "spack")
    made.offer(
        "dep",
        wheel(
            {
                "dep.py": b"VALUE = 'own'\n",
                "dep-1.0.data/platlib/plat.py": b"",
                "dep-1.0.data/scripts/tool": b"#!python\n",
                "dep-1.0.dist-info/METADATA": b"Name: dep\nVersion: 1.0\n",
            }
        ),
    )
    return made
