"""``spack completion``: completion for shells."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from importlib import import_module

from spack.actions.repositories import missing
from spack.cli.main import ALIASES, COMMANDS, WITH_VALUE, global_parser, help_parser
from spack.config.keys import SECTIONS
from spack.errors import UsageError
from spack.session import Session
from spack.store import InstallRecord
from spack.util.shell import SHELLS

DESCRIPTION = """print the completion script of a shell

examples:
  eval "$(spack completion bash)"               in ~/.bashrc
  eval "$(spack completion zsh)"                in ~/.zshrc
  spack completion fish | source                in config.fish
"""

SCRIPTS = {name: text for shell in SHELLS.values() for name, text in shell.completion.items()}

#: Names of positional arguments that are packages or specs.
_PACKAGES = frozenset(
    (
        "constraint",
        "filter",
        "package",
        "package_or_file",
        "package_or_user",
        "packages",
        "spec",
        "specs",
    )
)

#: Commands whose packages are installed ones.
_OF_INSTALLED = frozenset(
    ("extensions", "find", "gc", "load", "logs", "mark", "module", "uninstall", "verify", "view")
)

#: Names of positional arguments that are sections of the configuration.
_SECTIONS = frozenset(("section",))


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("shell", choices=(*SCRIPTS, "words"), help="its name")
    parser.add_argument("words", nargs=argparse.REMAINDER, help=argparse.SUPPRESS)


def run(session: Session, args: argparse.Namespace) -> None:
    if args.shell != "words":
        print(SCRIPTS[args.shell], end="")
        return
    words = args.words[1:] if args.words[:1] == ["--"] else args.words
    print("\n".join(sorted(set(candidates(session, words)))))


def candidates(session: Session, words: list[str]) -> Iterable[str]:
    """Return the candidates for the last of *words*, the words after ``spack``."""
    *before, last = words or [""]
    if before and before[-1] in ("-e", "--env"):
        return _environments(session)
    command, rest = _command_of(before)
    if command is None:
        return _options(global_parser()) if last.startswith("-") else COMMANDS
    return _of_command(session, ALIASES.get(command, command), rest, last)


def _command_of(words: list[str]) -> tuple[str | None, list[str]]:
    """Return the command among *words*, and the words behind it; values of options are none."""
    index = 0
    while index < len(words):
        word = words[index]
        if word in COMMANDS or word in ALIASES:
            return word, words[index + 1 :]
        index += 2 if word in WITH_VALUE else 1
    return None, []


def _of_command(session: Session, command: str, before: list[str], last: str) -> Iterable[str]:
    if command == "help":
        return _options(help_parser()) if last.startswith("-") else COMMANDS
    parser = argparse.ArgumentParser(prog=command, add_help=True)
    import_module(f"spack.cli.commands.{command.replace('-', '_')}").add_arguments(parser)
    for word in before:
        parser = _verbs(parser).get(word, parser)
    for action in parser._actions:
        if before and before[-1] in action.option_strings and action.choices:
            return map(str, action.choices)
    if last.startswith("-"):
        return _options(parser)
    found = list(_verbs(parser))
    for action in parser._actions:
        if action.option_strings or isinstance(action, argparse._SubParsersAction):
            continue
        found += _values(session, command, action, last)
    return found


def _values(session: Session, command: str, action: argparse.Action, last: str) -> Iterable[str]:
    """Return what a positional argument may be, as far as that is known."""
    if action.choices:
        return map(str, action.choices)
    if action.dest in _PACKAGES and command == "unload":
        return _loaded(session, last)
    if action.dest in _PACKAGES and command in _OF_INSTALLED:
        return _names(session.store.database.records(), last)
    if action.dest in _PACKAGES:
        # Completion does not wait for a clone.
        if not missing(session.settings.repos, session.repository_access):
            return session.recipes.names()
    elif action.dest in _SECTIONS:
        return SECTIONS
    elif command == "env":
        return _environments(session)
    return ()


def _names(records: Iterable[InstallRecord], last: str) -> Iterable[str]:
    """Return the names of installed packages, or, where a hash is begun, the hashes."""
    if last.startswith("/"):
        return [f"/{record.hash}" for record in records]
    return [record.name for record in records]


def _loaded(session: Session, last: str) -> Iterable[str]:
    from spack.environment.activation import load_state

    found = map(session.store.database.record, load_state(session.environ).hashes)
    return _names([record for record in found if record is not None], last)


def _verbs(parser: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            return dict(action.choices)
    return {}


def _options(parser: argparse.ArgumentParser) -> list[str]:
    return [
        option
        for action in parser._actions
        if action.help is not argparse.SUPPRESS
        for option in action.option_strings
    ]


def _environments(session: Session) -> Iterable[str]:
    from spack.environment import list_environments

    try:
        return list_environments(session.base_settings.config.environments_root)
    except UsageError:
        return ()
