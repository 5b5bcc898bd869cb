"""``spack url``: what recipes and this spack make of URLs."""

from __future__ import annotations

import argparse
from collections.abc import Callable

from spack.actions.recipe_queries import recipes_of
from spack.actions.url_parts import RecipeUrl, parse_url, urls_beside, urls_of
from spack.actions.url_statistics import url_statistics
from spack.cli.render import message
from spack.errors import UsageError
from spack.session import Session
from spack.util.text import count_of

DESCRIPTION = """show the name and version in a URL, or the URLs of all packages

examples:
  spack url parse https://example.org/foo-1.2.tar.gz
  spack url parse --spider https://example.org/foo-1.2.tar.gz
  spack url list
  spack url stats --show-issues
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    verbs = parser.add_subparsers(dest="verb", metavar="parse|list|summary|stats")
    parse = verbs.add_parser("parse", help="show the name and version in a URL")
    parse.add_argument("-s", "--spider", action="store_true", help="and versions beside it")
    parse.add_argument("url", help="of an archive")
    listed = verbs.add_parser("list", help="list the URLs of all packages")
    which = listed.add_mutually_exclusive_group()
    for words, text in (
        (("-n", "--incorrect-name"), "whose name is not that of the package"),
        (("-N", "--correct-name"), "whose name is that of the package"),
        (("-v", "--incorrect-version"), "whose version is not the recipe's"),
        (("-V", "--correct-version"), "whose version is the recipe's"),
    ):
        which.add_argument(*words, action="store_true", help=f"only those {text}")
    verbs.add_parser("summary", help="count the URLs whose parts are what the recipe says")
    stats = verbs.add_parser("stats", help="count the versions of all packages by their sources")
    stats.add_argument("--show-issues", action="store_true", help="list http URLs and md5 sums")


def run(session: Session, args: argparse.Namespace) -> int | None:
    if args.verb is None:
        raise UsageError("spack url: a subcommand is required", hint="see `spack url --help`")
    return _VERBS[args.verb](session, args)


def _parse(session: Session, args: argparse.Namespace) -> int | None:
    parts = parse_url(args.url)
    message(f"Parsing URL: {parts.url}")
    print()
    message("Detected:")
    print(f"    name:    {parts.name or 'unknown'}")
    print(f"    version: {parts.version}\n")
    message("Substituting version 9.9.9b:")
    print(f"    {parts.of_version('9.9.9b')}")
    if args.spider:
        page, found = urls_beside(parts, session.fetcher(checksum=False))
        print()
        message(f"Found {count_of(len(found), 'version')} in {page}:")
        for version, url in found.items():
            print(f"    {version:<12} {url}")
    return None


def _list(session: Session, args: argparse.Namespace) -> int | None:
    found = [row.url for row in urls_of(recipes_of(session.recipes)) if _is_wanted(args, row)]
    for url in found:
        print(url)
    return 0 if found else 1


def _is_wanted(args: argparse.Namespace, row: RecipeUrl) -> bool:
    if args.correct_name or args.incorrect_name:
        return row.same_name is bool(args.correct_name)
    if args.correct_version or args.incorrect_version:
        return row.same_version is bool(args.correct_version)
    return True


def _summary(session: Session, args: argparse.Namespace) -> int | None:
    rows = list(urls_of(recipes_of(session.recipes)))
    names, versions = sum(x.same_name for x in rows), sum(x.same_version for x in rows)
    print(f"    Total URLs found:          {len(rows)}")
    print(
        f"    Names correctly parsed:    {names:>4}/{len(rows):>4} ({_percent(names, len(rows))})"
    )
    print(
        f"    Versions correctly parsed: {versions:>4}/{len(rows):>4} "
        f"({_percent(versions, len(rows))})"
    )
    return None


def _percent(part: int, whole: int) -> str:
    return f"{100 * part / whole if whole else 0:6.2f}%"


def _stats(session: Session, args: argparse.Namespace) -> int | None:
    found = url_statistics(recipes_of(session.recipes))
    message(f"URL stats for {count_of(found.packages, 'package')}:")
    print(f"{'stat':<24}{'versions':>10}{'%':>9}")
    for title, counts in (
        ("sources", found.kinds),
        ("schemes", found.schemes),
        ("checksums", found.checksums),
        ("git references", found.references),
    ):
        print(title)
        for name, count in sorted(counts.items()):
            print(f"    {name:<20}{count:>10}{_percent(count, found.versions):>9}")
    for issue, packages in found.issues.items() if args.show_issues else ():
        message(f"{issue} of {count_of(len(packages), 'package')}:")
        for name, urls in packages.items():
            print("\n".join(f"    {name}: {url}" for url in urls))
    return None


_VERBS: dict[str, Callable[[Session, argparse.Namespace], int | None]] = {
    "parse": _parse,
    "list": _list,
    "summary": _summary,
    "stats": _stats,
}
