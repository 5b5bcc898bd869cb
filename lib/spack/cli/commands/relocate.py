"""``spack relocate``: repair an install tree that was moved."""

from __future__ import annotations

import argparse

from spack.actions.binary_installs import patchelf_on
from spack.actions.relocating import Relocated, relocate_tree
from spack.cli.render import message, warning
from spack.session import Session
from spack.util.text import count_of

DESCRIPTION = """let files of a moved install tree name the directory that it is in now

An install tree may be moved or copied: the database finds out by itself. Files in it still name
the earlier directory, such as first lines of scripts and run paths of libraries. This changes
them. A program that names a path can name a shorter one; for a longer one it is built again:
`spack install --overwrite`. Views of environments are made again by `spack install`.

examples:
  spack relocate
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add no arguments."""


def run(session: Session, args: argparse.Namespace) -> int:
    done: list[Relocated] = []
    program = patchelf_on(session.environ.get("PATH", ""))
    roots = relocate_tree(session.store, done.append, program)
    if not roots:
        message(f"no file of {session.store.root} names an earlier directory")
        return 0
    for row in done:
        if row.problem:
            warning(f"{row.record.short}: {row.problem}", session.options.color)
    broken = [row.record for row in done if row.problem]
    changed = sum(row.changed for row in done)
    message(
        f"{count_of(changed, 'file')} of {count_of(len(done), 'package')} named {', '.join(roots)}"
    )
    if broken:
        names = " ".join(f"/{record.hash[:7]}" for record in broken)
        message(f"build again what cannot name the new path: spack install --overwrite {names}")
    return 1 if broken else 0
