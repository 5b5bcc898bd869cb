"""``pip install .`` gives the command, under other Pythons than the system's."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from kits.command import Command

pytestmark = pytest.mark.slow

#: The oldest that is supported, and a newer one than most systems have.
WANTED = ("3.9", "3.12")


def pythons() -> dict[str, Path]:
    """Interpreters that can make a venv with pip, by ``3.X``.

    Those of a version manager, and those on PATH; if none of the wanted ones is there, the one that
    runs the tests.
    """
    found: dict[str, Path] = {}
    root = os.environ.get("PYENV_ROOT") or os.path.expanduser("~/.pyenv")
    for version in WANTED:
        candidates = [
            *sorted(Path(root, "versions").glob(f"{version}.*/bin/python{version}")),
            *filter(None, [shutil.which(f"python{version}")]),
        ]
        for candidate in [Path(str(name)) for name in candidates]:
            if "shims" not in candidate.parts and able(candidate):
                found.setdefault(version, candidate)
    if not found and able(Path(sys.executable)):
        found[".".join(map(str, sys.version_info[:2]))] = Path(sys.executable)
    return found


def able(python: Path) -> bool:
    return subprocess.run([python, "-c", "import venv, ensurepip"], check=False).returncode == 0


PYTHONS = pythons()


class Installed(NamedTuple):
    """``spack`` in a venv.

    :ivar environ: what a user has that has only the venv.
    """

    venv: Path
    home: Path
    environ: dict[str, str]

    def __call__(self, *words: object) -> str:
        done = subprocess.run(
            [self.venv / "bin" / "spack", *map(str, words)],
            env=self.environ,
            cwd=self.home,
            capture_output=True,
            text=True,
            timeout=600,
        )
        assert done.returncode == 0, f"spack {words}\n{done.stdout}{done.stderr}"
        return done.stdout


@pytest.fixture(scope="module", params=sorted(PYTHONS) or ["none"])
def installed(
    request: pytest.FixtureRequest,
    copy_tree: Callable[[Path], Path],
    area: Path,
    make_spack: Callable[[Path], Command],
    tmp_path_factory: pytest.TempPathFactory,
) -> Installed:
    """Return the clone, installed by pip into a fresh venv; downloads are shared."""
    if request.param not in PYTHONS:
        pytest.skip("no Python that can make a venv with pip is here")
    home = tmp_path_factory.mktemp(f"pip-{request.param}")
    environ = dict(make_spack(home / "config").environ, HOME=str(home))
    venv = home / "venv"
    subprocess.run([PYTHONS[request.param], "-m", "venv", venv], check=True, env=environ)
    source = copy_tree(home / "source")
    before = sorted(path.name for path in source.iterdir())
    done = subprocess.run(
        [venv / "bin" / "python", "-m", "pip", "install", "--disable-pip-version-check", "."],
        cwd=source,
        env=environ,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert sorted(path.name for path in source.iterdir()) == before, "the sources stay clean"
    shutil.rmtree(source)
    (home / ".spack").mkdir()
    (home / ".spack" / "config.yaml").write_text(f"config:\n  source_cache: {area}/sources\n")
    return Installed(venv, home, environ)


def test_its_version_is_the_tools(installed: Installed, spack: Command) -> None:
    assert installed("--version") == spack("--version").out


def test_it_fetches_nothing_of_its_own(installed: Installed) -> None:
    """Its dependencies are pip's business."""
    installed("arch")
    assert not list(installed.home.glob(".spack/deps*"))
    assert not list(installed.venv.rglob("var/spack/deps"))


def test_it_says_the_same_of_a_spec(installed: Installed, spack: Command) -> None:
    """All that a spec becomes is the same, whatever Python runs the tool."""
    own = installed("spec", "-L", "py-click")
    assert own == spack("spec", "-L", "--fresh", "py-click").out


def test_it_installs(installed: Installed, tmp_path: Path) -> None:
    shown = installed("install", "py-click")
    assert re.search(r"==> py-click@\S+ is in ", shown)
    prefix = Path(installed("location", "-i", "py-click").strip())
    assert prefix.is_relative_to(installed.home / ".spack" / "opt" / "spack")
    assert [path.name for path in prefix.glob("lib/python3*/*")] == ["site-packages"]
    assert "0 with differences" in installed("verify")

    folder = tmp_path / "work"
    installed("env", "create", "--dir", folder)
    installed("-e", folder, "add", "py-click")
    installed("-e", folder, "install")
    (config,) = folder.rglob("pyvenv.cfg")
    asked = "import click, sys; print(sys.prefix != sys.base_prefix, sys.prefix)"
    ran = subprocess.run(
        [config.parent / "bin" / "python3", "-c", asked],
        env={},
        check=True,
        capture_output=True,
        text=True,
    )
    assert ran.stdout.split() == ["True", str(config.parent)]


def test_the_venv_that_it_is_in_stays_out_of_what_it_builds(installed: Installed) -> None:
    """Its own interpreter is no Python of the machine: packages are for the base one."""
    python = Path(installed("location", "-i", "python-venv").strip()) / "bin" / "python3"
    base = subprocess.run(
        [python, "-c", "import sys; print(sys.base_prefix)"],
        env={},
        check=True,
        capture_output=True,
        text=True,
    ).stdout.strip()
    assert Path(base) != installed.venv


def test_shell_support_is_there(installed: Installed) -> None:
    """As in a clone: the scripts of ``share`` come along."""
    script = Path(installed("location", "-r").strip()) / "share" / "setup-env.sh"
    lines = '. "$1"; spack load py-click; python3 -c "import click"; echo loaded'
    done = subprocess.run(
        ["sh", "-euc", lines, "sh", script],
        env={**installed.environ, "PATH": f"{installed.venv}/bin:/usr/bin:/bin"},
        capture_output=True,
        text=True,
    )
    assert (done.stdout, done.stderr) == ("loaded\n", "")
