"""``spack config``: the configuration and where it comes from."""

from __future__ import annotations

import argparse
import json
from typing import Any

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
            sub.add_argument("--json", action="store_true", help="print JSON")
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
        elif args.json:
            print(json.dumps({name: session.settings.data(name) for name in sections}, indent=1))
        else:
            for name in sections:
                data = session.settings.data(name)
                if data is not None:
                    print("\n".join(_yaml({name: data})))
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
        print(f"{origin:<{width}}  {keys}: {_scalar(value)}")


def _yaml(data: Any, indent: int = 0) -> list[str]:
    """Return plain data as block YAML; it reads back as the same data."""
    pad = "  " * indent
    lines = []
    if isinstance(data, dict):
        for key, value in data.items():
            if isinstance(value, (dict, list)) and value:
                lines.append(f"{pad}{_scalar(key)}:")
                lines += _yaml(value, indent + (0 if isinstance(value, list) else 1))
            else:
                lines.append(f"{pad}{_scalar(key)}: {_scalar(value)}")
    else:
        for item in data:
            if isinstance(item, (dict, list)) and item:
                first, *rest = _yaml(item, indent + 1)
                lines.append(f"{pad}- {first.strip()}")
                lines += rest
            else:
                lines.append(f"{pad}- {_scalar(item)}")
    return lines


_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./$~@+%^=")
_WORDS = frozenset(("true", "false", "null", "yes", "no", "on", "off", "~", ""))


def _scalar(value: Any) -> str:
    """Return a scalar (or an empty collection) in YAML, quoted where YAML would misread it."""
    if value is None or isinstance(value, (bool, int, float, dict, list)):
        return json.dumps(value)
    text = str(value)
    number = text.replace(".", "", 1).replace("e", "", 1).lstrip("+-").isdigit()
    safe = set(text) <= _PLAIN and text[0] not in "-@%=~" if text else False
    return text if safe and text.lower() not in _WORDS and not number else json.dumps(text)
