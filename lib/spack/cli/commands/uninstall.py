"""``spack uninstall``: remove installed packages."""

from __future__ import annotations

import argparse
import sys

from spack.actions import installed
from spack.actions.environments import regenerate_views
from spack.actions.respecifying import remove_roots
from spack.cli.prompt import confirm
from spack.cli.render import message, warning
from spack.environment import Environment
from spack.errors import ViewError
from spack.install.removal import needing, plan_removal, refuse_roots, refuse_upstream, remove
from spack.session import Session
from spack.session.module_parts import follow_removals
from spack.spec.parser import parse_many
from spack.util.text import count_of

REPORTS = True
DESCRIPTION = """remove installed packages

Refuses while something that stays, or an environment, needs them, and names it.

examples:
  spack uninstall py-black             asks first
  spack uninstall -y --all py-black    every installed py-black
  spack uninstall --dependents click   and all that needs it
  spack -e work uninstall --remove click
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("spec", nargs="+", help="what to remove; /HASH names one exactly")
    parser.add_argument("-a", "--all", action="store_true", help="all that match, not just one")
    parser.add_argument("-R", "--dependents", action="store_true", help="and what needs them")
    parser.add_argument("-f", "--force", action="store_true", help="even if something needs them")
    parser.add_argument(
        "--remove", action="store_true", help="and take them out of the active environment"
    )
    parser.add_argument("-y", "--yes-to-all", action="store_true", help="do not ask")


def run(session: Session, args: argparse.Namespace) -> int:
    store = session.store
    records = installed.several(store, parse_many(args.spec), all_matches=args.all)
    refuse_upstream(records)
    hashes = [record.hash for record in records]
    removal = plan_removal(
        *needing(store.own, hashes),
        hashes,
        dependents=args.dependents,
        force=args.force,
    )
    dropped = _dropped(session, args, hashes)
    if not args.force:
        refuse_roots(removal, _roots(session, dropped))
    message("these packages will be removed:")
    for record in removal.records:
        print(f"    {record.short}")
    if not (args.yes_to_all or confirm("remove them?", sys.stdin, sys.stdout)):
        message("nothing was removed")
        return 1
    if dropped and session.environment is not None:
        with session.environment.lock():
            remove_roots(session.environment, dropped, from_lock=True)
        message(f"removed from {session.environment.name}: {', '.join(dropped)}")
    removed = remove(store, removal, session.reporter)
    follow_removals(session, (record.hash for record in removed))
    if dropped and session.environment is not None:
        _update_views(session, session.environment)
    message(f"{count_of(len(removed), 'package')} removed")
    return 0


def _update_views(session: Session, environment: Environment) -> None:
    """Let the views of the environment show what is left of it."""
    with environment.lock():
        try:
            regenerate_views(session.environment_work(environment))
        except ViewError as error:
            warning(f"{error.message}: `spack install` updates the views")


def _dropped(session: Session, args: argparse.Namespace, hashes: list[str]) -> list[str]:
    """Return the roots of the active environment that ``--remove`` takes out of it."""
    if not args.remove:
        return []
    environment = session.need_environment("uninstall --remove")
    lock = environment.lockfile
    return [] if lock is None else [x.spec for x in lock.roots if x.hash in hashes]


def _roots(session: Session, dropped: list[str]) -> dict[str, tuple[str, ...]]:
    """Return the roots of all environments, without those that are taken out of the active one."""
    roots = dict(session.environment_roots())
    environment = session.environment
    if dropped and environment is not None and environment.lockfile is not None:
        label = environment.name if environment.named else str(environment.path)
        for root in environment.lockfile.roots:
            if root.spec in dropped:
                left = tuple(x for x in roots.get(root.hash, ()) if x != label)
                roots.pop(root.hash, None)
                if left:
                    roots[root.hash] = left
    return roots
