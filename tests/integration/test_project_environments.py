"""Environments made from what Python projects say they need, and written for other tools."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

import pytest

from kits.command import Command
from kits.local_index import LocalIndex
from kits.recipe_repository import RecipeRepository


@pytest.fixture
def index(tmp_path: Path) -> LocalIndex:
    index = LocalIndex(tmp_path / "index")
    for version in ("1.0", "2.0"):
        index.sdist("leaf", version, ["License-Expression: MIT"])
        index.wheel("leaf", version)
    index.sdist("old", "0.5", ["Requires-Dist: leaf<2"])
    index.sdist("old", "1.0")
    index.sdist(
        "app-server",
        "3.0",
        [
            "Requires-Dist: leaf",
            'Requires-Dist: fast; extra == "speed"',
            "Provides-Extra: speed",
            'Requires-Dist: windows-only; sys_platform == "win32"',
        ],
    )
    index.sdist("fast", "1.0")
    index.sdist("known", "1.0")
    return index


@pytest.fixture
def spack_of(spack: Command, recipes: RecipeRepository, index: LocalIndex) -> Command:
    """Return the command with nothing but the index of the test."""
    spack("arch")  # its own dependencies are on the usual index
    source = recipes.checksum(index.root / "known" / "known-1.0.tar.gz")
    recipes.add(
        "py-known",
        f'pypi = "known/known-1.0.tar.gz"\nversion("1.0", sha256="{source}")\n',
        base="PythonPackage",
    )
    return Command(spack.root, {**spack.environ, **index.environ()}, spack.cwd, spack.home)


def test_from_requirements_and_back(
    spack_of: Command, index: LocalIndex, recipes: RecipeRepository, tmp_path: Path
) -> None:
    (tmp_path / "requirements.txt").write_text(
        "app_server[speed]\nold==0.5\nknown>=1\nnot-here; sys_platform == 'win32'\n-c bounds.txt\n"
    )
    (tmp_path / "bounds.txt").write_text("leaf<1.5\n")
    made = spack_of("env", "create", "-d", "web", "--from-requirements", "requirements.txt",
                    cwd=tmp_path)  # fmt: skip
    assert "made 4 recipes in" in made.out
    assert 'requirements.txt:4: not-here; sys_platform == "win32" does not apply here' in made.err
    text = (tmp_path / "web" / "spack.yaml").read_text()
    assert '  - "py-app-server+speed"\n  - "py-old@0.5:0.5.0"\n  - "py-known@1:"\n' in text
    assert '    py-leaf:\n      require: ["@:1.4"]\n' in text
    assert "    env_web: ./recipes/spack_repo/env_web\n" in text
    packages = tmp_path / "web" / "recipes" / "spack_repo" / "env_web" / "packages"
    assert sorted(path.name for path in packages.iterdir()) == [
        "py_app_server",
        "py_fast",
        "py_leaf",
        "py_old",
    ]
    web = tmp_path / "web"
    refused = spack_of.fails("-D", web, "env", "export", "--requirements", code=2)
    assert "is not concretized" in refused.err
    spack_of("-D", web, "concretize")
    exported = spack_of("-D", web, "env", "export", "--requirements").lines
    assert [x for x in exported if not x.startswith("#")] == [
        "app-server==3.0",
        "fast==1.0",
        "known==1.0",
        "leaf==1.0",
        "old==0.5",
    ]
    assert any(line.startswith("#   python ") for line in exported)

    lock = tmp_path / "pylock.toml"
    spack_of("-D", web, "env", "export", "--pylock", lock)
    wheel = recipes.checksum(index.root / "leaf" / "leaf-1.0-py3-none-any.whl")
    assert wheel in lock.read_text()
    spack_of("env", "create", "-d", tmp_path / "again", "--from-pylock", lock)
    again = (tmp_path / "again" / "spack.yaml").read_text()
    assert '"py-leaf@=1.0"' in again and '"py-app-server@=3.0"' in again
    spack_of("-D", tmp_path / "again", "concretize")
    (tmp_path / "requirements.out").write_text("\n".join(exported) + "\n")
    _accepted(tmp_path, index, [lock, tmp_path / "requirements.out"])

    bill = json.loads(spack_of("-D", web, "env", "export", "--sbom").out)
    leaf = next(row for row in bill["components"] if row["name"] == "leaf")
    assert leaf["purl"] == "pkg:pypi/leaf@1.0"
    assert leaf["licenses"] == [{"expression": "MIT"}]
    references = {row["bom-ref"] for row in bill["components"]}
    for row in bill["dependencies"]:
        assert {row["ref"], *row["dependsOn"]} <= references


def _accepted(directory: Path, index: LocalIndex, files: Sequence[Path]) -> None:
    """Let uv and pip install from *files*, where they are."""
    uv = shutil.which("uv", path=str(Path(sys.executable).parent)) or shutil.which("uv")
    if uv is None:
        pytest.skip("uv is missing")
    python = str(directory / "venv" / "bin" / "python")
    base = shutil.which("python3", path="/usr/bin:/bin")  # the one of the environment
    words = [uv, "venv", "-q", "--python", base or sys.executable, str(directory / "venv")]
    subprocess.run(words, env={"HOME": str(directory), "PATH": "/usr/bin:/bin"}, check=True)
    for file in files:
        words = [uv, "pip", "install", "--dry-run", "--python", python, "-r", str(file)]
        environ = {"HOME": str(directory), "PATH": "/usr/bin:/bin", "UV_INDEX_URL": index.url}
        done = subprocess.run(
            [*words, "--index-url", index.url], env=environ, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        assert "leaf==1.0" in done.stderr
    if find_spec("pip") is not None:
        words = [sys.executable, "-m", "pip", "install", "--dry-run", "--ignore-installed"]
        words += ["--index-url", index.url, "--no-build-isolation", "--quiet", "--report", "-"]
        done = subprocess.run(
            [*words, "-r", str(files[1])],
            env={"HOME": str(directory)},
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr


def test_from_pyproject(spack_of: Command, tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(
        '[project]\nname = "mine"\nrequires-python = ">=3.8"\ndependencies = ["known"]\n'
        '[dependency-groups]\ntest = ["leaf>=2"]\n'
    )
    spack_of("env", "create", "mine", "--from-pyproject", tmp_path / "pyproject.toml")
    assert "py-leaf" not in spack_of("-e", "mine", "config", "blame").out
    words = ("--extras", "test", "--python", "3.11")
    spack_of("env", "create", "tested", "--from-pyproject", tmp_path / "pyproject.toml", *words)
    spack_of("-e", "tested", "install")
    view = spack_of.home.path / "environments" / "tested" / ".spack-env" / "view"
    subprocess.run([view / "bin" / "python3", "-c", "import leaf, known"], check=True)


def test_refusals(spack_of: Command, tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("not-on-any-index\n")
    source = ("--from-requirements", tmp_path / "requirements.txt")
    refused = spack_of.fails("env", "create", "-d", tmp_path / "bad", *source, code=2)
    assert "the package index has no project not-on-any-index" in refused.err
    assert not (tmp_path / "bad").exists()
    refused = spack_of.fails("env", "create", "bad", "other.yaml", *source, code=2)
    assert "--from-requirements and other.yaml are one too many" in refused.err
    assert (
        "`spack env export` needs an active"
        in spack_of.fails("env", "export", "--sbom", code=2).err
    )
    (tmp_path / "pyproject.toml").write_text(
        '[project]\nname = "x"\nrequires-python = "what"\ndependencies = []\n'
    )
    refused = spack_of.fails(
        "env", "create", "bad", "--from-pyproject", tmp_path / "pyproject.toml", code=2
    )
    assert "invalid requires-python: what" in refused.err
    spack_of("env", "create", "-d", tmp_path / "empty")
    spack_of("-D", tmp_path / "empty", "add", "py-known")
    spack_of("-D", tmp_path / "empty", "concretize")
    refused = spack_of.fails(
        "-D", tmp_path / "empty", "env", "export", "--sbom", tmp_path / "no" / "bill.json", code=2
    )
    assert "cannot write" in refused.err
