"""``spack arch``: what this machine is."""

from __future__ import annotations

import argparse

from spack.session import Session

DESCRIPTION = """print this machine's architecture as platform-os-target

examples:
  spack arch                     linux-debian12-zen3
  spack arch --target            zen3
  spack arch --known-targets     all targets whose programs run here, best first
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    part = parser.add_mutually_exclusive_group()
    part.add_argument("-p", "--platform", action="store_true", help="print only the platform")
    part.add_argument("-o", "--operating-system", action="store_true", help="print only the OS")
    part.add_argument("-t", "--target", action="store_true", help="print only the target")
    part.add_argument("--known-targets", action="store_true", help="list compatible targets")
    part.add_argument(
        "--family", "-g", "--generic-target", action="store_true", help="print the family: x86_64"
    )
    for words in (("-f", "--frontend"), ("-b", "--backend")):
        # Spack's names from when login nodes had a target of their own.
        part.add_argument(*words, action="store_true", help="the same as without (deprecated)")
    part.add_argument("--generic", action="store_true", help="print the feature level: x86_64_v3")


def run(session: Session, args: argparse.Namespace) -> None:
    host = session.host
    if args.platform:
        print(host.platform)
    elif args.operating_system:
        print(host.os)
    elif args.target:
        print(host.target)
    elif args.family:
        print(host.family)
    elif args.generic:
        print(next((x for x in host.targets if x.startswith(f"{host.family}_v")), host.family))
    elif args.known_targets:
        print("\n".join(host.targets))
    else:
        print(f"{host.platform}-{host.os}-{host.target}")
