"""Wheels are unpacked once and linked into prefixes, with what a worker would install."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from kits.command import Command
from kits.recipe_repository import RecipeRepository
from kits.wheel_index import WheelIndex


@pytest.fixture
def index(spack: Command, recipes: RecipeRepository, tmp_path: Path) -> WheelIndex:
    """Return an index with a wheel of ``py-sweet``: modules, an entry point, a script, data."""
    spack("arch")  # the tool's own dependencies are not in the index
    body = 'pypi = "sweet/sweet-1.0.tar.gz"\nversion("1.0", sha256="' + "0" * 64 + '")\n'
    recipes.add("py-sweet", body, base="PythonPackage")
    index = WheelIndex(tmp_path / "index")
    index.add(
        "sweet",
        modules={
            "sweet/__init__.py": "def main():\n    print('sweet')\n",
            "sweet/deep/part.py": "VALUE = 'text'\n",
            "sweet/broken.py": "this is no Python\n",
            "sweet-1.0.data/scripts/sour": "#!python\nprint('sour')\n",
            "sweet-1.0.data/data/share/sweet/text": "text\n",
            "sweet-1.0.data/headers/sweet.h": "/* sweet */\n",
        },
        scripts={"sweet": "sweet:main"},
    )
    return index


class Installs:
    """Installs ``py-sweet`` with downloads in a directory of its own."""

    def __init__(self, spack: Command, index: WheelIndex, sources: Path) -> None:
        self.spack = spack
        self.environ = index.environ
        self.sources = sources

    @property
    def pool(self) -> Path:
        return self.sources / "unpacked"

    def install(self, *words: str, environ: Mapping[str, str] | None = None) -> Path:
        """Install it and return its prefix."""
        cache = f"config:source_cache:{self.sources}"
        options = ("install", "--wheels", "only", *words, "py-sweet")
        self.spack("-c", cache, *options, environ={**self.environ, **(environ or {})})
        return self.spack.prefix("py-sweet")


def described(prefix: Path) -> dict[str, Any]:
    """Return what is recorded of a prefix: files with digests, and what is set at run time."""
    found = {}
    for path in sorted((prefix / ".spack").glob("*.json")):
        data = json.loads(path.read_text())
        found[path.name] = data["files"] if "files" in data else data.get("run_environment")
    return found


def files(prefix: Path) -> dict[str, tuple[int, bytes]]:
    """Return mode and content by path."""
    return {
        str(path.relative_to(prefix)): (
            path.lstat().st_mode,
            path.read_bytes() if path.is_file() else b"",
        )
        for path in sorted(prefix.rglob("*"))
        if ".spack" not in path.relative_to(prefix).parts
    }


def test_linked_is_what_a_worker_installs(
    spack: Command, index: WheelIndex, tmp_path: Path
) -> None:
    linked = Installs(spack, index, tmp_path / "linked")
    prefix = linked.install()
    assert list(linked.pool.rglob("contents.json")), "nothing was unpacked"
    one = (files(prefix), described(prefix))
    log = (prefix / ".spack" / "spack-build-out.txt").read_text()
    assert log == "==> wheel of the index: sweet-1.0-py3-none-any.whl\n"
    # a pool that cannot be made: a worker installs the wheel
    other = Installs(spack, index, tmp_path / "other")
    other.sources.mkdir()
    other.pool.write_text("a file\n")
    assert other.install("--overwrite", "-y") == prefix
    assert "protected by" in (prefix / ".spack" / "spack-build-out.txt").read_text()
    two = (files(prefix), described(prefix))
    assert one == two
    assert "lib" in str([x for x in one[0] if x.endswith(".pyc")])


def test_the_same_files_as_of_uv(spack: Command, index: WheelIndex, tmp_path: Path) -> None:
    """They differ in RECORD and INSTALLER, in bytecode, and in what names the interpreter."""
    uv = shutil.which("uv", path=str(Path(sys.executable).parent)) or shutil.which("uv")
    if uv is None:
        pytest.skip("uv is missing")
    prefix = Installs(spack, index, tmp_path / "sources").install()
    venv = tmp_path / "venv"
    python = next(prefix.glob("lib/python*")).name
    quiet = [uv, "--no-config", "--cache-dir", str(tmp_path / "uv")]
    subprocess.run([*quiet, "venv", "-q", "--python", sys.executable, str(venv)], check=True)
    words = [*quiet, "pip", "install", "-q", "--python", str(venv), "--no-deps", "--no-index"]
    subprocess.run([*words, str(index.file("sweet-1.0-py3-none-any.whl"))], check=True)
    (modules,) = venv.glob("lib/python*/site-packages")
    expected = _contents(modules, "sweet")
    found = _contents(prefix / "lib" / python / "site-packages", "sweet")
    assert {path for path in {*found, *expected} if found.get(path) != expected.get(path)} == {
        "sweet-1.0.dist-info/INSTALLER",
        "sweet-1.0.dist-info/RECORD",
    }
    assert _contents(prefix / "share", "sweet") == _contents(venv / "share", "sweet")
    assert {path.name for path in (prefix / "bin").iterdir()} == {"sweet", "sour"}


def _contents(root: Path, start: str) -> dict[str, bytes]:
    """Return the files of a distribution by path, without bytecode."""
    return {
        str(path.relative_to(root)): path.read_bytes()
        for path in root.rglob("*")
        if path.is_file()
        and path.suffix != ".pyc"
        and path.relative_to(root).parts[0].startswith(start)
        if path.name not in ("direct_url.json", "uv_cache.json")
    }


def test_unpacked_once(spack: Command, index: WheelIndex, tmp_path: Path) -> None:
    installs = Installs(spack, index, tmp_path / "sources")
    prefix = installs.install()
    first = files(prefix)
    # neither the index nor the archive is needed again
    shutil.rmtree(installs.sources / "_source-cache")
    shutil.rmtree(index.root / "files")
    spack(
        "-c",
        f"config:source_cache:{installs.sources}",
        "install",
        "--overwrite",
        "-y",
        "/" + prefix.name.rpartition("-")[2],
        environ=installs.environ,
    )
    assert files(prefix) == first


def test_a_changed_file_of_the_pool_is_not_used(
    spack: Command, index: WheelIndex, tmp_path: Path
) -> None:
    installs = Installs(spack, index, tmp_path / "sources")
    prefix = installs.install()
    first = files(prefix)
    (module,) = installs.pool.rglob("files/purelib/sweet/deep/part.py")
    assert module.stat().st_mode & 0o222 == 0
    module.chmod(0o644)
    module.write_text("VALUE = 'evil'\n")
    installs.install("--overwrite", "-y")
    assert files(prefix) == first
    assert spack("verify", "manifest", "-a").code == 0
    (bytecode,) = installs.pool.rglob("part.*.pyc")
    bytecode.unlink()
    installs.install("--overwrite", "-y")
    assert files(prefix) == first
    # what is written in between is replaced as a whole
    (contents,) = installs.pool.rglob("files/../contents.json")
    contents.write_text("{")
    installs.install("--overwrite", "-y")
    assert files(prefix) == first
    assert not list(installs.pool.rglob(".new-*")) + list(installs.pool.rglob(".old-*"))


def test_hooks_of_recipes_are_run(
    spack: Command, recipes: RecipeRepository, index: WheelIndex, tmp_path: Path
) -> None:
    """A recipe that sets something at run time is installed by a worker."""
    body = (
        'pypi = "sweet/sweet-1.0.tar.gz"\nversion("1.0", sha256="' + "0" * 64 + '")\n\n'
        'def setup_run_environment(self, env):\n    env.set("SWEET", "yes")\n'
    )
    recipes.add("py-sweet", body, base="PythonPackage")
    installs = Installs(spack, index, tmp_path / "sources")
    prefix = installs.install()
    changes = [
        change for rows in described(prefix).values() if isinstance(rows, list) for change in rows
    ]
    assert ("SWEET", "yes") in [(change["name"], change["value"]) for change in changes]
    assert not installs.pool.exists()
