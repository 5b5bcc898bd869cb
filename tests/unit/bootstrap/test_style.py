"""How the style tools are called, and on which files."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from spack.actions.style_check import changed_files, project_root
from spack.bootstrap.style_tools import TOOLS, arguments, prepare_environment
from spack.errors import UsageError
from spack.util.helper_process import run

FILES = [Path("/p/a.py"), Path("/p/packages/x/package.py")]


def test_recipes_are_called_apart_with_their_own_arguments(tmp_path: Path) -> None:
    runs = arguments("flake8", FILES, tmp_path, fix=False)
    assert [words[-1] for words in runs] == ["/p/a.py", "/p/packages/x/package.py"]
    assert not any("F403" in word for word in runs[0])
    assert any("F403" in word for word in runs[1])


def test_mypy_leaves_recipes_out(tmp_path: Path) -> None:
    assert arguments("mypy", FILES[1:], tmp_path, fix=False) == []


@pytest.mark.parametrize("tool", sorted(TOOLS))
def test_a_project_that_configures_a_tool_gets_no_defaults(tool: str, tmp_path: Path) -> None:
    defaults = TOOLS[tool].defaults
    assert set(defaults) <= set(arguments(tool, FILES[:1], tmp_path, fix=False)[0])
    name, text = TOOLS[tool].configured[-1]
    (tmp_path / name).write_text(f"{text}]\n")
    assert not set(defaults) & set(arguments(tool, FILES[:1], tmp_path, fix=False)[0])


def test_mending_replaces_looking_where_a_tool_can(tmp_path: Path) -> None:
    assert "--check" not in arguments("black", FILES[:1], tmp_path, fix=True)[0]
    assert arguments("mypy", FILES[:1], tmp_path, fix=True) == arguments(
        "mypy", FILES[:1], tmp_path, fix=False
    )


def test_the_environment_follows_its_description(root: Path, tmp_path: Path) -> None:
    location = prepare_environment(root / "share", tmp_path)
    manifest = location / "spack.yaml"
    wanted = manifest.read_text()
    assert "py-black" in wanted
    manifest.write_text("spack:\n  specs: []\n")
    assert prepare_environment(root / "share", tmp_path) == location
    assert manifest.read_text() == wanted


@pytest.fixture()
def checkout(tmp_path: Path, git_program: str) -> Path:
    git = [git_program, "-C", str(tmp_path), "-c", "user.name=x", "-c", "user.email=x@x"]
    (tmp_path / "same.py").write_text("a = 1\n")
    (tmp_path / "other.py").write_text("a = 1\n")
    subprocess.run([*git, "init", "-q", "."], check=True)
    subprocess.run([*git, "add", "."], check=True)
    subprocess.run([*git, "commit", "-q", "-m", "x"], check=True)
    (tmp_path / "other.py").write_text("a = 2\n")
    (tmp_path / "new.py").write_text("a = 3\n")
    (tmp_path / "new.txt").write_text("no Python\n")
    return tmp_path


def test_changed_files(checkout: Path) -> None:
    root = project_root(checkout, run)
    assert root is not None
    names = [path.name for path in changed_files(root, "HEAD", False, run)]
    assert names == ["new.py", "other.py"]
    names = [path.name for path in changed_files(root, "HEAD", True, run)]
    assert names == ["new.py", "other.py", "same.py"]


def test_without_a_commit_all_files_are_new(tmp_path: Path, git_program: str) -> None:
    run([git_program, "-C", str(tmp_path), "init", "-q"])
    for name in ("added.py", "untracked.py"):
        (tmp_path / name).write_text("x = 1\n")
    run([git_program, "-C", str(tmp_path), "add", "added.py"])
    names = [path.name for path in changed_files(tmp_path, "HEAD", False, run)]
    assert names == ["added.py", "untracked.py"]


def test_an_unknown_base_is_an_error(checkout: Path) -> None:
    with pytest.raises(UsageError, match="nonsense") as error:
        changed_files(checkout, "nonsense", False, run)
    assert "--base" in str(error.value.hint)
