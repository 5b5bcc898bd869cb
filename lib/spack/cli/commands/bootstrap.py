"""``spack bootstrap``: what spack itself needs."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from pathlib import Path
from typing import Callable

from spack import spack_version
from spack.bootstrap.own_dependencies import LOCK, fetch_wheels, locate
from spack.bootstrap.style_tools import TOOLS
from spack.cli.prompt import confirm
from spack.cli.render import message, table
from spack.cli.scope_option import (
    add_scope_argument,
    edited_section,
    scopes_of,
    section_path,
    writable_scopes,
)
from spack.config.settings import Settings, load_settings
from spack.errors import UsageError
from spack.host.platform import platform_name
from spack.session import Session
from spack.session.tool_environment import has_tools, provide_tools
from spack.spec.parser import parse_many

DESCRIPTION = """provide what spack itself needs

Its own dependencies come as wheels from the package index that pip's configuration names, each
verified by a sha256 that is in the repository; the style tools are built from their sdists.

examples:
  spack bootstrap now --dev              build the style tools now, not at the first `spack style`
  spack bootstrap status --dev           what is there
  spack bootstrap mirror --dev ./mirror  all of it, for a machine without a network
  spack bootstrap disable                take the style tools from PATH
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    verbs = parser.add_subparsers(
        dest="verb", metavar="now|status|enable|disable|reset|root|list|mirror"
    )
    for name, text in (
        ("now", "fetch and build now what is missing"),
        ("status", "show what is there; status 1 if something is missing"),
    ):
        verb = verbs.add_parser(name, help=text)
        verb.add_argument("--dev", action="store_true", help="the style tools, too")
        if name == "status":
            verb.add_argument("--optional", action="store_true", help="and what is seldom needed")
    for name, text in (
        ("enable", "let spack build the style tools"),
        ("disable", "take the style tools from PATH"),
    ):
        verb = verbs.add_parser(name, help=text)
        verb.add_argument("name", nargs="?", help="of a source; none can be switched")
        add_scope_argument(verb, "where to write it")
    reset = verbs.add_parser("reset", help="rename the configuration of bootstrap")
    reset.add_argument("-y", "--yes-to-all", action="store_true", help="do not ask")
    root = verbs.add_parser("root", help="show, or set, where the style tools are kept")
    root.add_argument("path", nargs="?", help="the directory from now on")
    add_scope_argument(root, "only what this scope says, or where to write it")
    add_scope_argument(verbs.add_parser("list", help="list the sources"), "only of this scope")
    mirror = verbs.add_parser("mirror", help="fill a directory for machines without a network")
    mirror.add_argument("--binary-packages", action="store_true", help="there are none beside")
    mirror.add_argument("--dev", action="store_true", help="the sources of the style tools, too")
    mirror.add_argument("root_dir", metavar="DIRECTORY", help="is made if it is missing")


def run(session: Session, args: argparse.Namespace) -> int | None:
    if args.verb is None:
        raise UsageError(
            "spack bootstrap: a subcommand is required", hint="see `spack bootstrap --help`"
        )
    return _VERBS[args.verb](session, args)


def _now(session: Session, args: argparse.Namespace) -> None:
    """Its own dependencies are there already: this runs with them."""
    if args.dev:
        message(f"the style tools are in {provide_tools(session)}")
    message("all that spack needs is there")


def _status(session: Session, args: argparse.Namespace) -> int:
    own = locate(str(session.locations.root), session.environ)
    rows = [("own dependencies", True, own or "those of the installation by pip")]
    if args.dev:
        tools = session.settings.bootstrap.root
        there = has_tools(session)
        rows.append(("style tools", there, str(tools) if there else "`spack bootstrap now --dev`"))
    if args.optional:
        git = shutil.which("git", path=os.pathsep.join(session.search_path))
        rows.append(("git", git is not None, git or "needed for sources and recipes from git"))
    message(f"spack {spack_version}, Python {sys.version.partition(' ')[0]}")
    print(table([(f"[{'x' if good else ' '}]", name, text) for name, good, text in rows], indent=2))
    return 0 if all(good for _, good, _ in rows) else 1


def _switch(session: Session, args: argparse.Namespace) -> None:
    if args.name is not None:
        raise UsageError(
            f"there is no source {args.name} to {args.verb}",
            hint="pip's configuration says where wheels come from, `spack mirror` where sources do",
            ref="bootstrap-source",
        )
    value = args.verb == "enable"
    if args.scope is None and session.settings.bootstrap.enable is value:
        message(f"bootstrapping is already {args.verb}d")
        return
    with edited_section(session, "bootstrap", args.scope) as file:
        file.changed(lambda: file.data.__setitem__(file.key("enable"), value))
        message(f"bootstrapping is {args.verb}d in {file.path}")


def _reset(session: Session, args: argparse.Namespace) -> int | None:
    files = []
    for scope in writable_scopes(session):
        path = section_path(session, "bootstrap", scope)
        if path.name == "bootstrap.yaml" and path.is_file():
            files.append(path)
    if not files:
        message("the configuration of bootstrap is the default one")
        return None
    print("\n".join(f"    {path}" for path in files))
    if not (args.yes_to_all or confirm("rename these files?", sys.stdin, sys.stdout)):
        message("nothing was changed")
        return 1
    for path in files:
        path.replace(path.with_name(path.name + ".bkp"))
        message(f"renamed {path} to {path.name}.bkp")
    return None


def _root(session: Session, args: argparse.Namespace) -> None:
    if args.path is not None:
        path = os.path.abspath(session.cwd / os.path.expanduser(args.path))
        with edited_section(session, "bootstrap", args.scope) as file:
            file.changed(lambda: file.data.__setitem__(file.key("root"), path))
        return
    print(_settings(session, args).bootstrap.root)


def _settings(session: Session, args: argparse.Namespace) -> Settings:
    if args.scope is None:
        return session.settings
    return load_settings(scopes_of(session, args.scope), session.variables, platform_name())


def _list(session: Session, args: argparse.Namespace) -> None:
    rows = [
        ("package index", "wheels", "own dependencies, verified by their sha256"),
        ("recipes", "sources", "the style tools, where no wheel of the index fits"),
    ]
    for source in _settings(session, args).bootstrap.sources:
        rows.append((str(source["name"]), "not used", str(source["metadata"])))
    print(table(rows, indent=0))


def _mirror(session: Session, args: argparse.Namespace) -> None:
    directory = Path(os.path.abspath(session.cwd / os.path.expanduser(args.root_dir)))
    root = session.locations.root
    if (root / LOCK).is_file():
        names = fetch_wheels(str(root), directory / "wheels", session.environ)
        message(f"{len(names)} wheels are in {directory / 'wheels'}")
    if args.dev:
        _mirror_sources(session, directory)
    message("on the other machine:")
    print(f"    export PIP_FIND_LINKS={directory / 'wheels'}")
    if args.dev:
        print(f"    spack mirror add bootstrap {directory}")


def _mirror_sources(session: Session, directory: Path) -> None:
    from spack.actions.concretizing import ConcretizeOptions
    from spack.actions.mirroring import fill, of_nodes

    specs = parse_many([f"py-{tool}" for tool in TOOLS])
    roots = session.concretize(specs, ConcretizeOptions()).roots
    nodes = [node for root in roots for node in root.traverse()]
    fetcher = session.fetcher(checksum=True)
    report = fill(of_nodes(nodes, session.recipes), fetcher, directory)
    for name, error in report.failed:
        message(f"could not fetch {name}: {error.message}", sys.stderr)
    message(f"{len(report.added) + len(report.present)} sources are in {directory}")


_VERBS: dict[str, Callable[[Session, argparse.Namespace], int | None]] = {
    "now": _now,
    "status": _status,
    "enable": _switch,
    "disable": _switch,
    "reset": _reset,
    "root": _root,
    "list": _list,
    "mirror": _mirror,
}
