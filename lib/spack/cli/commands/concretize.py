"""``spack concretize``: decide what an environment consists of."""

from __future__ import annotations

import argparse
import sys

from spack.actions.environments import concretize_environment
from spack.cli.commands.spec import (
    add_concretizer_arguments,
    add_machine_argument,
    concretize_options_for,
)
from spack.cli.render import Colors, message, use_color
from spack.cli.spec_text import TreeParts, tree
from spack.session import Session
from spack.util.text import count_of

DESCRIPTION = """concretize the active environment and write spack.lock

What was decided before stays unless spack.yaml or the configuration has changed, or --force is
given.

examples:
  spack -e work concretize
  spack -e work concretize --force
  spack -e work concretize --wheels only --for 'python@3.13 os=debian13 target=aarch64'
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("-q", "--quiet", action="store_true", help="do not show the result")
    parser.add_argument(
        "-j", "--jobs", type=int, metavar="N", help="accepted: the solver uses one process"
    )
    add_concretizer_arguments(parser)
    add_machine_argument(parser)
    parser.set_defaults(spec=[])


def run(session: Session, args: argparse.Namespace) -> None:
    environment = session.need_environment("concretize")
    with environment.lock():
        work = session.environment_work(environment)
        roots, new = concretize_environment(
            work, concretize_options_for(session, args, environment), follow=True
        )
    if not new:
        message(f"{environment.name} is up to date")
        return
    if not args.quiet:
        colors = Colors(use_color(sys.stdout, session.options.color))
        print(tree(roots, colors, TreeParts(hash_length=7)))
    message(f"concretized {count_of(len(roots), 'spec')} of {environment.name}")
