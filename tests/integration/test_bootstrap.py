"""The style tools: built once, and again by themselves when they do not work any more."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from kits.command import Command, Home, Result, Style
from kits.recipe_repository import RecipeRepository


@pytest.fixture(scope="module")
def tools(style: Style) -> Command:
    """Return the command of a clone that has built the style tools, and their wheels."""
    spack = style.spack
    (spack.home.path / "clean.py").write_text("X = 1\n")
    check(spack)
    return spack


def check(spack: Command) -> Result:
    """Check a file that is as it should be."""
    result = spack("style", spack.home.path / "clean.py", environ={"PIP_INDEX_URL": "file:///none"})
    assert [line for line in result.err.splitlines() + result.lines if line.endswith(": ok")] == [
        "==> isort: ok",
        "==> black: ok",
        "==> flake8: ok",
        "==> mypy: ok",
    ]
    return result


def location(spack: Command) -> Path:
    return Path(spack("bootstrap", "root").out.strip()) / "style_tools"


def malformed_lock(environment: Path) -> None:
    (environment / "spack.lock").write_text("{not json")


def removed_interpreter(environment: Path) -> None:
    python = environment / "view" / "bin" / "python3"
    python.unlink()
    python.symlink_to("/nonexistent/python3.11")


def interpreter_of_another_version(environment: Path) -> None:
    lock = environment / "spack.lock"
    lock.write_text(lock.read_text().replace("/usr/bin/python3", "/nonexistent/bin/python3"))
    removed_interpreter(environment)


def missing_module(environment: Path) -> None:
    """In the install tree, so a new view does not mend it."""
    store = environment.parent / "store"
    module = next(store.glob("*/py-black-*/lib*/python*/site-packages/black"))
    module.parent.chmod(0o755)
    for path in (module, *(x for x in module.rglob("*") if x.is_dir())):
        path.chmod(0o755)
    shutil.rmtree(module)
    shutil.rmtree(environment / "view")


def directory_instead_of_the_view(environment: Path) -> None:
    shutil.rmtree(environment / "view")
    (environment / "view").mkdir()
    (environment / "view" / "file").write_text("x")


def older_layout(environment: Path) -> None:
    shutil.rmtree(environment / ".spack-env")
    (environment / ".spack-env").write_text("a file")


def damaged_database(environment: Path) -> None:
    (environment.parent / "store" / ".spack-db" / "index.sqlite").write_bytes(b"x" * 5000)


@pytest.mark.parametrize(
    "damage",
    [
        malformed_lock,
        removed_interpreter,
        interpreter_of_another_version,
        missing_module,
        directory_instead_of_the_view,
        older_layout,
        damaged_database,
    ],
)
def test_the_tools_are_built_again(tools: Command, damage: Callable[[Path], None]) -> None:
    """Without the network: the sources, and most wheels, are in the cache."""
    damage(location(tools))
    made_again = "the style tools are" in check(tools).text
    assert made_again or damage is removed_interpreter, "a new view mends that"
    assert "the style tools are" not in check(tools).text


def test_two_at_once(tools: Command) -> None:
    malformed_lock(location(tools))
    words = ("style", tools.home.path / "clean.py")
    with tools.start(*words) as first, tools.start(*words) as second:
        codes = [first.wait(600), second.wait(600)]
    assert codes == [0, 0]


def test_the_install_tree_of_the_tools_is_not_the_users(
    spack: Command, recipes: RecipeRepository
) -> None:
    assert location(spack).is_relative_to(spack.home.config)
    assert not location(spack).is_relative_to(spack.home.store)


def test_a_tool_that_crashes_has_found_nothing(
    spack: Command, recipes: RecipeRepository, tmp_path: Path, clone: Path
) -> None:
    programs = tmp_path / "programs"
    programs.mkdir()
    file = spack.home.path / "x.py"
    file.write_text("X = 1\n")
    path = f"{programs}:/usr/bin:/bin"
    one = Command(clone, {**spack.environ, "PATH": path}, spack.cwd, Home(spack.home.path))
    one("bootstrap", "disable")
    result = one.fails("style", "-t", "black", file, code=2)
    assert "not on PATH: black" in result.err and "spack bootstrap enable" in result.err
    for name, text in (
        ("black", f"#!{sys.executable}\nimport nothing_of_this_name\n"),
        ("isort", "#!/nonexistent/python\n"),
        ("flake8", "#!/bin/sh\nkill -SEGV $$\n"),
        ("mypy", "#!/bin/sh\necho 'x.py:1: error: found'; exit 1\n"),
    ):
        (programs / name).write_text(text)
        (programs / name).chmod(0o755)
    for name in ("black", "isort", "flake8"):
        result = one.fails("style", "-t", name, file)
        assert f"cannot check the style: {name} crashed" in result.err
        assert "has found something" not in result.text
    result = one("style", "-t", "mypy", file, check=False)
    assert result.code == 1 and "mypy: has found something" in result.text


def test_switching_and_moving(spack: Command, tmp_path: Path) -> None:
    assert "already enabled" in spack("bootstrap", "enable").text
    assert "disabled in" in spack("bootstrap", "disable").text
    assert "enable: false" in spack("config", "get", "bootstrap").out
    spack("bootstrap", "root", tmp_path / "elsewhere")
    assert spack("bootstrap", "root").out == f"{tmp_path}/elsewhere\n"
    assert "renamed" in spack("bootstrap", "reset", "-y").text
    assert spack("bootstrap", "root").out == f"{spack.home.config}/bootstrap\n"
    assert "default" in spack("bootstrap", "reset", "-y").text
    assert (
        "there is no source github to disable"
        in spack.fails("bootstrap", "disable", "github", code=2).err
    )
    assert "package index" in spack("bootstrap", "list").out
    assert "a subcommand is required" in spack.fails("bootstrap", code=2).err


def test_status_and_now(tools: Command, spack: Command) -> None:
    result = spack("bootstrap", "status", "--dev", check=False)
    assert result.code == 1 and "[ ]  style tools" in result.out
    optional = spack("bootstrap", "status", "--optional", check=False)
    assert "[x]  own dependencies" in optional.out
    assert optional.code == int("[ ]" in optional.out)
    assert "all that spack needs is there" in spack("bootstrap", "now").text
    assert "style tools are in" in tools("bootstrap", "now", "--dev").text
    assert "[x]  style tools" in tools("bootstrap", "status", "--dev").out


def test_a_mirror_serves_a_machine_without_a_network(
    spack: Command, copy_tree: Callable[[Path], Path], tmp_path: Path
) -> None:
    spack("bootstrap", "mirror", "--dev", tmp_path / "mirror")
    assert list((tmp_path / "mirror" / "wheels").glob("clingo-*.whl"))
    clone, home = copy_tree(tmp_path / "clone"), tmp_path / "offline"
    home.mkdir()
    environ = {
        "HOME": str(home),
        "PATH": "/usr/bin:/bin",
        "PIP_NO_INDEX": "1",
        "PIP_FIND_LINKS": str(tmp_path / "mirror" / "wheels"),
        "PIP_CONFIG_FILE": "/dev/null",
    }
    offline = Command(clone, environ, home, Home(home))
    offline("bootstrap", "now")
    offline("mirror", "add", "bootstrap", tmp_path / "mirror")
    offline("fetch", "py-black")


def test_an_environment_whose_interpreter_was_removed(
    spack: Command,
    recipes: RecipeRepository,
    copied_python: Callable[[Path], Path],
    tmp_path: Path,
) -> None:
    recipes.tool()
    copied_python(tmp_path / "python")
    version = ".".join(map(str, sys.version_info[:3]))
    packages = spack.home.config / "packages.yaml"
    packages.write_text(
        "packages:\n  python:\n    externals:\n"
        f"    - {{spec: python@{version}, prefix: {tmp_path}/python}}\n"
    )
    spack("env", "create", "--dir", tmp_path / "work")
    spack("-e", tmp_path / "work", "add", "py-tool")
    spack("-e", tmp_path / "work", "install")
    shutil.rmtree(tmp_path / "python")
    packages.unlink()
    result = spack("-e", tmp_path / "work", "install")
    assert "is missing; the environment is concretized again" in result.text
    view = tmp_path / "work" / ".spack-env" / "view"
    subprocess.run([view / "bin" / "python3", "-c", "import tool"], check=True)
    assert "missing" not in spack("-e", tmp_path / "work", "install").text


def test_cleaning_removes_the_tools(tools: Command) -> None:
    tools("clean", "--bootstrap")
    assert not location(tools).exists()
    check(tools)
