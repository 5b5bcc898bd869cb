"""``spack dev-build``: install a package from a directory, without an environment."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from spack.actions.developing import need_directory
from spack.cli.commands import install
from spack.errors import UsageError
from spack.session import Session
from spack.spec import VariantValue
from spack.spec.parser import parse_many

REPORTS = True
DESCRIPTION = """install a package from a local directory, without an environment

The same as `spack install 'PACKAGE@VERSION dev_path=DIRECTORY'`, with all its options. In an
environment, `spack develop` does it for good.

examples:
  spack dev-build py-foo@1.2             from the current directory
  spack dev-build -d ~/src/foo py-foo@1.2
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "-d", "--source-path", default=".", metavar="DIR", help="the directory (default: this one)"
    )
    install.add_arguments(parser)


def run(session: Session, args: argparse.Namespace) -> None:
    specs = parse_many(args.spec)
    if len(specs) != 1 or not specs[0].name:
        raise UsageError(
            "one package is built from one directory",
            hint="spack dev-build -d DIRECTORY PACKAGE@VERSION",
            ref="dev-build",
        )
    spec = specs[0]
    if spec.versions.is_any:
        raise UsageError(
            f"'{spec}' does not say which version the directory is to count as",
            hint=f"spack dev-build {spec.name}@1.0",
            ref="dev-build",
        )
    path = Path(os.path.abspath(session.cwd / Path(args.source_path).expanduser()))
    need_directory(path, str(spec.name), "name the directory with -d")
    value = VariantValue.single("dev_path", str(path))
    args.spec = [str(spec.replace(variants={**spec.variants, "dev_path": value}))]
    install.run(session, args)
