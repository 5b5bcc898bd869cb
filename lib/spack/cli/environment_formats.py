"""``spack env export``: the active environment in the formats of Python packaging."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import Any

from spack.cli.render import message
from spack.errors import UsageError
from spack.session import Session

__all__ = ["add_export", "export"]


def add_export(verbs: Any) -> None:
    """Add ``export`` to the subcommands of ``spack env``."""
    parser = verbs.add_parser(
        "export", help="write the active environment for other tools: pip, uv, CycloneDX"
    )
    form = parser.add_mutually_exclusive_group(required=True)
    form.add_argument("--requirements", action="store_true", help="a requirements.txt")
    form.add_argument("--pylock", action="store_true", help="a pylock.toml (PEP 751)")
    form.add_argument("--sbom", action="store_true", help="a bill of materials (CycloneDX, JSON)")
    parser.add_argument("file", metavar="FILE", nargs="?", help="instead of standard output")


def export(session: Session, args: argparse.Namespace) -> int | None:
    """Run the subcommand.

    :raises UsageError: no environment is active, or it is not concretized.
    """
    from spack.actions.environment_export import (
        exported_nodes,
        pylock_text,
        requirements_text,
        sbom_text,
    )

    environment = session.need_environment("env export")
    if not environment.roots():
        raise UsageError(
            f"{environment.name} is not concretized, so there is nothing to export",
            hint="`spack concretize`",
            ref="not-concretized",
        )
    nodes = exported_nodes(environment.roots(), session.recipes.get)
    if args.requirements:
        text = requirements_text(nodes, environment.name)
    elif args.pylock:
        text = pylock_text(nodes, session.fetcher())
    else:
        text = sbom_text(nodes, environment.name)
    if args.file is None:
        sys.stdout.write(text)
        return None
    path = Path(os.path.abspath(session.cwd / args.file))
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(
            f"cannot write {path}: {error.strerror}", hint="name another file", ref="export-file"
        ) from error
    message(f"wrote {path}")
    return None
