"""The subcommands of ``spack config`` that change files."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from spack.cli.editor import edit
from spack.cli.render import message
from spack.cli.scope_option import edited_section, section_path, writable_scopes
from spack.config.keys import SECTIONS
from spack.config.schema import key_name
from spack.config.values import (
    add_data,
    add_value,
    changed_requirements,
    parse_path,
    remove_value,
)
from spack.errors import UsageError
from spack.session import Session
from spack.spec import Spec
from spack.util import yaml

__all__ = ["VERBS", "add_edit_verbs", "need_section"]


def add_edit_verbs(verbs: Any, add_scope: Any) -> None:
    """Add ``add``, ``remove``, ``change`` and ``edit``.

    :param add_scope: adds ``--scope`` to a parser.
    """
    add = verbs.add_parser("add", help="set a value, or add to a list")
    add.add_argument("-f", "--file", help="add everything in this file")
    add.add_argument("path", metavar="SECTION:KEY:VALUE", nargs="?", help="what to set")
    remove = verbs.add_parser("remove", aliases=["rm"], help="remove a key, or an item of a list")
    remove.add_argument("path", metavar="SECTION:KEY[:VALUE]", help="what to remove")
    change = verbs.add_parser("change", help="change the requirements of a package")
    change.add_argument("--match-spec", metavar="SPEC", help="only requirements that satisfy it")
    change.add_argument("path", metavar="packages:NAME:require:SPEC", help="what to require")
    edits = verbs.add_parser("edit", help="open a file in your editor")
    edits.add_argument("--print-file", action="store_true", help="only print its path")
    edits.add_argument("section", nargs="?", help="a section; the environment's file without one")
    for parser in (add, remove, change, edits):
        add_scope(parser)


def need_section(name: str) -> str:
    """Return the name of a section. :raises UsageError: there is none of that name."""
    if name not in SECTIONS:
        raise UsageError(
            f"there is no configuration section {name}",
            hint="sections: " + ", ".join(sorted(SECTIONS)),
            ref="config-section",
        )
    return name


def _add(session: Session, args: argparse.Namespace) -> int | None:
    if not (args.path or args.file):
        raise UsageError(
            "spack config add: a value or a file is needed",
            hint="spack config add config:build_jobs:4, or --file FILE",
        )
    if args.file:
        for section, data in _sections_of(session.cwd / args.file).items():
            with edited_section(session, section, args.scope) as file:
                add_data(file, data)
    if args.path:
        keys, value = parse_path(args.path)
        with edited_section(session, key_name(keys[0]), args.scope) as file:
            add_value(file, keys, value)
    return None


def _sections_of(path: Path) -> dict[str, Any]:
    data = yaml.load(path).data
    data = data.get("spack", data) if isinstance(data, dict) else data
    if not isinstance(data, dict) or not data:
        raise UsageError(
            f"{path} has no sections", hint="write config:, packages: … in it", ref="config-file"
        )
    return {need_section(key_name(name)): value for name, value in data.items()}


def _remove(session: Session, args: argparse.Namespace) -> int | None:
    section = need_section(key_name(args.path.partition(":")[0]))
    with edited_section(session, section, args.scope) as file:
        remove_value(file, args.path)
    return None


def _change(session: Session, args: argparse.Namespace) -> int | None:
    keys, value = parse_path(args.path)
    if len(keys) != 3 or keys[0] != "packages" or keys[2] != "require":
        raise UsageError(
            "spack config change: only requirements can be changed",
            hint="spack config change packages:NAME:require:SPEC",
            ref="config-change",
        )
    spec, package = Spec.parse(str(value)), keys[1]
    match = Spec.parse(args.match_spec) if args.match_spec else None
    changed = False
    having: list[str] = []
    for scope in [args.scope] if args.scope else writable_scopes(session):
        with edited_section(session, "packages", scope) as file:
            row = file.data.get(file.key(package))
            if isinstance(row, dict) and row.get("require") is not None:
                having.append(scope)
            changed |= changed_requirements(file, package, spec, match)
    if changed:
        return None
    with edited_section(session, "packages", args.scope or next(iter(having), None)) as file:
        row = file.data.get(file.key(package))
        if isinstance(row, dict) and isinstance(row.get("require"), str):
            if row["require"] == str(value):
                return None
            raise UsageError(
                f"{file.path}: packages:{package}:require is one requirement, not a list",
                hint=f"write it as a list: require: ['{row['require']}']",
                ref="config-change",
            )
        add_value(file, keys, [str(value)])
    return None


def _edit(session: Session, args: argparse.Namespace) -> int | None:
    if args.section:
        need_section(args.section)
    environment = None if args.scope else session.environment
    if environment is not None and not args.section:
        path = environment.path / "spack.yaml"
    elif args.section:
        path = section_path(session, args.section, args.scope)
    else:
        raise UsageError(
            "spack config edit: a section, or an active environment, is needed",
            hint="spack config edit packages",
        )
    if args.print_file:
        print(path)
        return None
    path.parent.mkdir(parents=True, exist_ok=True)
    code = edit([path], session.environ)
    if code == 0 and path.is_file():
        session.settings.data("config")  # read as the next command will read it
        message(f"{path} can be read")
    return code


VERBS = {"add": _add, "remove": _remove, "rm": _remove, "change": _change, "edit": _edit}
