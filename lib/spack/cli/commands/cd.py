"""``spack cd``: change to a directory of spack; the functions of the shell do it."""

from __future__ import annotations

import argparse

from spack.cli.commands import location
from spack.errors import UsageError
from spack.session import Session

DESCRIPTION = """change to the directory that `spack location` prints; it takes the same options

This is done by the shell functions of share/setup-env.sh (or .csh, .fish).

examples:
  spack cd -i py-black
  spack cd --env work
"""

add_arguments = location.add_arguments


def run(session: Session, args: argparse.Namespace) -> None:
    raise UsageError(
        "`spack cd` changes the shell, which needs shell support",
        hint='`. share/setup-env.sh` (or .csh, .fish) first, or cd "$(spack location -i SPEC)"',
        ref="shell-support",
    )
