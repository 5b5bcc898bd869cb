"""``spack log-parse``: the lines of a log that matter."""

from __future__ import annotations

import argparse
import sys

from spack.actions.log_lines import important_lines
from spack.cli.render import message
from spack.errors import UsageError
from spack.session import Session

DESCRIPTION = """print the lines of a build's log that say what went wrong

examples:
  spack log-parse spack-build-out.txt
  make 2>&1 | spack log-parse -
"""

#: Usual number of lines.
_LINES = 24


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "-c", "--context", type=int, default=_LINES, metavar="N", help=f"at most N lines ({_LINES})"
    )
    parser.add_argument("-w", "--width", type=int, metavar="N", help="cut lines after N columns")
    parser.add_argument("file", help="a log, - for standard input")


def run(session: Session, args: argparse.Namespace) -> int | None:
    try:
        if args.file == "-":
            lines = sys.stdin.read().splitlines()
        else:
            path = session.cwd / args.file
            lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError as error:
        raise UsageError(
            f"cannot read {args.file}: {error.strerror}", hint="`spack logs --path` names logs"
        ) from error
    shown, advice = important_lines(lines, max(1, args.context))
    for line in shown:
        print(line[: args.width] if args.width else line)
    if advice:
        message(f"hint: {advice}")
    return None
