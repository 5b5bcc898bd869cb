"""``spack doctor``: what is wrong with this machine for building Python packages."""

from __future__ import annotations

import argparse
import os
import sys

from spack.actions.doctor import CHECKS, Machine, diagnose
from spack.cli.render import Colors, message, use_color
from spack.errors import UsageError
from spack.session import Session
from spack.util.text import count_of

DESCRIPTION = f"""check this machine: what builds of Python packages need, and what mends it

Nothing is changed but temporary files. Exit code 1 if something is wrong.

checks: {", ".join(CHECKS)}

examples:
  spack doctor
  spack doctor index clock        only these checks
"""

#: Level of a finding -> the style of its name.
_STYLES = {"ok": "good", "note": "warning", "wrong": "bad"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("-q", "--quiet", action="store_true", help="not what is well")
    parser.add_argument("check", nargs="*", metavar="CHECK", help="only these checks")


def run(session: Session, args: argparse.Namespace) -> int | None:
    unknown = [name for name in args.check if name not in CHECKS]
    if unknown:
        raise UsageError(
            f"there is no check {', '.join(unknown)}",
            hint=f"there are {', '.join(CHECKS)}",
            ref="doctor-check",
        )
    paint = Colors(use_color(sys.stdout, session.options.color)).paint
    wrong = 0
    for name, finding in diagnose(_machine(session), args.check):
        wrong += finding.level == "wrong"
        if args.quiet and finding.level == "ok":
            continue
        level = paint(f"{finding.level:<6}", _STYLES[finding.level])
        print(f"{level}{name:<13}{finding.text}")
        if finding.mend and finding.level != "ok":
            print(f"{'':<19}{paint('mend:', 'strong')} {finding.mend}")
    message(
        f"{count_of(wrong, 'problem')} found" if wrong else "nothing is wrong",
        color=session.options.color,
    )
    return 1 if wrong else None


def _machine(session: Session) -> Machine:
    config = session.settings.config
    return Machine(
        packages=session.packages,
        system=session.host.os,
        environ=session.environ,
        search_path=session.search_path,
        store=session.store.root,
        stages=tuple(config.build_stage),
        locks=config.locks,
        fetcher=session.fetcher(),
        run=session.run_program,
        user=os.getuid(),
    )
