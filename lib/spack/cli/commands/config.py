"""``spack config``: the configuration and where it comes from."""

from __future__ import annotations

import argparse
import os

from spack.cli.config_edits import VERBS, add_edit_verbs, need_section
from spack.cli.output import add_output_options, print_output, to_yaml
from spack.cli.render import table
from spack.cli.scope_option import scopes_of
from spack.config.keys import SECTIONS
from spack.config.scopes import ENVIRONMENT_SCOPE, Scope
from spack.config.settings import Settings, load_settings
from spack.errors import UsageError
from spack.host.platform import platform_name
from spack.session import Session

DESCRIPTION = """show the configuration that is in force, and change its files

What commands write is checked first; comments and order of a file stay. Without --scope it goes
into the active environment, or the user's files.

examples:
  spack config get config
  spack config blame packages            each value with the file and line it comes from
  spack config add config:build_jobs:8
  spack config add "packages:python:require:['@3.11:']" --scope site
  spack config remove config:build_jobs
  spack config edit packages
  spack config scopes --paths            where it is read from, highest precedence first
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--scope", metavar="SCOPE", help="the scope to read or change")
    verbs = parser.add_subparsers(
        dest="verb", metavar="get|blame|scopes|list|add|remove|change|edit"
    )
    for verb, text in (("get", "print a section"), ("blame", "print a section with its sources")):
        sub = verbs.add_parser(verb, help=text)
        _add_scope(sub)
        sub.add_argument("section", nargs="?", help="a section; all without one")
        if verb == "get":
            add_output_options(sub.add_mutually_exclusive_group())
    scopes = verbs.add_parser("scopes", help="print where configuration is read from")
    scopes.add_argument("-p", "--paths", action="store_true", help="with their directories")
    scopes.add_argument(
        "-t",
        "--type",
        nargs="+",
        choices=("all", *_TYPES),
        default=["all"],
        help="only scopes of these types",
    )
    scopes.add_argument("-v", "--verbose", action="store_true", help="with their types")
    scopes.add_argument("section", nargs="?", help="with the files of this section")
    verbs.add_parser("list", help="print the names of the sections")
    add_edit_verbs(verbs, _add_scope)


def _add_scope(parser: argparse.ArgumentParser) -> None:
    """Let ``--scope`` be written behind the subcommand too."""
    parser.add_argument("--scope", metavar="SCOPE", default=argparse.SUPPRESS, help="which scope")


def run(session: Session, args: argparse.Namespace) -> int | None:
    if args.verb in VERBS:
        return VERBS[args.verb](session, args)
    if args.verb == "list":
        print(" ".join(sorted(SECTIONS)))
    elif args.verb == "scopes":
        _scopes(session, args)
    elif args.verb in ("get", "blame"):
        _show(session, args)
    else:
        raise UsageError("spack config: a subcommand is required", hint="see `spack config --help`")
    return None


def _show(session: Session, args: argparse.Namespace) -> None:
    if args.section:
        need_section(args.section)
    settings = session.settings
    if args.scope:
        scopes = scopes_of(session, args.scope)
        settings = load_settings(scopes, session.variables, platform_name())
    sections = [args.section] if args.section else sorted(settings.sections)
    if args.verb == "blame":
        _blame(settings, sections)
        return
    data = {name: settings.data(name) for name in sections}
    if not print_output(args, lambda: data):
        written = {name: value for name, value in data.items() if value is not None}
        if written:
            print(to_yaml(written))


#: Types of scopes, as ``scopes --type`` names them.
_TYPES = ("env", "internal", "path")


def _type_of(scope: Scope) -> str:
    if scope.name == ENVIRONMENT_SCOPE:
        return "env"
    return "path" if scope.sections is None else "internal"


def _scopes(session: Session, args: argparse.Namespace) -> None:
    if args.section:
        need_section(args.section)
    rows = []
    for scope in reversed(session.scopes):
        kind = _type_of(scope)
        if not {"all", kind}.intersection(args.type):
            continue
        path = scope.path if kind != "internal" else ""
        if kind == "path":
            file = os.path.join(path, f"{args.section}.yaml")
            path = file if args.section and os.path.exists(file) else path.rstrip("/") + "/"
        rows.append((scope.name, kind, path))
    wanted = [0, *([1] if args.verbose else []), *([2] if args.paths or args.section else [])]
    if len(wanted) > 1:
        rows.insert(0, ("Scope", "Type", "Path"))
    if rows:
        print(table([tuple(row[i] for i in wanted) for row in rows], indent=0))


def _blame(settings: Settings, sections: list[str]) -> None:
    rows = [
        (str(origin), ":".join((name, *keys)), value)
        for name in sections
        for keys, value, origin in settings.blame(name)
    ]
    width = max((len(row[0]) for row in rows), default=0)
    for origin, keys, value in rows:
        print(f"{origin:<{width}}  {keys}: {to_yaml(value)}")
