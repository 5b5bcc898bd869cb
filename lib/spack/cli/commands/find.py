"""``spack find``: what is installed."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Any, Callable

from spack.actions import installed
from spack.actions.querying import Selection, select, to_be_installed
from spack.cli.output import add_output_options, print_output
from spack.cli.render import Colors, columns, message, terminal_width, use_color, warning
from spack.cli.spec_text import WHEEL_NOTE, flags_text, node_text, status_mark
from spack.errors import UsageError
from spack.spec.deptypes import RUN_TIME
from spack.util.text import count_of, size_text

if TYPE_CHECKING:
    from spack.environment import Environment
    from spack.session import Session
    from spack.spec import ConcreteSpec, Spec
    from spack.store import InstallRecord

DESCRIPTION = """list installed packages, all or those that match a spec

In an active environment its root specs come first, then what is installed of what it consists of.

examples:
  spack find                     everything, by architecture
  spack find -lv py-black        with hashes and variants
  spack find -d -p               with dependencies and prefixes
  spack find --sizes             with what they take on the disk, largest first
  spack find --loaded            what `spack load` has loaded
  spack find --start-date 'yesterday'
  spack find --format '{name} {version} {hash:7} {prefix}'
  spack find --json %gcc         for programs
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("constraint", nargs="*", metavar="SPEC", help="only what satisfies one")
    _add_display(parser)
    _add_selection(parser)


def _add_display(parser: argparse.ArgumentParser) -> None:
    form = parser.add_mutually_exclusive_group()
    add_output_options(form, template="one line each, in a format of specs")
    form.add_argument(
        "-H",
        "--hashes",
        dest="format",
        action="store_const",
        const="{/hash}",
        help="one line each: /HASH",
    )
    group = parser.add_mutually_exclusive_group()
    group.add_argument("--groups", action="store_true", help="by architecture (the default)")
    group.add_argument("--no-groups", action="store_true", help="in one list")
    for words, text in (
        (("-I", "--install-status"), "mark what is installed, external or missing"),
        (("-l", "--long"), "show 7 characters of hashes"),
        (("-L", "--very-long"), "show whole hashes"),
        (("-v", "--variants"), "show variants"),
        (("-f", "--show-flags"), "show compiler flags"),
        (("-p", "--paths"), "show prefixes"),
        (("--sizes",), "show what each takes on the disk, largest first"),
        (("-d", "--deps"), "show dependencies"),
        (("-N", "--namespaces"), "show namespaces"),
        (("-r", "--only-roots"), "of an environment only the root specs"),
        (("-c", "--show-concretized"), "of an environment also what is still to be installed"),
    ):
        parser.add_argument(*words, action="store_true", help=text)


def _add_selection(parser: argparse.ArgumentParser) -> None:
    kind = parser.add_mutually_exclusive_group()
    kind.add_argument("-x", "--explicit", action="store_true", help="only what was asked for")
    kind.add_argument("-X", "--implicit", action="store_true", help="only dependencies")
    outside = parser.add_mutually_exclusive_group()
    outside.add_argument("-e", "--external", action="store_true", help="only externals")
    outside.add_argument("--no-externals", action="store_true", help="leave out externals")
    there = parser.add_mutually_exclusive_group()
    there.add_argument("-m", "--missing", action="store_true", help="missing dependencies too")
    there.add_argument(
        "-M", "--only-missing", action="store_true", help="missing dependencies only"
    )
    parser.add_argument("-u", "--unknown", action="store_true", help="only without a recipe")
    parser.add_argument("-t", "--tag", action="append", default=[], help="only with this tag")
    parser.add_argument("--loaded", action="store_true", help="only what `spack load` has loaded")
    parser.add_argument(
        "--install-tree",
        metavar="TREE",
        default="all",
        help="only of this install tree: all, local, upstream, or the directory of one",
    )
    parser.add_argument("--start-date", metavar="DATE", help="only installed then or later")
    parser.add_argument("--end-date", metavar="DATE", help="only installed then or before")


def run(session: Session, args: argparse.Namespace) -> int:
    environment = session.environment
    if environment is None and (args.only_roots or args.show_concretized):
        option = "--only-roots" if args.only_roots else "--show-concretized"
        raise UsageError(
            f"spack find: {option} needs an active environment",
            hint=f"spack -e NAME-OR-DIR find {option}",
            ref="no-environment",
        )
    records = select(
        session.store,
        session.recipes if args.tag or args.unknown else None,
        _selection(session, args),
    )
    records = [x for x in records if _is_in(x, args.install_tree, session)]
    pending: list[InstallRecord] = []
    if environment is not None and args.show_concretized:
        nodes = [node for root in environment.roots() for node in root.traverse()]
        pending = to_be_installed(nodes, session.store, _constraints(args))
    shown = (*records, *pending)
    sizes = _sizes(shown) if args.sizes else {}
    if not print_output(
        args,
        lambda: _rows(session, shown, sizes),
        lambda template: _formatted(session, template, shown),
    ):
        _show(session, args, records, pending, sizes)
    if not records and installed.is_database_lost(session.store):
        warning(
            f"the database of {session.store.root} is missing; `spack reindex` rebuilds it",
            session.options.color,
        )
    return 0 if records or pending or not args.constraint else 1


def _selection(session: Session, args: argparse.Namespace) -> Selection:
    among = session.environment.hashes() if session.environment else None
    if args.loaded:
        from spack.environment.activation import load_state

        loaded = frozenset(load_state(session.environ).hashes)
        among = loaded if among is None else among & loaded
    return Selection(
        specs=_constraints(args),
        explicit=True if args.explicit else False if args.implicit else None,
        external=True if args.external else False if args.no_externals else None,
        present=None if args.missing else not args.only_missing,
        among=among,
        tags=frozenset(args.tag),
        unknown=args.unknown,
        since=_moment(args.start_date),
        until=_moment(args.end_date),
    )


def _constraints(args: argparse.Namespace) -> Sequence[Spec]:
    if not args.constraint:
        return ()
    from spack.spec.parser import parse_many  # start-up: only for constraints

    return parse_many(args.constraint)


def _moment(text: str | None) -> float | None:
    if text is None:
        return None
    import datetime  # start-up: seldom

    from spack.actions.dates import parse_date

    return parse_date(text, datetime.datetime.now())


def _specs(session: Session, records: Sequence[InstallRecord]) -> dict[str, ConcreteSpec]:
    """Return the nodes of records: the database's, and what the environment has besides."""
    found = session.store.database.specs(record.hash for record in records)
    if len(found) < len(records) and session.environment is not None:
        for root in session.environment.roots():
            found.update((node.dag_hash(), node) for node in root.traverse())
    return found


def _formatted(session: Session, template: str, records: Sequence[InstallRecord]) -> Iterator[str]:
    specs = _specs(session, records)
    for record in records:
        filled = template.replace("{prefix}", record.prefix.replace("{", "{{"))
        yield specs[record.hash].format(filled)


def _show(
    session: Session,
    args: argparse.Namespace,
    records: list[InstallRecord],
    pending: list[InstallRecord],
    sizes: Mapping[str, int],
) -> None:
    colors = Colors(use_color(sys.stdout, session.options.color))
    if session.environment is not None:
        _show_roots(session.environment, {record.hash for record in records}, session, colors)
        if args.only_roots:
            return
    shown = [*records, *pending]
    specs: dict[str, ConcreteSpec] = {}
    if args.deps or args.variants or args.show_flags:
        specs = _specs(session, shown)

    def group_key(record: InstallRecord) -> str:
        return "" if args.no_groups else record.architecture

    for architecture, found in groupby(shown, key=group_key):
        group = sorted(found, key=lambda x: -sizes.get(x.hash, 0))
        if architecture:
            print(colors.paint(f"-- {architecture} " + "-" * max(4, 60 - len(architecture)), "dim"))
        lines = []
        for record in group:
            size = f"{size_text(sizes[record.hash]) if record.hash in sizes else '':>9} "
            line = _line(record, specs.get(record.hash), args, colors)
            lines.append(size + line if args.sizes else line)
            if args.deps:
                lines += _dependencies(specs[record.hash], args, colors)
        wide = (
            "long",
            "very_long",
            "paths",
            "deps",
            "variants",
            "show_flags",
            "install_status",
            "sizes",
        )
        # Programs that read the list get one a line, as from Spack.
        if not sys.stdout.isatty() or any(getattr(args, name) for name in wide):
            print("\n".join(lines))
        else:
            print(columns(lines, terminal_width(session.environ)))
    _show_counts(records, len(pending), args, sizes)


def _sizes(records: Iterable[InstallRecord]) -> dict[str, int]:
    """Return the bytes of each prefix by hash; externals and what is missing have none."""
    from spack.util.filesystem import tree_size

    return {x.hash: tree_size(x.prefix) for x in records if x.installed and not x.external}


def _show_counts(
    records: Sequence[InstallRecord],
    pending: int,
    args: argparse.Namespace,
    sizes: Mapping[str, int],
) -> None:
    there = sum(record.installed for record in records)
    missing = len(records) - there
    loaded = "loaded" if args.loaded else "installed"
    parts = [count_of(there, f"{loaded} package")] if there else []
    parts += [f"{missing} missing"] if missing else []
    parts += [f"{pending} to be installed"] if pending else []
    parts += [size_text(sum(sizes.values()))] if sizes else []
    sys.stdout.flush()
    # Not among the lines that a program reads.
    stream = sys.stdout if sys.stdout.isatty() else sys.stderr
    message(", ".join(parts) or f"no {loaded} packages", stream)


def _show_roots(
    environment: Environment, present: set[str], session: Session, colors: Colors
) -> None:
    message(f"in environment {environment.name}")
    lock = environment.lockfile
    locked = {(root.spec, root.group): root.hash for root in (lock.roots if lock else ())}
    there = session.store.database.installed_hashes()
    items = environment.user_specs()
    message(count_of(len(items), "root spec") if items else "no root specs")
    for item in items:
        digest = locked.get((item.text, item.group))
        status = "installed" if digest in there else "missing"
        note = "" if digest else "  (not concretized)"
        print(f"{status_mark(status, colors.paint)} {item.text}{note}")
    included = [root for roots in (lock.included if lock else {}).values() for root in roots]
    if included:
        message("included specs")
    for root in included:
        status = "installed" if root.hash in there else "missing"
        print(f"{status_mark(status, colors.paint)} {root.spec}")
    if items or included:
        print()


def _is_in(record: InstallRecord, tree: str, session: Session) -> bool:
    """Return whether a record is of the install tree that ``--install-tree`` names."""
    if tree in _TREES:
        return _TREES[tree](record)
    root = record.upstream or str(session.store.root)
    return os.path.realpath(root) == os.path.realpath(session.cwd / tree)


_TREES: Mapping[str, Callable[[InstallRecord], bool]] = {
    "all": lambda record: True,
    "local": lambda record: not record.upstream,
    "upstream": lambda record: bool(record.upstream),
}


def _status(record: InstallRecord) -> str:
    if record.external:
        return "external"
    if not record.installed:
        return "missing"
    return "upstream" if record.upstream else "installed"


def _line(
    record: InstallRecord, spec: ConcreteSpec | None, args: argparse.Namespace, colors: Colors
) -> str:
    parts = []
    if args.install_status:
        parts.append(status_mark(_status(record), colors.paint))
    if args.very_long:
        parts.append(colors.paint(record.hash, "hash"))
    elif args.long:
        parts.append(colors.paint(record.hash[:7], "hash"))
    parts.append(_name(record, spec, args, colors.paint) + _notes(record, args))
    if args.paths:
        parts.append(record.prefix)
    return " ".join(parts)


def _name(
    record: InstallRecord,
    spec: ConcreteSpec | None,
    args: argparse.Namespace,
    paint: Callable[[str, str], str],
) -> str:
    if args.variants and spec is not None:
        name = node_text(spec, paint, namespaces=args.namespaces, architecture=False)
    else:
        full = f"{record.namespace}.{record.name}" if args.namespaces else record.name
        name = full + paint(f"@{record.version}", "version")
    return name + (paint(flags_text(spec), "variant") if args.show_flags and spec else "")


def _notes(record: InstallRecord, args: argparse.Namespace) -> str:
    facts: Mapping[str, Any] = record.facts
    notes = ["dirty"] if facts.get("dirty") else []
    if facts.get("passed"):
        notes.append(f"passed {' '.join(facts['passed'])}")
    if facts.get("wheel"):
        notes.append(WHEEL_NOTE)
    if record.external:
        notes.append("external")
    if not record.installed and not args.install_status:
        notes.append("not installed")
    return "".join(f" [{note}]" for note in notes)


def _dependencies(spec: ConcreteSpec, args: argparse.Namespace, colors: Colors) -> list[str]:
    lines = []
    below = list(spec.traverse(deptypes=RUN_TIME, root=False))
    for node in sorted(below, key=lambda node: node.name):
        mark = ""
        if args.long or args.very_long:
            mark = colors.paint(node.dag_hash(None if args.very_long else 7), "hash") + " "
        text = node_text(node, colors.paint, variants=args.variants, architecture=False)
        lines.append(f"{mark}    ^{text}")
    return lines


#: Facts of a record about the parts of the user's environment that its build got.
_HOODS = ("dirty", "passed")


def _rows(
    session: Session, records: Sequence[InstallRecord], sizes: Mapping[str, int]
) -> list[dict[str, Any]]:
    """Return each node as spec files of Spack have it, with what is known of its install."""
    from spack.spec.stored import stored_node  # start-up: only for programs

    specs = _specs(session, records)
    return [_data(record, stored_node(specs[record.hash]), sizes) for record in records]


def _data(
    record: InstallRecord, node: Mapping[str, Any], sizes: Mapping[str, int]
) -> dict[str, Any]:
    return {
        **node,
        # `os` is what this key was called here before.
        "arch": {**node["arch"], "os": record.os},
        "prefix": record.prefix,
        "explicit": record.explicit,
        "external": node.get("external", False),
        "installed": record.installed,
        "installed_at": record.installed_at,
        **({"size": sizes[record.hash]} if record.hash in sizes else {}),
        **{name: record.facts[name] for name in _HOODS if name in record.facts},
    }
