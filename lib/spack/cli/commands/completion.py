"""``spack completion``: completion for shells."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from importlib import import_module

from spack.actions.repositories import missing
from spack.cli.main import ALIASES, COMMANDS, global_parser
from spack.errors import UsageError
from spack.session import Session
from spack.util.shell import SHELLS

DESCRIPTION = """print the completion script of a shell

examples:
  eval "$(spack completion bash)"               in ~/.bashrc
  eval "$(spack completion zsh)"                in ~/.zshrc
  spack completion fish | source                in config.fish
"""

SCRIPTS = {name: text for shell in SHELLS.values() for name, text in shell.completion.items()}

#: Names of positional arguments that are packages or specs.
_PACKAGES = frozenset(("spec", "package"))


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
    commands = [word for word in before if word in COMMANDS or word in ALIASES]
    if not commands:
        if last.startswith("-"):
            return _options(global_parser())
        return COMMANDS
    return _of_command(session, ALIASES.get(commands[0], commands[0]), before, last)


def _of_command(session: Session, command: str, before: list[str], last: str) -> Iterable[str]:  # noqa: C901 - the kinds of arguments, in order
    parser = argparse.ArgumentParser(prog=command, add_help=True)
    import_module(f"spack.cli.commands.{command.replace('-', '_')}").add_arguments(parser)
    for word in before[before.index(command) + 1 :] if command in before else ():
        verbs = _verbs(parser)
        if word in verbs:
            parser = verbs[word]
    if last.startswith("-"):
        return _options(parser)
    found = list(_verbs(parser))
    for action in parser._actions:
        if action.option_strings or isinstance(action, argparse._SubParsersAction):
            continue
        if action.choices:
            found += map(str, action.choices)
        elif action.dest in _PACKAGES:
            # Completion does not wait for a clone.
            if not missing(session.settings.repos, session.repository_access):
                found += session.recipes.names()
        elif command == "env":
            found += _environments(session)
    if command == "help":
        found += COMMANDS
    return found


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
