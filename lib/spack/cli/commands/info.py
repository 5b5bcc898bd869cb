"""``spack info``: a package at a glance."""

from __future__ import annotations

import argparse
import sys
import textwrap
from collections.abc import Iterable
from typing import Callable

from spack.cli.render import Colors, table, use_color
from spack.host.detection import DETECTABLE
from spack.recipe.records import DependencyRecord, Recipe
from spack.session import Session
from spack.spec import Version
from spack.spec.deptypes import DEPTYPES

DESCRIPTION = """show a package's description, versions, variants and dependencies

examples:
  spack info py-black
  spack info --all gcc
"""

#: How many versions are shown without --all.
_SHOWN = 8


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("-a", "--all", action="store_true", help="everything that is known")
    order = parser.add_mutually_exclusive_group()
    order.add_argument("--by-name", action="store_true", help="in order of names (the default)")
    order.add_argument("--by-when", action="store_true", help="in order of conditions")
    for words, text in (
        (("--no-dependencies",), "no dependencies"),
        (("--no-variants",), "no variants"),
        (("--no-versions",), "no versions"),
        (("--detectable",), "whether it can be detected as an external"),
        (("--maintainers",), "its maintainers (always shown)"),
        (("--namespace",), "its namespace (always shown)"),
        (("--tags",), "its tags"),
        (("--tests",), "its tests"),
        (("--virtuals",), "what it provides (always shown)"),
        (("--variants-by-name",), "variants in order of names"),
    ):
        parser.add_argument(*words, action="store_true", help=f"show {text}")
    parser.add_argument("package", help="a package's name")


def run(session: Session, args: argparse.Namespace) -> None:
    recipe = session.need_recipe(args.package)
    paint = Colors(use_color(sys.stdout, session.options.color)).paint
    print(f"{paint(recipe.name, 'strong')}  ({recipe.namespace})")
    print("\n" + textwrap.indent(textwrap.dedent(recipe.description).strip(), "    "))
    print("\n" + table(_head(recipe, args)))
    if not args.no_versions:
        _section("Versions", _versions(recipe, args.all), paint)
    if not args.no_variants:
        variants = _variants(recipe)
        if args.variants_by_name:
            variants.sort()
        _section("Variants", variants, paint)
    for kind in () if args.no_dependencies else DEPTYPES:
        found = _dependencies([row for row in recipe.dependencies if kind in row.types])
        if args.by_when:
            found.sort(key=lambda row: (row[1], row[0]))
        _section(f"Dependencies ({kind})", found, paint)
    provided = [(", ".join(row.virtuals) + _when(row.when),) for row in recipe.provides]
    _section("Provides", provided, paint)
    if args.tests or args.all:
        from spack.actions.package_tests import defined_tests  # start-up: it starts workers too

        _section("Tests", [(name,) for name in defined_tests(recipe)], paint)
    if args.all:
        conflicts = [
            (row.spec, _when(row.when).strip(), row.message or "") for row in recipe.conflicts
        ]
        _section("Conflicts", conflicts, paint)


def _head(recipe: Recipe, args: argparse.Namespace) -> list[tuple[str, ...]]:
    """Return the rows of what a package has one of."""
    rows: list[tuple[str, ...]] = []
    labels = [("Homepage", "homepage"), ("Git", "git"), ("Maintainers", "maintainers")]
    if args.tags or args.all:
        labels.append(("Tags", "tags"))
    for label, key in labels:
        value = recipe.attributes.get(key)
        if value:
            rows.append((f"{label}:", ", ".join(value) if isinstance(value, tuple) else str(value)))
    for record in recipe.licenses:
        rows.append(("License:", record.expression + _when(record.when)))
    if args.detectable or args.all:
        rows.append(("Detectable:", "yes" if recipe.name in DETECTABLE else "no"))
    rows.append(("Recipe:", recipe.path))
    return rows


def _section(title: str, rows: Iterable[tuple[str, ...]], paint: Callable[[str, str], str]) -> None:
    text = table(rows, indent=4)
    if text:
        print(f"\n{paint(title + ':', 'strong')}\n{text}")


def _versions(recipe: Recipe, everything: bool) -> list[tuple[str, ...]]:
    records = sorted(recipe.versions, key=lambda r: Version(r.version), reverse=True)
    rows: list[tuple[str, ...]] = []
    for record in records if everything else records[:_SHOWN]:
        notes = [
            word
            for word, holds in (("preferred", record.preferred), ("deprecated", record.deprecated))
            if holds
        ]
        options = record.options
        where = record.url or options.get("git") or options.get("branch") or ""
        rows.append((record.version, str(where) if everything else ", ".join(notes)))
    if len(records) > len(rows):
        rows.append((f"and {len(records) - len(rows)} older ones", ""))
    return rows


def _variants(recipe: Recipe) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = []
    for record in recipe.variants:
        default = ",".join(record.default)
        values = "" if record.values is None else ", ".join(value for value, _ in record.values)
        allowed = "true, false" if record.kind == "bool" else values or "any"
        rows.append((f"{record.name} [{default}]{_when(record.when)}", allowed, record.description))
    return rows


def _dependencies(records: Iterable[DependencyRecord]) -> list[tuple[str, ...]]:
    return sorted({(row.spec, _when(row.when).strip()) for row in records})


def _when(condition: str) -> str:
    return f"  when {condition}" if condition else ""
