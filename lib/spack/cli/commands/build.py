"""``spack build``: build single nodes of a locked graph."""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from spack.cli.commands.install import install_options
from spack.cli.render import render_error
from spack.errors import UsageError
from spack.session import Session
from spack.spec import ConcreteSpec
from spack.util.frozen import replace

if TYPE_CHECKING:
    from spack.actions.installing import InstallOptions
    from spack.actions.node_builds import NodeOutcome, NodeStatus
    from spack.util.jobserver import Jobserver

REPORTS = True
DESCRIPTION = """build single nodes of a lock file: the unit of work of make, Slurm and CI

Exactly these nodes are built, in the order given; what they need must be in the store or come from
a cache of binaries. What is built is pushed to the mirrors that are configured with autopush.
It can be repeated, and several processes can do it at once: a node is built once. The last line of
standard output is a JSON object with hash, name, version, status, seconds and, where there are
any, prefix, error, missing and logs; with several nodes it is one line for each.

exit status, of several nodes the first of these that occurs:
  1  a build failed, or the store cannot be used       status: failed
  4  a dependency is neither in the store nor cached   status: missing
  0  built, or taken from a cache                      status: built, fetched
  3  all were in the store (0 with --present-ok)       status: present
  2  the command line is wrong (no JSON)

examples:
  spack -e DIR build /lxq4f3u             a node of DIR/spack.lock, by the beginning of its hash
  spack build node.json                   the root of a file of `spack spec --json`
  spack -e DIR build --present-ok /lxq4f3u
"""

#: Exit statuses by outcome; the first that occurs is that of several nodes.
_EXITS: Mapping[NodeStatus, int] = {
    "failed": 1,
    "missing": 4,
    "built": 0,
    "fetched": 0,
    "present": 3,
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("-j", "--jobs", type=int, metavar="N", help="processes of the build")
    parser.add_argument(
        "--jobserver",
        metavar="FILE",
        help="share the processes of -j with all builds that name this named pipe; it is made. "
        "That of make is used where MAKEFLAGS names one",
    )
    parser.add_argument(
        "--present-ok",
        action="store_true",
        help="exit with 0 also if all nodes were in the store, for engines that take any other "
        "status as a failure",
    )
    parser.add_argument(
        "--no-cache", action="store_true", help="build from sources what a cache has, too"
    )
    parser.add_argument(
        "-n", "--no-checksum", action="store_true", help="take sources without a known checksum"
    )
    parser.add_argument("--keep-stage", action="store_true", help="keep stages of good builds")
    parser.add_argument("-v", "--verbose", action="store_true", help="show what builds print")
    parser.add_argument(
        "--probe",
        metavar="LOCK",
        help="build nothing; print whether this lock of the install tree is seen and held, as "
        "`spack install --on` asks it of a node",
    )
    parser.add_argument("node", metavar="/HASH|FILE", nargs="*", help="what to build")


def run(session: Session, args: argparse.Namespace) -> int:
    if args.probe is not None:
        from spack.actions.store_probe import probe_store

        print(json.dumps({"probe": probe_store(session.store, args.probe)._asdict()}))
        return 0
    if not args.node:
        raise UsageError("spack build: nothing is named", hint="see `spack build --help`")
    nodes = list(_nodes(session, args))
    with _jobserver(session, args) as jobserver:
        outcomes = _outcomes(session, _work(session, args, jobserver), nodes)
    exits = list(_EXITS)
    worst = min((outcome.status for outcome in outcomes), key=exits.index)
    return 0 if worst == "present" and args.present_ok else _EXITS[worst]


def _outcomes(
    session: Session, work: InstallOptions, nodes: Sequence[tuple[ConcreteSpec, bool]]
) -> list[NodeOutcome]:
    """Build *nodes*, each with whether it is explicit, and print the outcome of each."""
    from spack.actions.node_builds import build_node

    outcomes = []
    for node, explicit in nodes:
        outcome = build_node(
            node, work, explicit=explicit, excluded_directories=session.excluded_directories
        )
        _print(session, outcome)
        outcomes.append(outcome)
    return outcomes


def _jobserver(
    session: Session, args: argparse.Namespace
) -> AbstractContextManager[Jobserver | None]:
    """Return what gives builds their processes: a pool, make's job server, or nothing."""
    from spack.util.jobserver import inherited_jobserver, join_pool

    server = inherited_jobserver(session.environ)
    if server is not None or args.jobserver is None:
        return nullcontext(server)
    jobs = args.jobs or session.settings.config.build_jobs
    return join_pool(Path(session.cwd, args.jobserver), jobs)


def _nodes(session: Session, args: argparse.Namespace) -> Iterator[tuple[ConcreteSpec, bool]]:
    """Yield what is to be built, each with whether the user asked for it.

    :raises UsageError: a word names no node.
    """
    from spack.actions.environments import remember
    from spack.actions.node_builds import is_hash, locked_node
    from spack.actions.spec_files import read_spec_file

    locked: dict[str, ConcreteSpec] = {}
    explicit: frozenset[str] = frozenset()
    if any(is_hash(text) for text in args.node):
        environment = session.need_environment("build /HASH")
        roots = environment.roots()
        locked = {node.dag_hash(): node for root in roots for node in root.traverse()}
        explicit = frozenset(x.dag_hash() for x in roots) - environment.implicit_roots()
        remember(environment, session.environments_file)
    for text in args.node:
        if is_hash(text):
            node = locked_node(text, locked)
            yield node, node.dag_hash() in explicit
        else:
            yield read_spec_file(str(session.cwd / text)), True


def _work(
    session: Session, args: argparse.Namespace, jobserver: Jobserver | None
) -> InstallOptions:
    """Return how the nodes are installed: dependencies come from caches only."""
    from spack.actions.binary_installs import CachePolicy
    from spack.session.binary_parts import cached_installs, pushing

    policy = CachePolicy("never" if args.no_cache else "auto", "only")
    caches = cached_installs(session, policy)
    if caches is not None:
        caches.beyond_index = True
    work = install_options(session, None, caches)
    config = session.settings.config
    verbose = args.verbose or session.options.verbose
    return replace(
        work,
        build_options=lambda: dataclasses.replace(
            session.build_options(checksum=not args.no_checksum, verbose=verbose),
            jobserver=jobserver,
        ),
        jobs=args.jobs or config.build_jobs,
        keep_stage=args.keep_stage,
        pushed=pushing(session),
    )


def _print(session: Session, outcome: NodeOutcome) -> None:
    if outcome.error is not None:
        options = session.options
        render_error(outcome.error, sys.stderr, color=options.color, debug=options.debug)
    sys.stdout.write(json.dumps(outcome.to_json()) + "\n")
    sys.stdout.flush()
