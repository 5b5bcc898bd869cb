"""``spack diff``: how two specs differ."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable
from itertools import zip_longest

from spack.actions import installed
from spack.actions.compare import Attribute, SpecDifference, compare
from spack.cli.output import add_output_options, print_output
from spack.cli.render import Colors, use_color
from spack.errors import StoreError, UsageError
from spack.session import Session
from spack.spec import ConcreteSpec, Spec
from spack.spec.parser import parse_many

DESCRIPTION = """compare two installed packages, or two of the active environment

examples:
  spack diff py-black@24 py-black@25
  spack diff /abcdefg /hijklmn
  spack diff -a version -a variant_value --ignore python py-black@24 py-black@25
  spack diff --json /abcdefg /hijklmn
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_output_options(parser)
    parser.add_argument("--first", action="store_true", help="the first of several that match")
    parser.add_argument(
        "-a",
        "--attribute",
        metavar="KIND",
        action="append",
        default=[],
        help="only this kind of attribute, such as version; may be repeated",
    )
    parser.add_argument(
        "--ignore",
        metavar="PACKAGE",
        action="append",
        default=[],
        help="leave this dependency out; may be repeated",
    )
    parser.add_argument("specs", metavar="SPEC", nargs="+", help="two specs")


def run(session: Session, args: argparse.Namespace) -> None:
    specs = parse_many(args.specs)
    if len(specs) != 2:
        raise UsageError("spack diff: two specs are needed", hint="spack diff SPEC SPEC")
    a, b = (_concrete(session, spec, args.first) for spec in specs)
    found = compare(a, b, args.ignore)
    if print_output(args, lambda: {**found._asdict(), "a_name": str(a), "b_name": str(b)}):
        return
    paint = Colors(use_color(sys.stdout, session.options.color)).paint
    print(paint(f"--- {a}", "bad"))
    print(paint(f"+++ {b}", "good"))
    shown = list(_lines(found, args.attribute))
    for sign, text in shown:
        print(paint(f"{sign}{text}", {"-": "bad", "+": "good", "@": "strong"}[sign]))
    if not shown:
        print("No differences\n")


def _lines(found: SpecDifference, kinds: list[str]) -> Iterable[tuple[str, str]]:
    """Yield sign and rest of each line, by kind, one of the first beside one of the second."""
    for kind in dict.fromkeys(x.kind for x in (*found.a_not_b, *found.b_not_a)):
        if kinds and kind not in kinds:
            continue
        yield "@", f"@ {kind} @@"
        for old, new in zip_longest(_of(kind, found.a_not_b), _of(kind, found.b_not_a)):
            if old is not None:
                yield "-", f"  {old}"
            if new is not None:
                yield "+", f"  {new}"


def _of(kind: str, attributes: Iterable[Attribute]) -> list[str]:
    return [attribute.text for attribute in attributes if attribute.kind == kind]


def _concrete(session: Session, spec: Spec, first: bool) -> ConcreteSpec:
    """Return what *spec* means: a node of the environment, or an installed one."""
    if session.environment is None:
        record = installed.one(session.store, spec, first=first)
        return session.store.database.specs([record.hash])[record.hash]
    nodes = {x.dag_hash(): x for root in session.environment.roots() for x in root.traverse()}
    found = sorted(x for x in nodes.values() if x.satisfies(spec))
    if not found or (len(found) > 1 and not first):
        what = f"{len(found)} packages" if found else "nothing"
        raise StoreError(
            f"{spec} matches {what} of the environment {session.environment.name}",
            "\n".join(node.short for node in found) or None,
            hint="name one by its hash" if found else "`spack find -c` lists what it consists of",
            ref="ambiguous-spec",
        )
    return found[-1]
