"""Module files, loaded by the module systems that are installed."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from kits.command import Command
from kits.recipe_repository import RecipeRepository

LMOD = "/usr/share/lmod/lmod/init/bash"


@pytest.fixture(scope="module")
def lmod() -> Callable[[Path, str], str]:
    """Return what runs lines of bash with Lmod, and modules of a directory."""
    if not Path(LMOD).is_file():
        pytest.skip("lmod is not installed")

    def run(folder: Path, lines: str) -> str:
        text = f"source {LMOD}\nmodule use {folder}\n{lines}\n"
        done = subprocess.run(
            ["bash", "--norc", "-c", text],
            env={"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": str(folder)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        return done.stdout

    return run


@pytest.fixture
def stack(spack: Command, recipes: RecipeRepository) -> Command:
    """``top`` over ``base``, which sets a variable; ``py-tool``; installed."""
    recipes.plain("base")
    recipes.add(
        "top",
        'has_code = False\nversion("1.0")\ndepends_on("base", type=("build", "run"))\n\n'
        "def setup_run_environment(self, env):\n"
        '    env.set("TOP_HOME", self.prefix)\n'
        '    env.append_flags("TOP_FLAGS", "-x y")\n\n'
        "def install(self, spec, prefix):\n"
        "    mkdirp(prefix.bin, prefix.share.man)\n"
        '    install(__file__, prefix.bin.join("top"))\n',
    )
    recipes.tool()
    (spack.home.config / "modules.yaml").write_text(
        "modules:\n  default:\n    roots: {tcl: ~/tcl, lmod: ~/lmod}\n"
        "    tcl:\n      hash_length: 0\n"
        "      projections: {all: '{name}/{version}'}\n"
        "      top:\n        environment: {set: {'{name}_ROOT': '{prefix}'}}\n"
        "    lmod: {hash_length: 0}\n",
        encoding="utf-8",
    )
    spack("install", "top", "py-tool")
    return spack


def test_modules_in_tcl(stack: Command, lmod: Callable[[Path, str], str]) -> None:
    done = stack("module", "tcl", "refresh", "-y").out
    assert "tcl module files written in" in done
    path = Path(stack("module", "tcl", "find", "--full-path", "top").out.strip())
    assert stack("module", "tcl", "find", "-r", "top").out == "base/1.0 top/1.0\n"
    prefix = stack.prefix("top")
    out = lmod(
        path.parents[1],
        "module load top py-tool\nbase\necho $TOP_HOME $TOP_ROOT $TOP_FLAGS\n"
        "tool\npython3 -c 'import tool; print(tool.X + 1)'\n"
        "module unload top\ncommand -v base || echo gone${TOP_HOME}\nmodule help top 2>&1",
    )
    assert out.splitlines()[:2] == ["base 1.0", f"{prefix} {prefix} -x y"], out
    assert "42 " in out and "43\n" in out
    assert "gone\n" in out
    assert "Version : 1.0" in out


def test_modules_of_lmod(stack: Command, lmod: Callable[[Path, str], str]) -> None:
    stack("module", "lmod", "refresh", "-y")
    path = Path(stack("module", "lmod", "find", "--full-path", "top").out.strip())
    assert path.name == "1.0.lua" and path.parents[1].name == "Core"
    loads = stack("module", "lmod", "loads", "-r", "-x", "base", "top").out
    assert "## module load base/1.0\n" in loads
    assert loads.endswith("\nmodule load top/1.0\n")
    names = stack("module", "lmod", "loads", "--input-only", "-p", "x/", "top").out
    assert names == "x/top/1.0\n"
    out = lmod(
        path.parents[1], "module load top\nbase\necho $TOP_HOME\nmodule purge\necho -$TOP_HOME-"
    )
    assert out.splitlines()[:2] == ["base 1.0", str(stack.prefix("top"))], out
    assert "--" in out


def test_modules_follow_installs_and_removals(spack: Command, recipes: RecipeRepository) -> None:
    recipes.plain("base")
    recipes.plain("top", "base")
    (spack.home.config / "modules.yaml").write_text(
        "modules:\n  default:\n    enable: [tcl]\n    roots: {tcl: ~/m}\n"
        "    tcl: {hash_length: 0, defaults: [base], hide_implicits: true}\n"
        "  other:\n    enable: [lmod]\n    roots: {lmod: ~/l}\n",
        encoding="utf-8",
    )
    spack("install", "top")
    home = Path(spack.home.path)
    base = home / spack("module", "tcl", "find", "--full-path", "base").out.strip()
    top = home / spack("module", "tcl", "find", "--full-path", "top").out.strip()
    assert base.is_file() and top.is_file()
    assert len(list((home / "l").rglob("*.lua"))) == 2
    assert (base.parent / "default").resolve() == base
    assert "module-hide --soft --hidden-loaded base/" in (base.parent / ".modulerc").read_text()
    assert not (top.parent / ".modulerc").exists()
    index = (home / "m" / "module-index.yaml").read_text(encoding="utf-8")
    assert f'path: "{top}"' in index

    spack("uninstall", "-y", "top")
    assert not top.parent.exists() and base.exists()
    spack("gc", "-y")
    assert not base.parent.exists()
    assert not list((home / "l").rglob("*.lua"))
    assert "module_index: {}" in (home / "m" / "module-index.yaml").read_text(encoding="utf-8")


def test_modules_of_an_environment_show_its_view(spack: Command, recipes: RecipeRepository) -> None:
    recipes.plain("base")
    directory = Path(spack.home.path) / "work"
    directory.mkdir()
    (directory / "spack.yaml").write_text(
        "spack:\n  specs: [base]\n  view: true\n  modules:\n    default:\n"
        "      enable: [tcl]\n      use_view: true\n      roots: {tcl: m}\n"
        "      tcl: {hash_length: 0}\n",
        encoding="utf-8",
    )
    spack("-e", directory, "install")
    path = spack("-e", directory, "module", "tcl", "find", "--full-path", "base").out.strip()
    text = Path(path).read_text(encoding="utf-8")
    assert path.startswith(str(directory / "m"))
    view = directory / ".spack-env" / "view"
    assert f"prepend-path {{PATH}} {{{view}/bin}}" in text
    done = spack("-e", directory, "env", "loads").out
    assert f"source {directory}/loads" in done
    lines = (directory / "loads").read_text(encoding="utf-8").splitlines()
    assert lines[1].startswith("module load base/1.0")


def test_what_modules_refuse(stack: Command) -> None:
    assert "top@1.0" in stack.fails("module", "tcl", "find", "top").err
    assert "has no tcl module" in stack.fails("module", "tcl", "find", "top").err
    assert "matches nothing" in stack.fails("module", "tcl", "find", "nothing").err
    assert "no set of modules named x" in stack.fails("module", "tcl", "-n", "x", "refresh").err
    assert "no tcl module file matches" in stack.fails("module", "tcl", "rm", "-y", "top").err
    assert "one is needed" in stack.fails("module", "tcl", "find").err
    assert "No package matches" in stack("module", "tcl", "refresh", "-y", "nothing").out
    config = "modules:default:tcl:projections:all:x"
    assert "for two packages" in stack.fails("-c", config, "module", "tcl", "refresh", "-y").err
    view = stack.fails("-c", "modules:default:use_view:true", "module", "tcl", "refresh", "-y")
    assert "needs an active environment with that view" in view.err
    stack("module", "tcl", "refresh", "-y")
    stack("module", "tcl", "setdefault", "top")
    assert "1 module file removed" in stack("module", "tcl", "rm", "-y", "top").out
    assert "nothing of" in stack.fails("-e", _empty(stack), "env", "loads", code=2).err


def _empty(spack: Command) -> Path:
    directory = Path(spack.home.path) / "empty"
    spack("env", "create", "-d", directory)
    return directory
