"""The subcommands of ``spack env`` that change where an environment is and how it is named."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spack.cli.prompt import confirm
from spack.cli.render import message, warning
from spack.errors import UsageError

if TYPE_CHECKING:
    from spack.session import Session

__all__ = ["VERBS", "add_verbs", "made_environment"]


def add_verbs(verbs: Any) -> None:
    """Add ``rename``, ``track`` and ``untrack`` to the subcommands."""
    rename = verbs.add_parser(
        "rename", aliases=["mv"], help="give an environment another name, or another directory"
    )
    rename.add_argument("-d", "--dir", action="store_true", help="FROM and TO are directories")
    rename.add_argument("-f", "--force", action="store_true", help="replace the environment TO")
    rename.add_argument("mv_from", metavar="FROM", help="its name or directory")
    rename.add_argument("mv_to", metavar="TO", help="its new name or directory")

    track = verbs.add_parser("track", help="give a name to an environment in a directory")
    track.add_argument("-n", "--name", help="the name; by default the directory's")
    track.add_argument("-y", "--yes-to-all", action="store_true", help="do not ask")
    track.add_argument("dir", metavar="DIR", help="the environment's directory")

    untrack = verbs.add_parser("untrack", help="take that name away; the directory stays")
    untrack.add_argument("-f", "--force", action="store_true", help="even if it is active")
    untrack.add_argument("-y", "--yes-to-all", action="store_true", help="do not ask")
    untrack.add_argument("env", metavar="ENV", nargs="+", help="names")


def _rename(session: Session, args: argparse.Namespace) -> int | None:
    from spack.actions.environment_directories import includers, move
    from spack.actions.environments import known_environments, remember
    from spack.environment import Environment
    from spack.environment.environment import need_name

    environment = session.find_environment(args.mv_from, directory_only=args.dir)
    if not (args.dir or environment.named):
        raise UsageError(
            f"{args.mv_from} is a directory, not the name of an environment",
            hint=f"spack env rename --dir {args.mv_from} {args.mv_to}",
            ref="environment-directory",
        )
    if args.dir:
        target = Path(os.path.abspath(session.cwd / args.mv_to))
    else:
        need_name(args.mv_to)
        target = session.base_settings.config.environments_root / args.mv_to
    root = session.base_settings.config.environments_root
    known = known_environments(root, session.environments_file)
    including = includers(environment, known, session.variables)
    move(environment, target, session.environment, force=args.force)
    if args.dir:
        remember(Environment(target), session.environments_file)
    message(f"renamed environment {args.mv_from} to {args.mv_to}")
    for other in including:
        warning(f"{other.path}/spack.yaml includes it by its old path {environment.path}")
    return None


def _track(session: Session, args: argparse.Namespace) -> int | None:
    from spack.actions.environment_directories import track

    path = Path(os.path.abspath(session.cwd / args.dir))
    name = args.name or path.name
    track(path, session.base_settings.config.environments_root, name)
    message(f"tracking the environment in {path}")
    print(f"    spack env activate {name}")
    return None


def _untrack(session: Session, args: argparse.Namespace) -> int | None:
    from spack.actions.environment_directories import untrack

    environments = [session.find_environment(name) for name in args.env]
    active = session.environment
    for environment in environments:
        if active is not None and active.path == environment.path and not args.force:
            raise UsageError(
                f"cannot untrack {environment.name}: it is the active environment",
                hint="`spack env deactivate`, or --force",
                ref="environment-active",
            )
    names = ", ".join(environment.name for environment in environments)
    if not (args.yes_to_all or args.force) and not confirm(
        f"untrack {names}?", sys.stdin, sys.stdout
    ):
        return 1
    for environment in environments:
        path = untrack(environment, session.environments_file)
        message(f"untracked environment {environment.name}, which is still in {path}")
    return None


def made_environment(session: Session, args: argparse.Namespace) -> str | None:
    """Return the directory of the environment that ``env activate`` makes; None if it makes none.

    :raises UsageError: ``--temp`` with what names an environment.
    """
    if not args.temp:
        return None
    if args.name or args.dir or args.with_view:
        raise UsageError(
            "spack env activate: --temp makes an environment without a name",
            hint="leave the name, --dir and --with-view out",
        )
    from spack.actions.environment_directories import temporary

    directory, _ = session.variables.expand("$tempdir")
    view = "false" if args.without_view else None
    environment = temporary(directory, view, session.environments_file)
    message(f"created and activated a temporary environment in {environment.path}", sys.stderr)
    return str(environment.path)


VERBS = {"rename": _rename, "track": _track, "untrack": _untrack}
