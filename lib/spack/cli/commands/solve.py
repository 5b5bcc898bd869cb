"""``spack solve``: concretize, and show how the solver got there."""

from __future__ import annotations

import argparse

from spack.cli.commands.spec import (
    add_concretizer_arguments,
    add_display_arguments,
    concretize_options,
    show,
)
from spack.cli.output import is_for_programs
from spack.errors import UsageError
from spack.session import Session
from spack.spec.parser import parse_many

DESCRIPTION = """concretize specs and show how the solver got there

Prints how many packages were looked at, what was minimised, and where the time went, then the
solution as `spack spec` does.

examples:
  spack solve py-black
  spack solve --show opt py-black     only what was minimised
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_display_arguments(parser)
    add_concretizer_arguments(parser)
    parser.add_argument(
        "--show",
        metavar="PARTS",
        default="all",
        help="of opt (what was minimised), solutions, all; separated by commas",
    )
    parser.add_argument("--stats", action="store_true", help="only how much was looked at")
    parser.add_argument("--timers", action="store_true", help="only where the time went")
    parser.add_argument("spec", nargs="+", help="specs")


def run(session: Session, args: argparse.Namespace) -> None:
    shown = set(args.show.split(","))
    unknown = shown - {"opt", "solutions", "all"}
    if unknown:
        raise UsageError(
            f"spack solve: cannot show {', '.join(sorted(unknown))}",
            hint="--show takes opt, solutions, all",
        )
    solution = session.concretize(parse_many(args.spec), concretize_options(args, again=True))
    if not is_for_programs(args):
        if shown & {"opt", "all"}:
            stats = solution.stats
            lines = {
                "stats": [
                    f"packages expanded:  {stats.expanded} of {stats.possible} possible",
                    f"rounds:             {stats.rounds}",
                    f"facts:              {stats.facts}",
                    f"optimal:            {'yes' if stats.optimal else 'no, time ran out'}",
                    *_named("several instances:", ", ".join(stats.duplicates)),
                ],
                "cost": [f"cost:               {cost:>6}  {text}" for text, cost in stats.cost],
                "timers": [
                    f"seconds:            {seconds:>6.3f}  {part}"
                    for part, seconds in stats.seconds.items()
                ],
            }
            asked = [name for name in ("stats", "timers") if getattr(args, name)]
            print("\n".join(line for name in asked or lines for line in lines[name]))
        print()
    if shown & {"solutions", "all"}:
        show(session, args, solution.roots)


def _named(title: str, text: str) -> list[str]:
    return [f"{title:<19} {text}"] if text else []
