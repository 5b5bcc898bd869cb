"""``spack verify``: compare installed files with what was recorded."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from spack.actions import installed
from spack.actions.library_check import unresolved_libraries
from spack.actions.verifying import check_versions, owner_of
from spack.cli.output import add_output_options, print_output
from spack.cli.render import message
from spack.errors import UsageError
from spack.install.rebuild_database import Verified, verify_records
from spack.session import Session
from spack.spec.parser import parse_many
from spack.store import InstallRecord
from spack.util.text import count_of

DESCRIPTION = """compare what is installed with what was recorded, and with recipes

`spack verify [SPEC]` is `spack verify manifest`: files, their content, permissions and links.
Exit code 1 if anything differs.

examples:
  spack verify                        everything
  spack verify py-black
  spack verify manifest --files PATH  only this file
  spack verify libraries              shared libraries that would not be found
  spack verify versions               installed versions that recipes do not have any more
"""

_VERBS = ("manifest", "libraries", "versions")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    verbs = parser.add_subparsers(dest="verb", metavar="manifest|libraries|versions")
    manifest = verbs.add_parser("manifest", help="compare files with what was recorded")
    manifest.add_argument("-a", "--all", action="store_true", help="everything (the default)")
    manifest.add_argument("-l", "--local", action="store_true", help="of this install tree only")
    kind = manifest.add_mutually_exclusive_group()
    kind.add_argument("-s", "--specs", action="store_true", help="the words are specs (default)")
    kind.add_argument("-f", "--files", action="store_true", help="the words are paths of files")
    add_output_options(manifest, short=True)
    manifest.add_argument("specs_or_files", metavar="SPEC", nargs="*", help="only these packages")
    libraries = verbs.add_parser("libraries", help="look for libraries that would not be found")
    libraries.add_argument("constraint", metavar="SPEC", nargs="*", help="only these packages")
    versions = verbs.add_parser("versions", help="look for versions that recipes do not have")
    versions.add_argument("constraint", metavar="SPEC", nargs="*", help="only these packages")


def completed(words: list[str]) -> list[str]:
    """Return *words* with the subcommand that is meant where none is named."""
    return words if words[:1] and words[0] in (*_VERBS, "-h", "--help") else ["manifest", *words]


def run(session: Session, args: argparse.Namespace) -> int:
    return {"versions": _versions, "libraries": _libraries}.get(args.verb, _manifest)(session, args)


def _records(session: Session, texts: list[str]) -> list[InstallRecord]:
    records = installed.find(session.store, [])
    if texts:
        records = installed.several(session.store, parse_many(texts), all_matches=True)
    return [record for record in records if not record.external]


def _versions(session: Session, args: argparse.Namespace) -> int:
    found = check_versions(_records(session, args.constraint), session.recipes)
    for finding in found:
        print(f"{finding.subject}: {finding.text}")
    message(f"{count_of(len(found), 'finding')} on versions")
    return 1 if found else 0


def _libraries(session: Session, args: argparse.Namespace) -> int:
    records, wrong = _records(session, args.constraint), 0
    for record in records:
        missing = list(unresolved_libraries(Path(record.prefix)))
        wrong += bool(missing)
        for file, library in missing:
            print(f"{record.short}: {file}: {library} is in none of its run paths")
    message(f"{count_of(len(records), 'package')} checked, {wrong} with missing libraries")
    return 1 if wrong else 0


def _manifest(session: Session, args: argparse.Namespace) -> int:
    records = _records(session, [] if args.files else args.specs_or_files)
    paths = [Path(os.path.abspath(session.cwd / x)) for x in args.specs_or_files if args.files]
    if paths:
        owners = {path: owner_of(path, records) for path in paths}
        unknown = [str(path) for path, owner in owners.items() if owner is None]
        if unknown:
            raise UsageError(
                f"no installed package has {', '.join(unknown)}",
                hint="name files below a prefix, as `spack location -i SPEC` prints it",
                ref="verify-file",
            )
        hashes = {owner.hash for owner in owners.values() if owner is not None}
        records = [record for record in records if record.hash in hashes]
    results = [_only(result, paths) for result in verify_records(records)]
    bad = [result for result in results if not result.good]
    if not print_output(args, lambda: [_data(result) for result in bad]):
        for result in bad:
            _show(result)
        message(f"{count_of(len(records), 'package')} checked, {len(bad)} with differences")
    return 1 if bad else 0


def _only(result: Verified, paths: list[Path]) -> Verified:
    """Return *result* with the differences of *paths*, if there are any."""
    if not paths:
        return result
    prefix = Path(result.record.prefix)
    kept = tuple(x for x in result.differences if prefix / x.path in paths)
    return Verified(result.record, kept, result.problem)


def _data(result: Verified) -> dict[str, object]:
    differences = [difference._asdict() for difference in result.differences]
    record = result.record
    return {
        "package": record.short,
        "prefix": record.prefix,
        "problem": result.problem,
        "differences": differences,
    }


def _show(result: Verified) -> None:
    print(f"{result.record.short}: {result.record.prefix}")
    if result.problem:
        print(f"    {result.problem}")
    for difference in result.differences:
        found = f" {difference.actual}, not {difference.expected}"
        shown = found if difference.what in ("mode", "kind", "target") else ""
        print(f"    {difference.path}: {difference.what}{shown}")
