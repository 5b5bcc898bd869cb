"""The project's own sdist and wheel: built once, installed by pip, uv and pipx, and used."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

import pytest

import spack
from kits.command import poor_environment
from kits.recipe_repository import RecipeRepository

pytestmark = pytest.mark.slow

#: The interpreter under the one that runs the tests.
BASE = os.path.realpath(getattr(sys, "_base_executable", None) or sys.executable)


class Distributions(NamedTuple):
    """What a release consists of, and the wheels that it needs, as files."""

    sdist: Path
    wheel: Path
    wheels: Path
    environ: dict[str, str]

    def run(self, *words: object, **variables: object) -> str:
        """Run a program; return what it printed."""
        done = subprocess.run(
            [str(word) for word in words],
            env={**self.environ, **{name: str(value) for name, value in variables.items()}},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
        )
        print(f"$ {' '.join(map(str, words))}\n{done.stdout}{done.stderr}[{done.returncode}]")
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def pip(self, *words: object) -> str:
        return self.run(sys.executable, "-m", "pip", "--disable-pip-version-check", *words)

    @property
    def offline(self) -> Sequence[object]:
        return ("--no-index", "--find-links", self.wheels)


@pytest.fixture(scope="module")
def released(
    copy_tree: Callable[[Path], Path], uv: str, tmp_path_factory: pytest.TempPathFactory
) -> Distributions:
    """Return the files, built from a copy of this tree; the wheel is built from the sdist."""
    if find_spec("pip") is None:
        pytest.skip("pip is not installed; it is among the development tools of pyproject.toml")
    folder = tmp_path_factory.mktemp("released")
    source = copy_tree(folder / "source")
    dist, wheels = folder / "dist", folder / "wheels"
    environ = poor_environment(folder / "home", folder)
    environ["UV_CACHE_DIR"] = str(folder / "uv-cache")
    made = Distributions(dist, dist, wheels, environ)
    made.pip("download", "-q", "-d", wheels, "hatchling", "pip")
    words = ["build", "-q", "--offline", *made.offline, "--python", BASE]
    made.run(uv, *words, "--out-dir", dist, source)
    (sdist,), (wheel,) = dist.glob("*.tar.gz"), dist.glob("*.whl")
    made.pip("download", "-q", "-d", wheels, wheel)
    return Distributions(sdist, wheel, wheels, environ)


def with_pip(released: Distributions, archive: Path, uv: str, target: Path) -> Path:
    """Install *archive* with pip; return the directory of the command."""
    released.run(uv, "venv", "-q", "--offline", "--python", BASE, target)
    python = target / "bin" / "python"
    released.pip("--python", python, "install", "-q", *released.offline, archive)
    return target / "bin"


def with_uv(released: Distributions, archive: Path, uv: str, target: Path) -> Path:
    words = ["tool", "install", "-q", "--offline", *released.offline, "--python", BASE, archive]
    released.run(uv, *words, UV_TOOL_DIR=target / "tools", UV_TOOL_BIN_DIR=target / "bin")
    return target / "bin"


def with_pipx(released: Distributions, archive: Path, uv: str, target: Path) -> Path:
    if find_spec("pipx") is None:
        pytest.skip("pipx is not installed; it is among the development tools of pyproject.toml")
    arguments = f"--pip-args={' '.join(map(str, released.offline))}"
    released.run(
        *[sys.executable, "-m", "pipx", "install", "--python", BASE, arguments, archive],
        PIPX_HOME=target / "tools",
        PIPX_BIN_DIR=target / "bin",
        PIPX_MAN_DIR=target / "man",
        PATH=f"{Path(uv).parent}:/usr/bin:/bin",
    )
    return target / "bin"


def test_the_sdist_has_what_a_packager_needs(released: Distributions) -> None:
    top = f"spack_venv-{spack.__version__}"
    with tarfile.open(released.sdist) as archive:
        names = set(archive.getnames())
    for name in ("README.md", "CHANGELOG.md", "LICENSE", "bin/spack", "docs/conf.py", "tests/run"):
        assert f"{top}/{name}" in names
    assert not [name for name in names if name.split("/")[1:2] in (["opt"], ["var"], [".git"])]


def test_the_wheel_has_what_the_command_needs(released: Distributions) -> None:
    with zipfile.ZipFile(released.wheel) as archive:
        names = set(archive.namelist())
        metadata = archive.read(f"spack_venv-{spack.__version__}.dist-info/METADATA").decode()
    assert {"spack/data/repo.yaml", "spack/data/share/setup-env.sh"} <= names
    assert not [name for name in names if name.startswith(("tests/", "docs/"))]
    assert "Requires-Python: >=3.9" in metadata and "License-Expression: Apache-2.0 OR" in metadata


@pytest.mark.parametrize(
    ("install", "kind"),
    [(with_pip, "wheel"), (with_pip, "sdist"), (with_uv, "wheel"), (with_pipx, "wheel")],
    ids=["pip-wheel", "pip-sdist", "uv-tool", "pipx"],
)
def test_what_is_installed_works(
    install: Callable[[Distributions, Path, str, Path], Path],
    kind: str,
    released: Distributions,
    uv: str,
    tmp_path: Path,
) -> None:
    command = install(released, getattr(released, kind), uv, tmp_path / "installed") / "spack"
    home = tmp_path / "home"
    recipes = RecipeRepository(tmp_path / "tiny")
    recipes.plain("base")
    recipes.plain("top", "base")
    (home / ".spack").mkdir(parents=True)
    (home / ".spack" / "repos.yaml").write_text(f"repos:\n  tiny: {recipes.root}\n")
    assert released.run(command, "--version", HOME=home).strip() == spack.__version__
    shown = released.run(command, "spec", "top", HOME=home)
    assert [line.split("@")[0].strip() for line in shown.splitlines()] == ["top", "^base"]
    shown = released.run(command, "install", "top", HOME=home)
    assert "==> top@1.0/" in shown
    prefix = released.run(command, "location", "-i", "top", HOME=home).strip()
    assert Path(prefix).is_relative_to(home / ".spack" / "opt" / "spack")
    assert released.run(Path(prefix, "bin", "top")) == "top 1.0\n"
