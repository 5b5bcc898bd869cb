"""What shells offer when Tab is pressed, asked of the shells themselves."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from kits.command import Command
from kits.recipe_repository import RecipeRepository

#: Shell -> its command line, and a script that prints what it offers for the words in "$@".
SHELLS = {
    "bash": (
        ("bash", "--norc", "-c"),
        'eval "$(spack completion bash)"; COMP_WORDS=(spack "$@"); COMP_CWORD=$#; '
        '_spack_complete; printf "%s\\n" "${COMPREPLY[@]}"',
    ),
    # Outside of its line editor zsh has no compadd: this one prints what it would add.
    "zsh": (
        ("zsh", "-f", "-c"),
        "autoload -Uz compinit; compinit -u -D; "
        'eval "$(spack completion zsh)"; words=(spack "$@"); CURRENT=$#words; '
        "compadd() { print -l -- ${(M)${(P)2}:#${words[CURRENT]}*} }; $_comps[spack]",
    ),
    "fish": (
        ("fish", "--no-config", "-c"),
        'spack completion fish | source; complete -C "spack $argv" | string replace -r "\\t.*" ""',
    ),
}

OFFERED = [
    (["instal"], ["install"]),
    (["undev"], ["undevelop"]),
    (["install", "py-cli"], ["py-click"]),
    (["env", "act"], ["activate"]),
    (["undevelop", "--a"], ["--all"]),
    (["-e", "wo"], ["work"]),
    (["-e", "work", "dev"], ["dev-build", "develop"]),
    (["-e", "test", "undev"], ["undevelop"]),
    (["spec", "py-cli"], ["py-click"]),
    (["find", "py-cli"], []),
    (["uninstall", "bas"], ["base"]),
    (["load", "--first", "bas"], ["base"]),
    (["module", "tcl", "rm", "bas"], ["base"]),
    (["unload", "bas"], []),
    (["install", "--only", "dep"], ["dependencies"]),
    (["config", "get", "mirr"], ["mirrors"]),
    (["mirror", "cre"], ["create"]),
    (["env", "rename", "wo"], ["work"]),
    (["test", "res"], ["results"]),
    (["help", "undev"], ["undevelop"]),
    (["help", "--s"], ["--spec"]),
]


@pytest.mark.parametrize("shell", SHELLS)
def test_offers(spack: Command, recipes: RecipeRepository, shell: str) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is missing")
    spack("env", "create", "work")
    recipes.plain("base")
    spack("install", "base")
    command, script = SHELLS[shell]
    variables = spack.variables()
    variables["PATH"] = f"{spack.root / 'bin'}:{variables['PATH']}"
    for words, expected in OFFERED:
        name = "--" if shell == "fish" else shell
        done = subprocess.run(
            [*command, script, name, *words],
            env=variables,
            cwd=spack.home.path,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert (sorted(done.stdout.split()), done.stderr) == (expected, ""), words


def test_an_unknown_shell_is_refused(spack: Command) -> None:
    assert "invalid choice: 'tcsh'" in spack.fails("completion", "tcsh", code=2).err
