"""``spack module``: module files for Environment Modules and Lmod."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import Callable

from spack.actions import installed
from spack.actions.module_files import ModuleFiles
from spack.cli.module_loads import add_loads_arguments, print_loads, with_dependencies
from spack.cli.prompt import confirm
from spack.cli.render import message, warning
from spack.config.module_settings import MODULE_KINDS
from spack.errors import SpackError, UsageError
from spack.session import Session
from spack.session.module_parts import module_files
from spack.spec import ConcreteSpec
from spack.spec.parser import parse_many
from spack.util.text import count_of

REPORTS = True
DESCRIPTION = """write, find and remove module files of installed packages

`modules.yaml` says where they are, what they are called and what they do; with
`modules:default:enable: [tcl]` every install writes them.

examples:
  spack module tcl refresh -y          write those of all installed packages
  spack module tcl loads -r py-black   `module load` for it and what it needs
  spack module lmod find --full-path zlib
  module use $(spack location -r)/share/spack/modules/linux-debian12-zen3
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    kinds = parser.add_subparsers(dest="kind", metavar="tcl|lmod", required=True)
    for kind in MODULE_KINDS:
        text = "hierarchical modules of Lmod" if kind == "lmod" else "modules in Tcl"
        _add_verbs(kinds.add_parser(kind, help=text))


def _add_verbs(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "-n", "--name", metavar="SET", default="default", help="the set of modules (default)"
    )
    verbs = parser.add_subparsers(dest="verb", metavar="SUBCOMMAND", required=True)
    refresh = verbs.add_parser("refresh", help="write module files")
    refresh.add_argument("--delete-tree", action="store_true", help="remove all of them before")
    refresh.add_argument(
        "--upstream-modules", action="store_true", help="those of upstreams' packages too"
    )
    _add_answer(refresh)
    find = verbs.add_parser("find", help="print the name of a module")
    find.add_argument("--full-path", action="store_true", help="print the path of its file")
    find.add_argument("-r", "--dependencies", action="store_true", help="what it needs, too")
    remove = verbs.add_parser("rm", help="remove module files")
    _add_answer(remove)
    loads = verbs.add_parser("loads", help="print commands that load modules")
    add_loads_arguments(loads)
    default = verbs.add_parser("setdefault", help="make a module the default of its name")
    for verb in (refresh, find, remove, loads, default):
        verb.add_argument("constraint", nargs="*", metavar="SPEC", help="installed packages")


def _add_answer(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("-y", "--yes-to-all", action="store_true", help="do not ask")


def run(session: Session, args: argparse.Namespace) -> int:
    files = module_files(session, args.kind, args.name)
    records = installed.find(session.store, parse_many(args.constraint))
    if args.verb == "refresh" and not args.upstream_modules:
        records = [record for record in records if not record.upstream]
    specs = session.store.database.specs(record.hash for record in records)
    return _VERBS[args.verb](session, args, files, list(specs.values()))


def _refresh(
    session: Session, args: argparse.Namespace, files: ModuleFiles, nodes: Sequence[ConcreteSpec]
) -> int:
    known = [node for node in nodes if session.recipes.exists(node.name)]
    if not known:
        message("No package matches your query")
        return 0
    if not _agreed(args, f"{args.kind} module files will be written for:", known):
        return 1
    written = files.write(known, delete_tree=args.delete_tree)
    if not written:
        message(f"Nothing to be done for {args.kind} module files.")
        return 0
    message(f"{count_of(len(written), f'{args.kind} module file')} written in {files.root}")
    return 0


def _agreed(args: argparse.Namespace, title: str, nodes: Sequence[ConcreteSpec]) -> bool:
    if args.yes_to_all:
        return True
    message(title)
    for node in nodes:
        print(f"    {node.short}")
    if confirm("go on?", sys.stdin, sys.stdout):
        return True
    message("nothing was changed")
    return False


def _one(args: argparse.Namespace, nodes: Sequence[ConcreteSpec]) -> ConcreteSpec:
    """Return the only node. :raises SpackError: there are none or several."""
    query = " ".join(args.constraint)
    if not nodes:
        raise SpackError(
            f"no installed package matches {query}",
            hint="`spack find` lists what is installed",
            ref="not-installed",
        )
    if len(nodes) > 1:
        raise SpackError(
            f"{query or 'the query'} matches {len(nodes)} installed packages, and one is needed",
            "\n".join(node.short for node in nodes[:10]),
            hint="name one by its hash: /HASH",
            ref="ambiguous",
        )
    return nodes[0]


def _find(
    session: Session, args: argparse.Namespace, files: ModuleFiles, nodes: Sequence[ConcreteSpec]
) -> int:
    node = _one(args, nodes)
    shown = []
    for item in with_dependencies([node]) if args.dependencies else [node]:
        entry = files.entry(item)
        if entry is not None:
            shown.append(entry.path if args.full_path else entry.use_name)
        elif item is node:
            raise files.missing(node)
        else:
            warning(f"{item.short} has no {args.kind} module", session.options.color)
    print(" ".join(shown))
    return 0


def _remove(
    session: Session, args: argparse.Namespace, files: ModuleFiles, nodes: Sequence[ConcreteSpec]
) -> int:
    there = [node for node in nodes if files.entry(node) is not None]
    if not there:
        raise SpackError(
            f"no {args.kind} module file matches your query",
            hint=f"spack module {args.kind} find SPEC",
            ref="no-module",
        )
    if not _agreed(args, f"{args.kind} module files will be removed of:", there):
        return 1
    removed = files.remove(node.dag_hash() for node in there)
    message(f"{count_of(len(removed), 'module file')} removed")
    return 0


def _loads(
    session: Session, args: argparse.Namespace, files: ModuleFiles, nodes: Sequence[ConcreteSpec]
) -> int:
    if not nodes:
        raise UsageError(
            f"no installed package matches {' '.join(args.constraint)}",
            hint="`spack find` lists what is installed",
            ref="not-installed",
        )
    print_loads(args, files, nodes, sys.stdout)
    return 0


def _set_default(
    session: Session, args: argparse.Namespace, files: ModuleFiles, nodes: Sequence[ConcreteSpec]
) -> int:
    files.set_default(_one(args, nodes))
    return 0


_VERBS: dict[
    str, Callable[[Session, argparse.Namespace, ModuleFiles, Sequence[ConcreteSpec]], int]
] = {
    "refresh": _refresh,
    "find": _find,
    "rm": _remove,
    "loads": _loads,
    "setdefault": _set_default,
}
