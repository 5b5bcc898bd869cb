"""``spack verify``: compare installed files with what was recorded."""

from __future__ import annotations

import argparse

from spack.actions import installed
from spack.cli.render import message
from spack.install.rebuild_database import verify_records
from spack.session import Session
from spack.spec.parser import parse_many
from spack.util.text import count_of

DESCRIPTION = """compare the files of installed packages with what was recorded at their install

Exit code 1 if anything differs.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("spec", nargs="*", help="only these packages")


def run(session: Session, args: argparse.Namespace) -> int:
    records = installed.find(session.store, [])
    if args.spec:
        records = installed.several(session.store, parse_many(args.spec), all_matches=True)
    records = [record for record in records if not record.external]
    bad = 0
    for result in verify_records(records):
        if result.good:
            continue
        bad += 1
        print(f"{result.record.short}: {result.record.prefix}")
        if result.problem:
            print(f"    {result.problem}")
        for difference in result.differences:
            found = f" {difference.actual}, not {difference.expected}"
            shown = found if difference.what in ("mode", "kind", "target") else ""
            print(f"    {difference.path}: {difference.what}{shown}")
    message(f"{count_of(len(records), 'package')} checked, {bad} with differences")
    return 1 if bad else 0
