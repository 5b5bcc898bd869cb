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
from spack.session import Session
from spack.spec.parser import parse_many

DESCRIPTION = """concretize specs and show how the solver got there

Prints how many packages were looked at, what was minimised, and where the time went, then the
solution as `spack spec` does.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_display_arguments(parser)
    add_concretizer_arguments(parser)
    parser.add_argument("spec", nargs="+", help="specs")


def run(session: Session, args: argparse.Namespace) -> None:
    solution = session.concretize(parse_many(args.spec), concretize_options(args))
    stats = solution.stats
    if not is_for_programs(args):
        print(f"packages expanded:  {stats.expanded} of {stats.possible} possible")
        print(f"rounds:             {stats.rounds}")
        print(f"facts:              {stats.facts}")
        print(f"optimal:            {'yes' if stats.optimal else 'no, time ran out'}")
        if stats.duplicates:
            print(f"several instances:  {', '.join(stats.duplicates)}")
        for criterion, cost in stats.cost:
            print(f"cost:               {cost:>6}  {criterion}")
        for part, seconds in stats.seconds.items():
            print(f"seconds:            {seconds:>6.3f}  {part}")
        print()
    show(session, args, solution.roots)
