"""``spack upstream``: install trees whose packages are used and never changed."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable
from pathlib import Path

from spack.cli.render import message, table
from spack.cli.scope_option import add_scope_argument, edited_section, writable_scopes
from spack.errors import SpackError, UsageError
from spack.session import Session

DESCRIPTION = """use what is installed in another install tree, of Spack or of this tool

What an upstream has is not built: it is found, reused by `spack concretize`, a dependency of
builds, and shown in views. Nothing is written into it. The first upstream that has a package is
the one that it is taken from, after the own install tree. `spack find -I` marks what upstreams
have: [^].

examples:
  spack upstream add site /opt/site/spack/opt/spack    the install tree of a Spack
  spack upstream list                                  with the number of packages
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    verbs = parser.add_subparsers(dest="verb", metavar="add|remove|list")
    add = verbs.add_parser("add", help="configure an upstream; it is looked at last")
    add.add_argument("name", help="a name of your choice")
    add.add_argument("path", help="its install tree: the directory that has a .spack-db")
    add_scope_argument(add, "where to write it")
    remove = verbs.add_parser("remove", aliases=["rm"], help="forget an upstream; its files stay")
    remove.add_argument("name")
    add_scope_argument(remove, "only from there")
    verbs.add_parser("list", aliases=["ls"], help="list upstreams, in their order")


def run(session: Session, args: argparse.Namespace) -> int | None:
    verb = {"rm": "remove", "ls": "list"}.get(args.verb, args.verb)
    if verb is None:
        raise UsageError(
            "spack upstream: a subcommand is required", hint="see `spack upstream --help`"
        )
    return _VERBS[verb](session, args)


def _add(session: Session, args: argparse.Namespace) -> int | None:
    from spack.actions.upstream_entries import add_upstream, looked_at

    root = Path(os.path.abspath(session.cwd / Path(args.path).expanduser()))
    tree = looked_at(root, session.cache / "upstreams")
    with edited_section(session, "upstreams", args.scope) as file:
        add_upstream(file, args.name, root)
        message(f"added upstream {args.name} to {file.path}: {_content(tree.packages)}")
    return None


def _remove(session: Session, args: argparse.Namespace) -> int | None:
    scopes = [args.scope] if args.scope else list(writable_scopes(session))
    for scope in scopes:
        with edited_section(session, "upstreams", scope) as file:
            if file.remove(args.name):
                message(f"removed upstream {args.name} from the scope {scope}")
                return None
    raise UsageError(
        f"there is no upstream {args.name} in the scopes {', '.join(scopes)}",
        hint="`spack upstream list` shows all",
        ref="upstream-name",
    )


def _list(session: Session, args: argparse.Namespace) -> int | None:
    from spack.actions.upstream_entries import looked_at

    rows = []
    for name, root in session.settings.named_upstreams.items():
        try:
            tree = looked_at(root, session.cache / "upstreams")
            kind = "Spack" if tree.of_spack else "this tool"
            rows.append((name, str(root), f"of {kind}", _content(tree.packages)))
        except SpackError as error:
            rows.append((name, str(root), "unusable", error.message))
    if rows:
        print(table(rows, indent=0))
    else:
        message("no upstreams configured", sys.stdout)
    return None


def _content(count: int) -> str:
    return f"{count} package{'' if count == 1 else 's'}"


_VERBS: dict[str, Callable[[Session, argparse.Namespace], int | None]] = {
    "add": _add,
    "remove": _remove,
    "list": _list,
}
