"""Quoting is proved by the shells themselves: what comes out is what went in."""

from __future__ import annotations

import shutil
import subprocess
import tempfile

import pytest

from spack.errors import UsageError
from spack.util import shell

NASTY = [
    "",
    "plain",
    "a b",
    "it's",
    'say "hi"',
    "$HOME `id` $(id)",
    "back\\slash",
    "bang!bang",
    "semi;colon & more | <x>",
    "üñí ☃",
    "tilde~ *?[a] {b} #c",
    "\\'",
]
SHELLS = {
    "sh": ["bash", "dash", "zsh", "sh"],
    "csh": ["tcsh"],
    "fish": ["fish"],
    "pwsh": ["pwsh"],
}
#: PowerShell is not a package of the systems that CI runs on: it is tried where another process
#: has it.
CASES = [
    (family, name)
    for family, names in SHELLS.items()
    for name in names
    if name != "pwsh" or shutil.which(name)
]


def run(name: str, script: str) -> str:
    if shutil.which(name) is None:
        pytest.skip(f"the shell {name} is not installed")
    flags: list[str] = ["-f"] if name in ("tcsh", "zsh") else []
    with tempfile.TemporaryDirectory() as home:  # fish complains without one
        done = subprocess.run(
            [name, *flags, "-c", script],
            capture_output=True,
            text=True,
            check=True,
            env={"PATH": "/usr/bin:/bin", "HOME": home, "LC_ALL": "C.UTF-8", "OLD": "x"},
        )
    assert done.stderr == ""
    return done.stdout


@pytest.mark.parametrize(("family", "name"), CASES)
@pytest.mark.parametrize("text", NASTY)
def test_a_set_value_arrives_in_a_child(family: str, name: str, text: str) -> None:
    script = shell.set_statement(family, "NEW", text) + "printenv NEW"
    assert run(name, script) == text + "\n"


@pytest.mark.parametrize(("family", "name"), [case for case in CASES if case[0] != "csh"])
def test_newlines_survive(family: str, name: str) -> None:
    script = shell.set_statement(family, "NEW", "one\ntwo") + "printenv NEW"
    assert run(name, script) == "one\ntwo\n"


@pytest.mark.parametrize(("family", "name"), CASES)
def test_unset(family: str, name: str) -> None:
    guard = "set -eu; " if family == "sh" else ""
    script = guard + shell.unset_statement(family, "OLD") + shell.unset_statement(family, "OLD")
    assert "OLD=" not in run(name, script + "env")


def test_the_words_of_each_dialect() -> None:
    assert shell.set_statement("bash", "A", "b c") == "export A='b c';\n"
    assert shell.set_statement("tcsh", "A", "b!") == "setenv A 'b\\!';\n"
    assert shell.set_statement("fish", "A", "b") == "set -gx A b;\n"
    assert shell.set_statement("pwsh", "A", "it's") == "$Env:A = 'it''s';\n"
    assert shell.unset_statement("ps1", "A").endswith("Env:A;\n")


def test_unknown_shell_and_bad_name() -> None:
    with pytest.raises(UsageError) as caught:
        shell.quote("cmd.com", "x")
    assert "sh" in str(caught.value.hint)
    with pytest.raises(UsageError):
        shell.set_statement("sh", "A.B", "x")
    with pytest.raises(UsageError):
        shell.unset_statement("sh", "A;rm")
