"""``spack test-env``: the environment that a package is tested in."""

from __future__ import annotations

import argparse

from spack.actions.concretizing import ConcretizeOptions
from spack.cli.commands.build_env import add_environment_options, show_environment
from spack.cli.commands.spec import add_concretizer_arguments, concretize_options
from spack.session import Session
from spack.spec.parser import parse_many

DESCRIPTION = """run a command in the environment of a package's tests, or print its variables

It is the build environment with the dependencies of type test, which must be installed:
`spack install --test=root --only dependencies SPEC`.

examples:
  spack test-env py-black
  spack test-env py-pyyaml -- bash
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_concretizer_arguments(parser)
    add_environment_options(parser)


def run(session: Session, args: argparse.Namespace) -> None:
    given = concretize_options(args)
    names = frozenset(spec.name for spec in parse_many(args.spec) if spec.name)
    options = ConcretizeOptions(given.reuse, given.deprecated, names, force=given.force)
    show_environment(session, args, options)
