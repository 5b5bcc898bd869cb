"""``spack develop``: build a package of the environment from a directory."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from spack.actions.developing import developed_spec, directory_of, make_fetcher_for, need_directory
from spack.actions.notices import DevelopedIsUnused, SourcesProvided
from spack.cli.render import message
from spack.environment import Environment
from spack.errors import UsageError
from spack.session import Session
from spack.spec import Spec
from spack.spec.parser import parse_many

REPORTS = True
DESCRIPTION = """build a package of the active environment from a local directory

The directory gets the sources unless it is there already. `spack install` then builds a copy of
it, and builds again when it has changed. With --editable (Python packages), what is installed
refers to the directory instead: changed modules count at once, in every view. Without specs, the
sources of everything that spack.yaml has below `develop:` are fetched where they are missing.

examples:
  spack -e work develop -p ~/src/foo py-foo@1.2
  spack -e work develop --editable -p . py-foo
  spack -e work develop py-foo           the recipe's sources, to py-foo in the environment
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("-p", "--path", default="", help="the directory with the sources")
    cloning = parser.add_mutually_exclusive_group()
    cloning.add_argument(
        "--clone",
        action="store_true",
        default=True,
        help="fetch the sources where there is no such directory (default)",
    )
    cloning.add_argument(
        "--no-clone", action="store_false", dest="clone", help="the directory must be there"
    )
    parser.add_argument(
        "-f", "--force", action="store_true", help="replace what is there by the sources"
    )
    parser.add_argument(
        "--editable", action="store_true", help="install what refers to the directory (PEP 660)"
    )
    parser.add_argument("spec", nargs="*", help="a package and the version to take it for")


def run(session: Session, args: argparse.Namespace) -> None:
    environment = session.need_environment("develop")
    given = parse_many(args.spec)
    if args.path and len(given) != 1:
        raise UsageError(
            "-p names the directory of one package",
            hint="give one spec, or leave -p out",
            ref="develop-path",
        )
    if args.force and not (args.clone and given):
        raise UsageError(
            "--force replaces directories; name the packages",
            hint="name them, and leave --no-clone out",
            ref="develop-force",
        )
    with environment.lock():
        if not given:
            for row in environment.develop_specs(session.variables):
                _provide(session, args, row.spec, Path(row.path))
        for spec in given:
            _develop(session, environment, args, spec)


def _develop(
    session: Session, environment: Environment, args: argparse.Namespace, spec: Spec
) -> None:
    if not spec.name:
        raise UsageError(
            f"'{spec}' names no package", hint="spack develop py-foo@1.0", ref="develop-spec"
        )
    recipe = session.need_recipe(spec.name)
    ready = developed_spec(spec, environment, recipe, args.editable)
    developed = environment.develop_specs(session.variables)
    location = directory_of(args.path, recipe.name, environment, session.cwd, developed)
    _provide(session, args, ready, location.path)
    environment.develop(ready, location.written)
    message(f"{ready} is built from {location.path}", color=session.options.color)
    named = {Spec.parse(row.text).name for row in environment.user_specs()}
    locked = {node.name for root in environment.roots() for node in root.traverse()}
    if recipe.name not in named | locked:
        session.reporter.report(DevelopedIsUnused(recipe.name, environment.name))


def _provide(session: Session, args: argparse.Namespace, spec: Spec, location: Path) -> None:
    """Let there be a directory, as the options say."""
    name = str(spec.name)
    if args.clone and (args.force or not os.path.lexists(location)):
        task = session.reporter.task(name, str(spec))
        make_fetcher_for(spec, location, session.build_options(), task)
        task.finish(SourcesProvided(location))
    need_directory(location, name, "name the directory with -p, or let --clone fetch the sources")
