"""Locks and mirrors for other machines, from the metadata of an index."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from kits.command import Command
from kits.recipe_repository import RecipeRepository
from kits.wheel_index import WheelIndex

ARM = "python@3.13 os=debian13 target=aarch64"
NEW = "python@3.13 os=debian13 target=x86_64"


@pytest.fixture
def index(spack: Command, recipes: RecipeRepository, tmp_path: Path) -> WheelIndex:
    """Return an index with wheels of one package for three machines, and a pure one."""
    spack("arch")  # the tool's own dependencies are not in the index
    for name in ("sweet", "sour"):
        lines = [
            f'pypi = "{name}/{name}-1.0.tar.gz"',
            f'version("1.0", sha256="{"0" * 64}")',
            *(['depends_on("py-sour", type=("build", "run"))'] if name == "sweet" else []),
        ]
        recipes.add(f"py-{name}", "\n".join(lines) + "\n", base="PythonPackage")
    index = WheelIndex(tmp_path / "index")
    for tag in ("manylinux_2_17_x86_64", "manylinux_2_41_aarch64", "manylinux_2_42_aarch64"):
        index.add("sweet", tag=f"cp313-cp313-{tag}", requires=["sour"])
    index.add("sour")
    return index


def chosen(spack: Command, machine: str, index: WheelIndex) -> dict[str, str]:
    """Return the wheel of each package that is made concrete for a machine."""
    words = ("spec", "--json", "--wheels", "only", "--for", machine, "py-sweet")
    nodes = json.loads(spack(*words, environ=index.environ).out)["spec"]["nodes"]
    return {
        node["name"]: node["parameters"]["wheel"] for node in nodes if "wheel" in node["parameters"]
    }


def test_wheels_for_another_machine(spack: Command, index: WheelIndex) -> None:
    assert chosen(spack, ARM, index) == {
        "py-sweet": "sweet-1.0-cp313-cp313-manylinux_2_41_aarch64.whl",
        "py-sour": "sour-1.0-py3-none-any.whl",
    }
    assert chosen(spack, NEW, index)["py-sweet"].endswith("-manylinux_2_17_x86_64.whl")
    old = ARM.replace("debian13", "debian12")
    result = spack.fails(
        "spec", "--wheels", "only", "--for", old, "py-sweet", environ=index.environ
    )
    assert "manylinux_2_36_aarch64 and the like would do" in result.err


def test_a_lock_its_mirror_and_where_it_does_not_run(
    spack: Command, index: WheelIndex, tmp_path: Path
) -> None:
    environment, mirror = tmp_path / "environment", tmp_path / "mirror"
    environment.mkdir()
    (environment / "spack.yaml").write_text("spack: {specs: [py-sweet], view: view}\n")
    here = ("-e", environment)
    spack(*here, "concretize", "--wheels", "only", "--for", ARM, environ=index.environ)
    lock = (environment / "spack.lock").read_text()
    assert '"target": "aarch64"' in lock and '"platform_os": "debian13"' in lock
    spack(*here, "mirror", "create", "-d", mirror, "--all", environ=index.environ)
    assert len(list(mirror.rglob("*.whl"))) == 2
    result = spack.fails(*here, "install", environ=index.environ)
    assert "cannot install for linux-debian13-aarch64 here: py-sweet@1.0/" in result.err
    result = spack.fails(*here, "concretize", "--for", ARM, "--for", NEW, code=2)
    assert "cannot solve for 2 machines at once" in result.err
    # one mirror for several machines
    several = tmp_path / "several"
    words = ("mirror", "create", "-d", several, "-D", "--wheels", "only")
    spack(*words, "--for", ARM, "--for", NEW, "py-sweet", environ=index.environ)
    assert len([path for path in several.rglob("*.whl") if path.is_file()]) == 3


def test_a_lock_for_another_interpreter_is_installed_there(spack: Command, tmp_path: Path) -> None:
    """The other interpreter is the one of these tests; there is neither index nor detection."""
    spack("arch")
    index = WheelIndex(tmp_path / "index")
    index.add(
        "lemon",
        scripts={"lemon": "lemon:main"},
        modules={"lemon.py": "import sys\n\n\ndef main():\n    print(sys.version_info[:3])\n"},
    )
    environment, mirror = tmp_path / "environment", tmp_path / "mirror"
    environment.mkdir()
    (environment / "spack.yaml").write_text("spack: {specs: ['pypi:lemon'], view: view}\n")
    version = ".".join(map(str, sys.version_info[:3]))
    machine = f"python@{version} prefix={sys.base_prefix}"
    spack("-e", environment, "concretize", "--for", machine, environ=index.environ)
    spack("-e", environment, "mirror", "create", "-d", mirror, "--all", environ=index.environ)
    nothing = WheelIndex(tmp_path / "nothing").environ
    spack("mirror", "add", "air", mirror.as_uri())
    cache = f"config:source_cache:{tmp_path / 'sources'}"
    spack("-e", environment, "-c", cache, "install", environ=nothing)
    program = [str(environment / "view" / "bin" / "lemon")]
    assert subprocess.check_output(program, text=True) == f"{tuple(sys.version_info[:3])}\n"


def test_an_interpreter_of_another_version(
    spack: Command, index: WheelIndex, tmp_path: Path
) -> None:
    environment = tmp_path / "environment"
    environment.mkdir()
    (environment / "spack.yaml").write_text("spack: {specs: [py-sour], view: false}\n")
    machine = f"python@3.99 prefix={sys.base_prefix}"
    words = ("concretize", "--wheels", "only", "--for", machine)
    spack("-e", environment, *words, environ=index.environ)
    result = spack.fails("-e", environment, "install", environ=index.environ)
    version = ".".join(map(str, sys.version_info[:3]))
    assert f"is Python {version}, not 3.99" in result.err
