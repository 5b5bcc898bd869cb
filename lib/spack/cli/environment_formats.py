"""``spack env export`` and ``env depfile``: an environment in the formats of other tools."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spack.cli.render import message
from spack.errors import UsageError

if TYPE_CHECKING:
    from spack.environment import Environment
    from spack.session import Session

__all__ = ["FORMAT_VERBS", "add_format_verbs"]


def add_format_verbs(verbs: Any) -> None:
    """Add ``export`` and ``depfile`` to the subcommands of ``spack env``."""
    parser = verbs.add_parser(
        "export", help="write the active environment for other tools: pip, uv, CycloneDX"
    )
    form = parser.add_mutually_exclusive_group(required=True)
    form.add_argument("--requirements", action="store_true", help="a requirements.txt")
    form.add_argument("--pylock", action="store_true", help="a pylock.toml (PEP 751)")
    form.add_argument("--sbom", action="store_true", help="a bill of materials (CycloneDX, JSON)")
    parser.add_argument("file", metavar="FILE", nargs="?", help="instead of standard output")
    depfile = verbs.add_parser("depfile", help="write a Makefile that builds the environment")
    depfile.add_argument(
        "--make-prefix", "--make-target-prefix", metavar="DIR", help="of targets and their files"
    )
    depfile.add_argument(
        "--make-disable-jobserver", action="store_true", help="keep make's processes from builds"
    )
    depfile.add_argument("-o", "--output", metavar="FILE", help="instead of standard output")
    depfile.add_argument(
        "-G", "--generator", choices=("make",), default="make", help="the kind of file (make)"
    )
    depfile.add_argument("specs", metavar="SPEC", nargs="*", help="only these roots")


def _depfile(session: Session, args: argparse.Namespace) -> int | None:
    from spack.actions.environment_depfile import DepfileOptions, depfile_text
    from spack.spec.parser import parse_many

    environment = _concretized(session, "env depfile")
    wanted = parse_many(args.specs)
    roots = [
        root
        for root in environment.roots()
        if not wanted or any(root.satisfies(spec) for spec in wanted)
    ]
    if not roots:
        raise UsageError(
            f"no root of {environment.name} is {', '.join(args.specs)}",
            hint="`spack find` shows its roots",
            ref="no-root",
        )
    options = DepfileOptions((args.make_prefix or "").rstrip("/"), not args.make_disable_jobserver)
    return _written(session, args.output, depfile_text(str(environment.path), roots, options))


def _concretized(session: Session, command: str) -> Environment:
    """Return the active environment.

    :raises UsageError: there is none, or it is not concretized.
    """
    environment = session.need_environment(command)
    if not environment.roots():
        raise UsageError(
            f"{environment.name} is not concretized, so there is nothing to write",
            hint="`spack concretize`",
            ref="not-concretized",
        )
    return environment


def _export(session: Session, args: argparse.Namespace) -> int | None:
    from spack.actions.environment_export import (
        exported_nodes,
        pylock_text,
        requirements_text,
        sbom_text,
    )

    environment = _concretized(session, "env export")
    nodes = exported_nodes(environment.roots(), session.recipes.get)
    if args.requirements:
        text = requirements_text(nodes, environment.name)
    elif args.pylock:
        text = pylock_text(nodes, session.fetcher())
    else:
        text = sbom_text(nodes, environment.name)
    return _written(session, args.file, text)


def _written(session: Session, file: str | None, text: str) -> int | None:
    """Write *text* into a file, or to standard output."""
    if file is None:
        sys.stdout.write(text)
        return None
    path = Path(os.path.abspath(session.cwd / file))
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(
            f"cannot write {path}: {error.strerror}", hint="name another file", ref="export-file"
        ) from error
    message(f"wrote {path}")
    return None


FORMAT_VERBS = {"export": _export, "depfile": _depfile}
