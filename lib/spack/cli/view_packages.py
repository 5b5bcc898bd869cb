"""The subcommands of ``spack view`` that make views of packages, as Spack's users know them."""

from __future__ import annotations

import argparse
import os
from typing import Any

from spack.actions import installed
from spack.actions.package_views import PackageView, add_packages, packages_of, remove_packages
from spack.cli.event_text import view_lines, view_summary
from spack.cli.render import message, warning
from spack.config import link_types
from spack.errors import UsageError
from spack.session import Session
from spack.spec import ConcreteSpec
from spack.spec.parser import parse_many
from spack.util.text import count_of
from spack.view.apply import ViewResult
from spack.view.inspect import need_manifest

__all__ = [
    "MAKING",
    "REMOVING",
    "SHOWING",
    "add_package_options",
    "add_package_verbs",
    "run_package_verb",
]

#: Subcommand -> link type.
LINKING = {
    text: row.name for row in link_types.LINK_TYPES for text in (row.name, *row.synonyms[:2])
}
LINKING.pop("relative", None)
REMOVING = ("remove", "rm")
SHOWING = ("statlink", "check")
MAKING = "make"


def add_package_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that come before the subcommand."""
    parser.add_argument("-v", "--verbose", action="store_true", help="say more than warnings")
    parser.add_argument(
        "-e",
        "--exclude",
        metavar="REGEX",
        action="append",
        default=[],
        help="leave out packages with such names",
    )
    parser.add_argument(
        "-d",
        "--dependencies",
        choices=("true", "false", "yes", "no"),
        default="true",
        help="whether dependencies come and go with the packages (true)",
    )


def add_package_verbs(verbs: Any) -> None:
    """Add ``make``, ``symlink``, ``hardlink``, ``copy``, ``remove`` and ``statlink``."""
    make = verbs.add_parser(MAKING, help="show the active environment in any directory")
    make.add_argument(
        "--link-type", choices=tuple(row.name for row in link_types.LINK_TYPES), help="symlink"
    )
    make.add_argument("path", metavar="DIR", help="the view; it is updated if it is there")
    for row in link_types.LINK_TYPES:
        synonyms = [text for text, name in LINKING.items() if name == row.name != text]
        sub = verbs.add_parser(row.name, aliases=synonyms, help=row.help)
        sub.add_argument(
            "--projection-file", metavar="FILE", help="YAML with `projections:`, spec: folder"
        )
        sub.add_argument(
            "-i",
            "--ignore-conflicts",
            action="store_true",
            help="where files differ, take that of the first package",
        )
        sub.add_argument("path", metavar="DIR", help="the view; made if it is not there")
        sub.add_argument("specs", metavar="SPEC", nargs="+", help="installed packages")
    remove = verbs.add_parser("remove", aliases=["rm"], help="show packages no more")
    remove.add_argument(
        "--no-remove-dependents", action="store_true", help="keep what needs the packages"
    )
    remove.add_argument("-a", "--all", action="store_true", help="remove the whole view")
    remove.add_argument("path", metavar="DIR", help="the view")
    remove.add_argument("specs", metavar="SPEC", nargs="*", help="packages of the view")
    show = verbs.add_parser("statlink", aliases=["check"], help="list the packages of a view")
    show.add_argument("path", metavar="DIR", help="the view")
    show.add_argument("specs", metavar="SPEC", nargs="*", help="only these")


def run_package_verb(session: Session, args: argparse.Namespace) -> int | None:
    """Carry out one of the subcommands that :func:`add_package_verbs` adds."""
    if args.verb == MAKING:
        return _make(session, args)
    view = PackageView(
        os.path.abspath(session.cwd / args.path),
        session.view_parts,
        dependencies=args.dependencies in ("true", "yes"),
        exclude=tuple(args.exclude),
    )
    if args.verb in SHOWING:
        return _list(view, args)
    if args.verb in REMOVING:
        return _remove(view, args)
    among = session.environment.hashes() if session.environment else None
    records = [installed.one(view.parts.store, x, among=among) for x in parse_many(args.specs)]
    specs = view.parts.store.database.specs(record.hash for record in records)
    result = add_packages(
        view,
        list(specs.values()),
        LINKING[args.verb],
        projections=_projections(session, args.projection_file),
        ignore_conflicts=args.ignore_conflicts,
    )
    _report(result, args)
    return None


def _make(session: Session, args: argparse.Namespace) -> int | None:
    from spack.actions.package_views import view_of_environment

    environment = session.need_environment("view make")
    root = os.path.abspath(session.cwd / args.path)
    link_type = args.link_type or link_types.DEFAULT
    _report(view_of_environment(environment, root, link_type, session.view_parts), args)
    return None


def _report(result: ViewResult, args: argparse.Namespace) -> None:
    for line in view_lines(result):
        warning(line)
    if args.verbose or result.changed:
        message(view_summary(result) if result.changed else f"the view {result.path} is up to date")


def _remove(view: PackageView, args: argparse.Namespace) -> int | None:
    if bool(args.specs) == args.all:
        raise UsageError(
            "spack view remove: name packages, or give --all",
            hint="spack view remove DIR SPEC, or spack view remove --all DIR",
        )
    need_manifest(view.root)
    shown = packages_of(view)
    specs = shown if args.all else _in_view(view, shown, args.specs)
    result = remove_packages(view, specs, dependents=not args.no_remove_dependents)
    for line in view_lines(result):
        warning(line)
    left = packages_of(view)
    message(
        f"the view {view.root} shows {count_of(len(left), 'package')}"
        if left
        else f"removed {view.root}"
    )
    return None


def _in_view(view: PackageView, shown: list[ConcreteSpec], texts: list[str]) -> list[ConcreteSpec]:
    found = []
    for spec in parse_many(texts):
        matching = [node for node in shown if node.satisfies(spec)]
        if not matching:
            raise UsageError(
                f"the view {view.root} does not show {spec}",
                hint="it shows " + (", ".join(node.name for node in shown) or "nothing"),
                ref="view-package",
            )
        found += matching
    return found


def _list(view: PackageView, args: argparse.Namespace) -> int | None:
    need_manifest(view.root)
    shown = packages_of(view)
    for node in _in_view(view, shown, args.specs) if args.specs else shown:
        print(node.format("{hash:7} {name}{@version}"))
    return None


def _projections(session: Session, file: str | None) -> dict[str, str]:
    """Return the table ``projections`` of a file.

    :raises ConfigError: it cannot be read, or has something else.
    """
    if file is None:
        return {}
    from spack.config.config_keys import PROJECTIONS
    from spack.config.schema import ConfigReport, Record, strip
    from spack.util import yaml

    loaded = yaml.load(session.cwd / file)
    report = ConfigReport()
    kind = Record({"projections": PROJECTIONS}, required=("projections",))
    tree = kind.check(loaded.tree, loaded.file, (), report)
    report.raise_if_any()
    return dict(strip(tree)["projections"])
