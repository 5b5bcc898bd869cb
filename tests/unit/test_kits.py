"""What tests rely on when a machine has little: programs that are missing, trees without git."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from kits.system_programs import PACKAGES, find_program, missing_program_of
from kits.version_control import own_files


def start_error(name: str) -> FileNotFoundError:
    """Return the error of starting a program that is not there."""
    with pytest.raises(FileNotFoundError) as caught:
        subprocess.run([name])
    return caught.value


def test_a_missing_program_is_told_from_other_errors(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(PACKAGES, "no-such-program", "nothing")
    assert missing_program_of(start_error("no-such-program")) == "no-such-program"
    assert missing_program_of(start_error("not-in-the-table")) is None
    assert missing_program_of(AssertionError("no-such-program")) is None
    assert missing_program_of(FileNotFoundError(2, "No such file or directory", "sh")) is None


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("  hint: let spack external find gmake search for more", "make"),
        ("  hint: let spack external find cmake search for more", "cmake"),
        ("signatures of binaries need the program ssh-keygen, which is not on PATH", "ssh-keygen"),
        ("$ git init\nsh: 1: git: not found\n[127]", "git"),
    ],
)
def test_what_the_tool_lacks(monkeypatch: pytest.MonkeyPatch, text: str, name: str) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    monkeypatch.setitem(PACKAGES, name, "nothing")
    there = find_program(name) is not None
    assert missing_program_of(AssertionError(text)) == (None if there else name)


def test_a_program_of_the_administrator_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    assert find_program("chroot") in ("/usr/sbin/chroot", "/sbin/chroot")


def test_the_files_of_a_tree_without_git(tmp_path: Path, git_program: str) -> None:
    ignored = ["opt/a", "lib/__pycache__/a.pyc", "lib/a.pyc", "share/environments/a/view/bin/a"]
    kept = ["lib/a.py", "lib/opt/a", "share/environments/a/spack.yaml", "share/view"]
    for name in (*ignored, *kept):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    lines = ["__pycache__/", "*.py[co]", "/opt/", "/share/environments/*/view", ""]
    (tmp_path / ".gitignore").write_text("\n".join(lines))
    (tmp_path / "share/link").symlink_to("view")
    expected = sorted([*kept, ".gitignore", "share/link"])
    assert own_files(tmp_path) == expected
    subprocess.run([git_program, "init", "-q", tmp_path], check=True)
    assert sorted(own_files(tmp_path)) == expected
