"""The options by which a command prints text for a shell."""

from __future__ import annotations

import argparse

from spack.errors import UsageError
from spack.util.shell import SHELLS

__all__ = ["add_shell_arguments", "shell_of"]


def add_shell_arguments(parser: argparse.ArgumentParser, *, files: bool = False) -> None:
    """``--sh`` and its like.

    :param files: also for shells that cannot evaluate text, and read a file instead.
    """
    group = parser.add_mutually_exclusive_group()
    for shell in [row.name for row in SHELLS.values() if row.evaluates or files]:
        group.add_argument(
            f"--{shell}",
            action="store_const",
            const=shell,
            dest="shell",
            help=f"print statements for {shell}, to be evaluated",
        )


def shell_of(args: argparse.Namespace, command: str) -> str:
    """Return the requested shell.

    :raises UsageError: none was: a program cannot change the shell that started it.
    """
    if args.shell:
        return str(args.shell)
    raise UsageError(
        f"`spack {command}` changes the shell, which needs shell support",
        hint="`. share/setup-env.sh` (or .csh, .fish) first, "
        f'or eval "$(spack {command} --sh ...)"',
        ref="shell-support",
    )
