"""``spack env export`` and ``env depfile``: an environment in the formats of other tools."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spack.cli.render import message, warning
from spack.engines.format_names import FORMAT_NAMES
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
    _add_depfile(verbs)


def _add_depfile(verbs: Any) -> None:
    depfile = verbs.add_parser(
        "depfile", help="write the builds that the environment needs for make, Slurm, CI"
    )
    depfile.add_argument(
        "--format",
        choices=FORMAT_NAMES,
        help="of what neither the store nor a cache has: make (the default), ninja, a script "
        "that submits jobs to slurm, pbs or lsf, a child pipeline of gitlab, a workflow of "
        "github, json",
    )
    depfile.add_argument(
        "-G", "--generator", choices=("make",), help="Spack's option: --format make --all"
    )
    depfile.add_argument(
        "--all", action="store_true", help="also what the store or a cache has already"
    )
    depfile.add_argument(
        "--use-buildcache",
        metavar="POLICY",
        default="auto",
        help="auto (the default) leaves out what caches have, never asks none",
    )
    depfile.add_argument(
        "--make-prefix", "--make-target-prefix", metavar="DIR", help="of targets and their files"
    )
    depfile.add_argument(
        "--make-disable-jobserver", action="store_true", help="let builds share no processes"
    )
    depfile.add_argument(
        "-j", "--jobs", type=int, metavar="N", help="processes of all builds that ninja runs"
    )
    depfile.add_argument("-o", "--output", metavar="FILE", help="instead of standard output")
    depfile.add_argument("specs", metavar="SPEC", nargs="*", help="only these roots")


def _depfile(session: Session, args: argparse.Namespace) -> int | None:
    from spack.actions.binary_installs import read_policy
    from spack.actions.environment_depfile import missing_builds
    from spack.engines.export_options import ExportOptions
    from spack.engines.formats import FORMATS, SEPARATE_STORES
    from spack.session.binary_parts import cached_installs
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
    form = args.format or "make"
    everything = args.all or bool(args.generator and not args.format)
    caches = None if everything else cached_installs(session, read_policy(args.use_buildcache))
    graph = missing_builds(roots, session.store, caches, everything=everything)
    if form in SEPARATE_STORES and not any(x.autopush for x in session.settings.mirrors):
        warning(
            f"builds of {form} have a store of their own each and no mirror has autopush: a "
            "build finds no dependency; `spack mirror add --autopush NAME URL`",
            color=session.options.color,
        )
    options = ExportOptions(
        _named(session, environment) if form in SEPARATE_STORES else str(environment.path),
        prefix=(args.make_prefix or "").rstrip("/"),
        jobserver=not args.make_disable_jobserver,
        jobs=args.jobs or session.settings.config.build_jobs,
    )
    return _written(session, args.output, FORMATS[form](graph, options))


def _named(session: Session, environment: Environment) -> str:
    """Return how another machine finds *environment* in its copy of this directory."""
    if session.cwd in (environment.path, *environment.path.parents):
        return os.path.join(".", environment.path.relative_to(session.cwd))
    return str(environment.path)


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
