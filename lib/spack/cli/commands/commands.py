"""``spack commands``: the commands, for programs."""

from __future__ import annotations

import argparse
from importlib import import_module

from spack.cli.main import ALIASES, COMMANDS
from spack.session import Session

DESCRIPTION = """list the commands, one a line

examples:
  spack commands
  spack commands --format subcommands
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("-a", "--aliases", action="store_true", help="and other names of them")
    parser.add_argument(
        "--format",
        choices=("names", "subcommands"),
        default="names",
        help="commands, or subcommands too (names)",
    )


def run(session: Session, args: argparse.Namespace) -> None:
    names = {name: name for name in COMMANDS}
    if args.aliases:
        names.update(ALIASES)
    lines = []
    for name, command in names.items():
        lines.append(name)
        if args.format == "subcommands" and command != "help":
            parser = argparse.ArgumentParser()
            import_module(f"spack.cli.commands.{command.replace('-', '_')}").add_arguments(parser)
            for action in parser._actions:
                if isinstance(action, argparse._SubParsersAction):
                    lines += [f"{name} {verb}" for verb in action.choices]
    print("\n".join(sorted(lines)))
