"""Recipes that say something else than their sources: at an install, strictly, and in bulk."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

_PYPROJECT = """\
[build-system]
requires = [
    "sweet-tool>=2",
]
build-backend = "backend"
backend-path = ["."]
"""


@pytest.fixture
def bitter(recipes: Any) -> Path:
    """A recipe without the dependencies that its sources name."""
    path: Path = recipes.python_project("bitter", {"bitter.py": "x = 1\n"})
    archive = recipes.archive(
        "bitter-1.0",
        {
            "pyproject.toml": _PYPROJECT,
            "backend.py": _backend(recipes),
            "bitter.py": "x = 1\n",
            "PKG-INFO": "Metadata-Version: 2.2\nName: bitter\nVersion: 1.0\n",
        },
    )
    text = path.read_text()
    line = next(row for row in text.splitlines() if "version(" in row)
    text = text.replace(
        line, f'    pypi = "bitter/bitter-1.0.tar.gz"\n    version("1.0", {archive})'
    )
    path.write_text(text)
    return path


def _backend(recipes: Any) -> str:
    """The backend of the projects of the tests, with a run requirement in its metadata."""
    import tarfile

    with tarfile.open(recipes.archives / "bitter-1.0.tar.gz") as archive:
        stream = archive.extractfile("bitter-1.0/backend.py")
        assert stream is not None
        text = stream.read().decode()
    return text.replace('Version: 1.0\\n"', 'Version: 1.0\\nRequires-Dist: sour (<3)\\n"', 1)


def test_an_install_tells(spack: Any, bitter: Path) -> None:
    result = spack("install", "py-bitter")
    told = " ".join(result.text.split())
    assert f"{bitter}:" in told
    assert 'pyproject.toml:3 requires sweet-tool>=2: add depends_on("py-sweet-tool@2:"' in told
    assert "Requires-Dist requires sour (<3): add depends_on(" in told
    log = (spack.prefix("py-bitter") / ".spack" / "spack-build-out.txt").read_text()
    assert "metadata: missing: " in log


def test_strictly_it_is_an_error(spack: Any, bitter: Path) -> None:
    result = spack.fails("install", "--strict-metadata", "py-bitter")
    assert "the recipe of py-bitter and its metadata differ" in result.err
    assert "sweet-tool>=2" in result.err
    assert "py-bitter" not in spack.names()


def test_audit(spack: Any, bitter: Path) -> None:
    spack("fetch", "py-bitter")
    result = spack("audit", "packages", "py-bitter", check=False)
    assert result.code == 1
    assert f"py-bitter@1.0: missing: {bitter}:" in result.out
    assert "1 archives looked at" in result.text
    spack.fails("audit", "packages", "py-biter", code=2)
