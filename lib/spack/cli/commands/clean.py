"""``spack clean``: remove what can be made again."""

from __future__ import annotations

import argparse
from contextlib import nullcontext
from pathlib import Path

from spack.cli.render import message
from spack.session import Session
from spack.session.tool_environment import remove_tools
from spack.util.filesystem import remove_tree

REPORTS = True
DESCRIPTION = """remove build stages, and on demand caches and logs of failed builds

examples:
  spack clean               stages of builds that failed or were kept
  spack clean --all         and downloads, indexes, logs of failed builds
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("-s", "--stage", action="store_true", help="build stages (the default)")
    parser.add_argument("-d", "--downloads", action="store_true", help="downloaded sources")
    parser.add_argument("-m", "--misc-cache", action="store_true", help="indexes of recipes")
    parser.add_argument("-f", "--failures", action="store_true", help="logs of failed builds")
    parser.add_argument("-a", "--all", action="store_true", help="all of these")
    parser.add_argument("-b", "--bootstrap", action="store_true", help="the style tools")


def run(session: Session, args: argparse.Namespace) -> None:
    locations: dict[str, tuple[Path, str]] = {
        "stage": (session.stage_root, "spack-stage-*"),
        "downloads": (session.settings.config.source_cache, "*"),
        "misc_cache": (session.cache, "*"),
        "failures": (session.store.layout.logs, "*"),
    }
    chosen = [name for name in locations if args.all or getattr(args, name)]
    if args.bootstrap:
        root = session.settings.bootstrap.root
        remove_tools(root)
        message(f"bootstrap: the style tools were removed from {root}")
    elif not chosen:
        chosen = ["stage"]
    # A store without locks has seen no install yet, and need not be made for this.
    used = chosen not in ([], ["misc_cache"]) and session.store.layout.locks.is_dir()
    with session.store.locks.quiet() if used else nullcontext():
        for name in chosen:
            folder, pattern = locations[name]
            found = list(folder.glob(pattern))
            for path in found:
                remove_tree(path)
            message(f"{name.replace('_', ' ')}: {len(found)} removed from {folder}")
