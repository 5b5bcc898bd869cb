"""``spack find``: what is installed."""

from __future__ import annotations

import argparse
import json
import sys
from itertools import groupby
from typing import Any

from spack.actions import installed
from spack.cli.render import Colors, columns, message, terminal_width, use_color, warning
from spack.cli.spec_text import node_text
from spack.session import Session
from spack.spec import ConcreteSpec
from spack.spec.parser import parse_many
from spack.store import InstallRecord
from spack.util.text import count_of

DESCRIPTION = """list installed packages, all or those that match a spec

examples:
  spack find                     everything, by architecture
  spack find -lv py-black        with hashes and variants
  spack find -d -p               with dependencies and prefixes
  spack find --format '{name} {version} {hash:7} {prefix}'
  spack find --json %gcc         for programs
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("spec", nargs="*", help="only what satisfies one of these specs")
    parser.add_argument("-l", "--long", action="store_true", help="show 7 characters of hashes")
    parser.add_argument("-L", "--very-long", action="store_true", help="show whole hashes")
    parser.add_argument("-v", "--variants", action="store_true", help="show variants")
    parser.add_argument("-p", "--paths", action="store_true", help="show prefixes")
    parser.add_argument("-d", "--deps", action="store_true", help="show dependencies")
    parser.add_argument("-N", "--namespaces", action="store_true", help="show namespaces")
    parser.add_argument("-x", "--explicit", action="store_true", help="only what was asked for")
    parser.add_argument("-X", "--implicit", action="store_true", help="only dependencies")
    parser.add_argument("--no-externals", action="store_true", help="leave out externals")
    parser.add_argument("--format", metavar="FORMAT", help="one line each, in a format of specs")
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(session: Session, args: argparse.Namespace) -> int:
    explicit = True if args.explicit else False if args.implicit else None
    records = installed.find(
        session.store,
        parse_many(args.spec),
        explicit=explicit,
        external=False if args.no_externals else None,
        among=session.environment.hashes() if session.environment else None,
    )
    if args.json:
        print(json.dumps([_data(session, record) for record in records], indent=1))
    elif args.format:
        specs = session.store.database.specs(record.hash for record in records)
        for record in records:
            template = args.format.replace("{prefix}", record.prefix.replace("{", "{{"))
            print(specs[record.hash].format(template))
    else:
        _show(session, args, records)
    if not records and installed.is_database_lost(session.store):
        warning(
            f"the database of {session.store.root} is missing; `spack reindex` rebuilds it",
            session.options.color,
        )
    return 0 if records or not args.spec else 1


def _show(session: Session, args: argparse.Namespace, records: list[InstallRecord]) -> None:
    colors = Colors(use_color(sys.stdout, session.options.color))
    specs: dict[str, ConcreteSpec] = {}
    if args.deps or args.variants:
        specs = session.store.database.specs(record.hash for record in records)
    for architecture, group in groupby(records, key=lambda record: record.architecture):
        print(colors.paint(f"-- {architecture} " + "-" * max(4, 60 - len(architecture)), "dim"))
        lines = []
        for record in group:
            lines.append(_line(record, specs.get(record.hash), args, colors))
            if args.deps:
                lines += _dependencies(specs[record.hash], args, colors)
        plain = not (args.long or args.very_long or args.paths or args.deps or colors.enabled)
        if plain and not args.variants:
            print(columns(lines, terminal_width(session.environ)))
        else:
            print("\n".join(lines))
    count = len(records)
    message(count_of(count, "installed package") if count else "no installed packages")


def _line(record: InstallRecord, spec: Any, args: argparse.Namespace, colors: Colors) -> str:
    parts = []
    if args.very_long:
        parts.append(colors.paint(record.hash, "hash"))
    elif args.long:
        parts.append(colors.paint(record.hash[:7], "hash"))
    if args.variants and spec is not None:
        name = node_text(
            spec, colors.paint, namespaces=args.namespaces, variants=True, architecture=False
        )
    else:
        full = f"{record.namespace}.{record.name}" if args.namespaces else record.name
        name = full + colors.paint(f"@{record.version}", "version")
    if record.facts.get("dirty"):
        name += " [dirty]"
    if record.facts.get("passed"):
        name += f" [passed {' '.join(record.facts['passed'])}]"
    if record.external:
        name += " [external]"
    parts.append(name)
    if args.paths:
        parts.append(record.prefix)
    return " ".join(parts)


def _dependencies(spec: ConcreteSpec, args: argparse.Namespace, colors: Colors) -> list[str]:
    lines = []
    below = list(spec.traverse(deptypes=("link", "run"), root=False))
    for node in sorted(below, key=lambda node: node.name):
        mark = ""
        if args.long or args.very_long:
            mark = colors.paint(node.dag_hash(None if args.very_long else 7), "hash") + " "
        text = node_text(node, colors.paint, variants=args.variants, architecture=False)
        lines.append(f"{mark}    ^{text}")
    return lines


#: Facts of a record about the parts of the user's environment that its build got.
_HOODS = ("dirty", "passed")


def _data(session: Session, record: InstallRecord) -> dict[str, Any]:
    return {
        "name": record.name,
        "version": record.version,
        "hash": record.hash,
        "namespace": record.namespace,
        "arch": {"platform": record.platform, "os": record.os, "target": record.target},
        "prefix": record.prefix,
        "explicit": record.explicit,
        "external": record.external,
        "installed_at": record.installed_at,
        **{name: record.facts[name] for name in _HOODS if name in record.facts},
    }
