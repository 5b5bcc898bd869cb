"""``spack unload``: undo ``spack load``."""

from __future__ import annotations

import argparse
import sys

from spack.actions.loading import VIEWS, run_view
from spack.cli.shell_option import add_shell_arguments, shell_of
from spack.errors import UsageError
from spack.session import Session
from spack.spec.parser import parse_many

DESCRIPTION = """take loaded packages out of this shell's environment

examples:
  spack unload py-black
  spack unload --all
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_shell_arguments(parser)
    parser.add_argument("-a", "--all", action="store_true", help="everything that is loaded")
    parser.add_argument("spec", nargs="*", help="loaded packages")


def run(session: Session, args: argparse.Namespace) -> None:
    from spack.environment.activation import delta_text, load_delta, load_state
    from spack.view.view_manifest import load_activation

    shell = shell_of(args, "unload")
    state = load_state(session.environ)
    kept = [] if args.all or not args.spec else list(state.hashes)
    specs = session.store.database.specs(kept)
    for query in parse_many(args.spec):
        unloaded = [digest for digest in kept if digest in specs and specs[digest].satisfies(query)]
        if not unloaded:
            raise UsageError(
                f"{query} is not loaded", hint="`spack load --list` shows what is", ref="not-loaded"
            )
        kept = [digest for digest in kept if digest not in unloaded]
    view = run_view(session.view_parts, kept, session.cache / VIEWS) if kept else ""
    activation = load_activation(view) if view else None
    delta = load_delta(session.environ, kept, view, activation)
    sys.stdout.write(delta_text(shell, delta, session.environ))
