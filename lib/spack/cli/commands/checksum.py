"""``spack checksum``: checksums of versions, for a recipe."""

from __future__ import annotations

import argparse
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from spack.actions.remote_versions import (
    ChecksumResult,
    RemoteFile,
    add_versions,
    checksum_of,
    chosen,
    newer,
    remote_files,
    version_line,
)
from spack.cli.editor import edit
from spack.cli.render import message
from spack.errors import FetchError, UsageError
from spack.recipe.records import Recipe
from spack.session import Session
from spack.spec import Version, VersionList
from spack.util.text import count_of

DESCRIPTION = """download versions of a package and print the lines for its recipe

Without versions, those that are offered and newer than the recipe's.

examples:
  spack checksum py-black
  spack checksum --add-to-package py-black 25.1.0
  spack checksum --verify py-black           compare the recipe's checksums with what is offered
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    which = parser.add_mutually_exclusive_group()
    which.add_argument("-l", "--latest", action="store_true", help="only the latest version")
    which.add_argument("-p", "--preferred", action="store_true", help="only the recipe's preferred")
    parser.add_argument("-b", "--batch", action="store_true", help="do not open an editor")
    todo = parser.add_mutually_exclusive_group()
    todo.add_argument("-a", "--add-to-package", action="store_true", help="write the recipe")
    todo.add_argument("--verify", action="store_true", help="compare with the recipe; 1 if wrong")
    parser.add_argument(
        "-j", "--jobs", type=int, default=4, metavar="N", help="downloads at one time (4)"
    )
    parser.add_argument("package", help="a package's name, or NAME@VERSIONS")
    parser.add_argument("versions", nargs="*", help="versions, or ranges of them")


def run(session: Session, args: argparse.Namespace) -> int | None:
    name, at, versions = args.package.partition("@")
    recipe = session.need_recipe(name)
    texts = [*args.versions, *([versions] if at else [])]
    fetcher = session.fetcher(checksum=False)
    try:
        offered = remote_files(recipe, fetcher)
    except FetchError:
        if not texts:
            raise
        offered = []  # the URLs of versions follow from that of the recipe
    files = _chosen(args, recipe, offered, texts)
    if not files:
        message(f"found no new versions of {recipe.name}")
        return None
    message(f"found {count_of(len(files), 'version')} of {recipe.name}")
    for file in files:
        print(f"    {file.version}  {file.url}")
    with ThreadPoolExecutor(max_workers=max(1, args.jobs)) as pool:
        results = list(pool.map(lambda file: checksum_of(recipe, file, fetcher), files))
    if args.verify:
        return _verify(results)
    print()
    for result in results:
        print(f"    {version_line(result)}")
    if args.add_to_package:
        path = Path(recipe.path)
        added = add_versions(path, results)
        message(f"added {count_of(len(added), 'version')} to {path}")
        if added and not args.batch and session.environ.get("EDITOR"):
            return edit([path], session.environ)
    return None


def _chosen(
    args: argparse.Namespace, recipe: Recipe, files: list[RemoteFile], texts: list[str]
) -> list[RemoteFile]:
    if texts:
        found = chosen(recipe, files, [VersionList(text) for text in texts])
        missing = [x for x in texts if not any(v in VersionList(x) for v in found)]
        if missing:
            raise UsageError(
                f"no version of {recipe.name} that is offered is {', '.join(missing)}",
                hint=f"`spack versions --remote {recipe.name}` lists them",
                ref="no-version",
            )
        return sorted(found.values(), key=lambda file: file.version, reverse=True)
    if args.latest:
        return files[:1]
    known = {Version(record.version) for record in recipe.versions}
    if args.preferred:
        wanted = [Version(x.version) for x in recipe.versions if x.preferred] or [max(known)]
        return [file for file in files if file.version in wanted]
    if args.verify:
        return [file for file in files if file.version in known]
    return newer(files, recipe)


def _verify(results: list[ChecksumResult]) -> int:
    wrong = [x for x in results if x.known not in (None, x.sha256)]
    for result in results:
        state = "not in the recipe" if result.known is None else "ok"
        state = "MISMATCH" if result in wrong else state
        print(f"    {result.version}  {state}")
    if wrong:
        names = ", ".join(str(x.version) for x in wrong)
        raise FetchError(
            f"checksum mismatch: {names}",
            "\n".join(f"{x.version}: the recipe says {x.known}, found {x.sha256}" for x in wrong),
            hint="the archives were changed by their publisher, or the recipe is wrong",
            ref="checksum",
        )
    return 0
