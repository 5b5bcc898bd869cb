"""``spack config``: the configuration and where it comes from."""

from __future__ import annotations

import argparse

from spack.cli.output import add_output_options, print_output, to_yaml
from spack.config.keys import SECTIONS
from spack.errors import UsageError
from spack.session import Session

DESCRIPTION = """show the configuration that is in force

examples:
  spack config get config
  spack config blame packages     each value with the file and line it comes from
  spack config scopes             where configuration is read from, lowest precedence first
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    verbs = parser.add_subparsers(dest="verb", metavar="get|blame|scopes|list")
    for verb, text in (("get", "print a section"), ("blame", "print a section with its sources")):
        sub = verbs.add_parser(verb, help=text)
        sub.add_argument("section", nargs="?", help="a section; all without one")
        if verb == "get":
            add_output_options(sub.add_mutually_exclusive_group())
    verbs.add_parser("scopes", help="print where configuration is read from")
    verbs.add_parser("list", help="print the names of the sections")


def run(session: Session, args: argparse.Namespace) -> None:
    if args.verb == "list":
        print("\n".join(sorted(SECTIONS)))
    elif args.verb == "scopes":
        for scope in session.scopes:
            print(f"{scope.name:<14} {scope.path}")
    elif args.verb in ("get", "blame"):
        if args.section and args.section not in SECTIONS:
            raise UsageError(
                f"there is no configuration section {args.section}",
                hint="sections: " + ", ".join(sorted(SECTIONS)),
                ref="config-section",
            )
        sections = [args.section] if args.section else sorted(session.settings.sections)
        if args.verb == "blame":
            _blame(session, sections)
        else:
            data = {name: session.settings.data(name) for name in sections}
            if not print_output(args, lambda: data):
                written = {name: value for name, value in data.items() if value is not None}
                if written:
                    print(to_yaml(written))
    else:
        raise UsageError("spack config: what to do with it?", hint="see `spack config --help`")


def _blame(session: Session, sections: list[str]) -> None:
    rows = [
        (str(origin), ":".join((name, *keys)), value)
        for name in sections
        for keys, value, origin in session.settings.blame(name)
    ]
    width = max((len(row[0]) for row in rows), default=0)
    for origin, keys, value in rows:
        print(f"{origin:<{width}}  {keys}: {to_yaml(value)}")
