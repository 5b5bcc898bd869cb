"""``spack load``: packages in the shell's environment."""

from __future__ import annotations

import argparse
import sys

from spack.actions import installed
from spack.actions.loading import VIEWS, run_view
from spack.cli.render import message
from spack.cli.shell_option import add_shell_arguments, shell_of
from spack.errors import ViewError
from spack.session import Session
from spack.spec.parser import parse_many
from spack.store import InstallRecord

DESCRIPTION = """add installed packages to this shell's environment

Their programs come onto PATH through a view of what they need, so Python packages find their
modules and no other Python does. Another version of a loaded package replaces it. `spack unload`
undoes it.

examples:
  spack load py-black                     (with share/setup-env.sh)
  eval "$(spack load --sh py-black)"
  spack load --list
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_shell_arguments(parser)
    parser.add_argument("--list", action="store_true", help="list what is loaded")
    parser.add_argument("--first", action="store_true", help="the first of several that match")
    parser.add_argument("spec", nargs="*", help="installed packages")


def run(session: Session, args: argparse.Namespace) -> None:
    from spack.environment.activation import delta_text, load_delta, load_state
    from spack.view.view_manifest import load_activation

    state = load_state(session.environ)
    database = session.store.database
    if args.list:
        for digest in state.hashes:
            record = database.record(digest)
            print(record.short if record else f"/{digest}  (not installed any more)")
        return
    shell = shell_of(args, "load")
    hashes = list(state.hashes)
    among = session.environment.hashes() if session.environment else None
    for spec in parse_many(args.spec):
        record = installed.one(session.store, spec, among=among, first=args.first)
        hashes = _with(session, hashes, record)
    try:
        view = run_view(session.view_parts, hashes, session.cache / VIEWS)
    except ViewError as error:
        if error.ref != "view-conflict":
            raise
        hint = "unload one of them: spack unload NAME; or load it in another shell"
        raise error.replaced(hint=hint) from error
    delta = load_delta(session.environ, hashes, view, load_activation(view))
    sys.stdout.write(delta_text(shell, delta, session.environ))


def _with(session: Session, hashes: list[str], record: InstallRecord) -> list[str]:
    """Return what is loaded once *record* is; of one package only the last version is."""
    if record.hash in hashes:
        return hashes
    kept = []
    for digest in hashes:
        loaded = session.store.database.record(digest)
        if loaded is not None and loaded.name == record.name:
            message(f"{loaded.short} is unloaded: {record.short} is loaded instead", sys.stderr)
        else:
            kept.append(digest)
    return [*kept, record.hash]
