"""The options of commands that write or open recipes of one repository."""

from __future__ import annotations

import argparse

from spack.errors import UsageError
from spack.repo import Repository
from spack.session import Session

__all__ = ["add_repository_options", "chosen_repository", "named_repository"]


def add_repository_options(parser: argparse.ArgumentParser) -> None:
    """Add ``--repo`` and ``--namespace``."""
    parser.add_argument("-r", "--repo", metavar="DIR", help="in the repository in this directory")
    parser.add_argument("-N", "--namespace", help="in the repository with this namespace")


def named_repository(session: Session, args: argparse.Namespace) -> Repository | None:
    """Return the repository that the options name, None without them.

    :raises UsageError: both are given, or no registered repository has that namespace.
    """
    if args.repo and args.namespace:
        raise UsageError("--repo and --namespace are one too many", hint="drop one")
    if args.repo:
        return Repository.open(session.cwd / args.repo)
    if not args.namespace:
        return None
    found = [x for x in session.recipes.repositories if x.namespace == args.namespace]
    if not found:
        known = ", ".join(x.namespace for x in session.recipes.repositories)
        raise UsageError(
            f"there is no repository {args.namespace}",
            hint=f"there are {known}",
            ref="repo-unknown",
        )
    return found[0]


def chosen_repository(session: Session, args: argparse.Namespace) -> Repository:
    """Return the repository that the options name, or the first that is registered."""
    return named_repository(session, args) or session.recipes.repositories[0]
