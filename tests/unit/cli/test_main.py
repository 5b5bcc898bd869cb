"""Finding the command, and what wrong words give."""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

from spack.cli import main as cli
from spack.cli.main import ALIASES, COMMANDS


def test_every_command_has_a_module_and_every_module_a_row() -> None:
    import spack.cli.commands as package

    folder = Path(package.__file__).parent
    modules = {path.stem.replace("_", "-") for path in folder.glob("[a-z]*.py")}
    assert modules == set(cli.COMMANDS) - {"help"}
    for name in modules:
        module = import_module(f"spack.cli.commands.{name.replace('-', '_')}")
        assert "examples:" in module.DESCRIPTION, name
        assert callable(module.run)


def test_every_alias_means_a_command() -> None:
    assert set(ALIASES.values()) <= set(COMMANDS)


#: A command as hints write it: in quotes of some kind.
COMMAND_IN_TEXT = re.compile(
    r"[`'\"](?:\$ )?spack (?:-\S+ \S+ )?([a-z][a-z-]+)(?: ([a-z][a-z-]*))?"
)

#: What follows "spack" in texts that are not a commands.
NO_COMMANDS = frozenset(("and", "session"))


def test_hints_name_commands_that_exist(root: Path) -> None:
    unknown = []
    for file in sorted((root / "lib" / "spack").rglob("*.py")):
        for match in COMMAND_IN_TEXT.finditer(file.read_text(encoding="utf-8")):
            command, verb = match.groups()
            if command not in COMMANDS and command not in NO_COMMANDS:
                unknown.append(f"{file.name}: spack {command}")
            elif command in ("config", "external", "repo") and verb:
                known = _verbs(command)
                if verb not in known:
                    unknown.append(f"{file.name}: spack {command} {verb}")
    assert unknown == []


def _verbs(command: str) -> frozenset:
    parser = argparse.ArgumentParser()
    import_module(f"spack.cli.commands.{command}").add_arguments(parser)
    groups = [x for x in parser._actions if isinstance(x, argparse._SubParsersAction)]
    return frozenset(verb for group in groups for verb in group.choices)


def test_the_overview_lists_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["help"]) == 0
    text = capsys.readouterr().out
    for name, (group, help_text) in cli.COMMANDS.items():
        assert f"  {name}" in text
        assert group in text
        assert help_text in text


def test_no_command_shows_the_overview_and_fails(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main([]) == 2
    assert "usage: spack" in capsys.readouterr().out


def test_a_mistyped_command_gets_suggestions(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["instal"]) == 2
    text = capsys.readouterr().err
    assert "unknown command: instal" in text
    assert "install" in text.split("hint:")[1]


def test_a_wrong_option_names_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["find", "--nonsense"]) == 2
    text = capsys.readouterr().err
    assert "--nonsense" in text
    assert "spack find --help" in text


def test_a_wrong_global_option_fails(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["--nonsense", "find"]) == 2
    assert "--nonsense" in capsys.readouterr().err


def test_the_version(capsys: pytest.CaptureFixture[str]) -> None:
    from spack import __version__

    assert cli.main(["--version"]) == 0
    assert capsys.readouterr().out == __version__ + "\n"


@pytest.mark.parametrize("name", sorted(set(cli.COMMANDS) - {"help"}))
def test_help_of_each_command(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        cli.main(["help", name])
    assert end.value.code == 0
    assert f"usage: spack {name}" in capsys.readouterr().out


FINALIZER = """
import os, signal, sys, time
sys.path.insert(0, sys.argv[1])
from spack.cli import main
main._handle_signals()

class Freed:
    def __del__(self):
        os.kill(os.getpid(), getattr(signal, sys.argv[2]))
        time.sleep(0)

try:
    freed = Freed()
    del freed
    time.sleep(20)
except KeyboardInterrupt as ended:
    print(type(ended).__name__)
"""


@pytest.mark.parametrize(
    ("name", "kind"), [("SIGTERM", "Terminated"), ("SIGINT", "KeyboardInterrupt")]
)
def test_a_signal_during_a_finalizer_is_not_lost(root: Path, name: str, kind: str) -> None:
    """The solver's memory is freed in one, which can take a second."""
    words = [sys.executable, "-c", FINALIZER, str(root / "lib"), name]
    result = subprocess.run(words, capture_output=True, text=True, timeout=15)
    assert (result.stdout, result.stderr) == (f"{kind}\n", "")
