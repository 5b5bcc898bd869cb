"""``spack compiler``: find, list and forget compilers."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from typing import Callable

from spack.actions.compilers import (
    COMPILER_NAMES,
    CompilerRow,
    compiler_packages,
    compilers,
    matching,
    remove_compilers,
)
from spack.cli.event_text import without_headers
from spack.cli.render import message, warning
from spack.cli.scope_option import add_scope_argument, edited_section, scopes_of, writable_scopes
from spack.config.edit import SectionFile
from spack.config.externals import externals_data
from spack.config.settings import load_settings
from spack.config.values import add_data
from spack.errors import ConfigError, UsageError
from spack.host.detection import detect
from spack.host.platform import platform_name
from spack.session import Session
from spack.spec.parser import parse_many
from spack.util.text import count_of

DESCRIPTION = """find, list and forget compilers

Compilers are externals in packages.yaml. Without any, those on PATH are used as they are found;
`find` writes them down.

examples:
  spack compiler find
  spack compiler find /opt/gcc-14/bin
  spack compiler list
  spack compiler info gcc@14
  spack compiler remove gcc@12
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    verbs = parser.add_subparsers(dest="verb", metavar="find|add|list|info|remove")
    for verb in ("find", "add"):
        sub = verbs.add_parser(verb, help="look for compilers, and write them to packages.yaml")
        add_scope_argument(sub, "where to write them")
        sub.add_argument(
            "-j", "--jobs", type=int, metavar="N", help="accepted: programs are asked one by one"
        )
        sub.add_argument("add_paths", metavar="DIR", nargs="*", help="look here (PATH)")
    sub = verbs.add_parser("list", aliases=["ls"], help="list compilers")
    add_scope_argument(sub, "only those of this scope")
    sub = verbs.add_parser("info", help="show where a compiler is")
    add_scope_argument(sub, "only those of this scope")
    sub.add_argument("compiler_spec", metavar="SPEC", help="such as gcc@12")
    sub = verbs.add_parser("remove", aliases=["rm"], help="remove a compiler from packages.yaml")
    sub.add_argument("-a", "--all", action="store_true", help="all that match")
    add_scope_argument(sub, "only from there")
    sub.add_argument("compiler_spec", metavar="SPEC", help="such as gcc@12")


def run(session: Session, args: argparse.Namespace) -> int | None:
    if args.verb is None:
        raise UsageError(
            "spack compiler: a subcommand is required", hint="see `spack compiler --help`"
        )
    return _VERBS[args.verb](session, args)


def _rows(session: Session, scope: str | None) -> list[CompilerRow]:
    packages = session.packages
    if scope is not None:
        scopes = scopes_of(session, scope)
        packages = load_settings(scopes, session.variables, platform_name()).packages
    return compilers(packages, compiler_packages(session.recipes))


def _find(session: Session, args: argparse.Namespace) -> int | None:
    paths: Sequence[str] = session.search_path
    if args.add_paths:
        given = [os.path.abspath(session.cwd / path) for path in args.add_paths]
        paths = [x for path in given for x in (path, os.path.join(path, "bin"))]
    names = [name for name in COMPILER_NAMES if session.recipes.exists(name)]
    found = detect(
        names,
        paths,
        session.run_program,
        str(session.cache / "host"),
        unusable=lambda x: warning(without_headers(x.executable), session.options.color),
    )
    with edited_section(session, "packages", args.scope) as file:
        known = {row.entry.spec for row in _configured(file)}
        fresh = [item for item in found if item.spec_text not in known]
        if not fresh:
            message("found no new compilers")
            return None
        for item in fresh:
            add_data(file, externals_data([item]))
        message(f"added {count_of(len(fresh), 'new compiler')} to {file.path}")
    for item in fresh:
        print(f"    {item.spec_text}")
    message(f"compilers are defined in {file.path}")
    return None


def _configured(file: SectionFile) -> list[CompilerRow]:
    from spack.config.packages import ExternalEntry

    rows = []
    for name, row in file.data.items():
        for item in (row or {}).get("externals") or ():
            rows.append(CompilerRow(str(name), ExternalEntry(str(item["spec"]))))
    return rows


def _list(session: Session, args: argparse.Namespace) -> int | None:
    return list_compilers(_rows(session, args.scope))


def list_compilers(rows: Sequence[CompilerRow]) -> int | None:
    """Print compilers with their programs; 1 if there are none."""
    for row in rows:
        print(row.entry.spec)
        for language, path in row.paths.items():
            print(f"    {language:<8} {path}")
    if not rows:
        message("no compilers were found; install one, or see `spack compiler find --help`")
        return 1
    return None


def _info(session: Session, args: argparse.Namespace) -> int | None:
    (spec,) = parse_many(args.compiler_spec)
    for row in matching(_rows(session, args.scope), spec):
        print(f"{row.entry.spec}:")
        print(f"  prefix: {row.entry.prefix}")
        print("  compilers:")
        for language, path in row.paths.items():
            print(f"    {language}: {path}")
        if row.entry.modules:
            print(f"  modules: {', '.join(row.entry.modules)}")
        print(f"  configured: {row.entry.origin}")
    return None


def _remove(session: Session, args: argparse.Namespace) -> int | None:
    (spec,) = parse_many(args.compiler_spec)
    removed: list[str] = []
    for scope in [args.scope] if args.scope else writable_scopes(session):
        with edited_section(session, "packages", scope) as file:
            names = set(compiler_packages(session.recipes))
            rows = [row for row in _configured(file) if row.name in names]
            try:
                found = matching(rows, spec)
            except ConfigError:
                continue
            if len(found) > 1 and not args.all:
                raise UsageError(
                    f"{spec} matches several compilers: "
                    + ", ".join(row.entry.spec for row in found),
                    hint="name one more exactly, or remove them all with --all",
                    ref="ambiguous-spec",
                )
            for name in {row.name for row in found}:
                removed += remove_compilers(file, name, [row.entry.spec for row in found])
        if removed and not args.all:
            break
    if not removed:
        matching([], spec)
    for text in removed:
        message(f"removed {text}")
    return None


_VERBS: dict[str, Callable[[Session, argparse.Namespace], int | None]] = {
    "find": _find,
    "add": _find,
    "list": _list,
    "ls": _list,
    "info": _info,
    "remove": _remove,
    "rm": _remove,
}
