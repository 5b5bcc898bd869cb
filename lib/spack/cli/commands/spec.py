"""``spack spec``: what a spec becomes."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, get_args

from spack.actions.concretizing import ConcretizeOptions
from spack.cli.output import add_output_options, is_for_programs, print_output
from spack.cli.render import Colors, use_color
from spack.cli.spec_text import TreeParts, node_status, tree
from spack.config.wheel_policy import WheelPolicy
from spack.errors import UsageError
from spack.spec import DEPTYPES, parse_many, to_specfile, traverse_all

if TYPE_CHECKING:
    from spack.config.other_machines import OtherMachine
    from spack.environment import Environment
    from spack.session import Session
    from spack.spec import ConcreteSpec

DESCRIPTION = """show what a spec becomes when it is concretized; nothing is built

examples:
  spack spec py-black                  the whole graph
  spack spec -Il py-black ^python@3.11 with what is installed, and hashes
  spack spec --json py-black           for programs
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_display_arguments(parser)
    add_concretizer_arguments(parser)
    add_machine_argument(parser)
    parser.add_argument("spec", nargs="*", help="specs; the environment's without any")


def add_display_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments for showing graphs; ``solve`` has the same."""
    marks = parser.add_mutually_exclusive_group()
    marks.add_argument("-I", "--install-status", action="store_true", help="mark what is there")
    marks.add_argument("--no-install-status", action="store_true", help="do not (the default)")
    parser.add_argument(
        "-c",
        "--cover",
        choices=("nodes", "edges", "paths"),
        default="nodes",
        help="show each node once, below each that needs it, or with all below it (nodes)",
    )
    parser.add_argument("-l", "--long", action="store_true", help="show 7 characters of hashes")
    parser.add_argument("-L", "--very-long", action="store_true", help="show whole hashes")
    parser.add_argument("-N", "--namespaces", action="store_true", help="show namespaces")
    parser.add_argument("-t", "--types", action="store_true", help="show dependency types")
    form = parser.add_mutually_exclusive_group()
    add_output_options(form, short=True, template="print the roots in a format of specs")


def add_concretizer_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments that change the solution, the same for all commands that concretize."""
    reuse = parser.add_mutually_exclusive_group()
    reuse.add_argument("-U", "--fresh", action="store_true", help="do not reuse installed packages")
    reuse.add_argument("--reuse", action="store_true", help="reuse installed packages")
    reuse.add_argument(
        "--reuse-deps",
        "--fresh-roots",
        action="store_true",
        help="reuse them for dependencies only",
    )
    parser.add_argument(
        "-f", "--force", action="store_true", help="forget what an environment's lock file has"
    )
    parser.add_argument("--deprecated", action="store_true", help="allow deprecated versions")
    parser.add_argument(
        "--wheels",
        choices=get_args(WheelPolicy),
        help="take wheels of the package index: where asked for, for builds, where they fit, only",
    )
    parser.add_argument(
        "--test", choices=("root", "all"), help="also what the packages' tests need"
    )


def add_machine_argument(parser: argparse.ArgumentParser, *, several: bool = False) -> None:
    """Add ``--for``.

    :param several: it may be given more than once.
    """
    parser.add_argument(
        "--for",
        dest="machines",
        metavar="PYTHON",
        action="append",
        default=[],
        help="for another machine or interpreter: 'python@3.13 os=debian13 target=aarch64', "
        "with prefix=DIR where it is not in /usr" + ("; for several" if several else ""),
    )


def machines_of(session: Session, args: argparse.Namespace) -> list[OtherMachine]:
    """Return what ``--for`` names.

    :raises UsageError: it cannot be read.
    """
    texts = getattr(args, "machines", ())
    if not texts:
        return []
    # start-up: few users solve for other machines
    from spack.config.other_machines import read_machine

    return [read_machine(text, session.host) for text in texts]


def run(session: Session, args: argparse.Namespace) -> None:
    roots = concretize_arguments(session, args)
    show(session, args, roots)


def concretize_options(
    args: argparse.Namespace,
    environment: Environment | None = None,
    machine: OtherMachine | None = None,
    *,
    again: bool = False,
) -> ConcretizeOptions:
    """Return the options that :func:`add_concretizer_arguments` has read.

    :param environment: its roots are meant where the command line names none.
    :param again: see :class:`ConcretizeOptions`.
    :param machine: what is solved for, if it is not this one.
    """
    reuse: bool | str | None = None
    if args.fresh:
        reuse = False
    elif args.reuse_deps:
        reuse = "dependencies"
    elif args.reuse:
        reuse = True
    tests: bool | frozenset[str] = False
    if args.test == "all":
        tests = True
    elif args.test == "root":
        texts = list(args.spec)
        if environment is not None and not texts:
            texts = [item.text for item in environment.user_specs()]
        tests = frozenset(spec.name for spec in parse_many(texts) if spec.name)
    as_locked = getattr(args, "only_concrete", False)
    return ConcretizeOptions(
        reuse,
        args.deprecated,
        tests,
        force=args.force,
        as_locked=as_locked,
        wheels=args.wheels,
        caches=not getattr(args, "no_cache", False)
        and getattr(args, "use_buildcache", "auto") != "never",
        again=again,
        machine=machine,
    )


def concretize_options_for(
    session: Session, args: argparse.Namespace, environment: Environment | None = None
) -> ConcretizeOptions:
    """Return the same with the one machine that ``--for`` names.

    :raises UsageError: it cannot be read, or names several.
    """
    machines = machines_of(session, args)
    if len(machines) > 1:
        raise UsageError(
            f"cannot solve for {len(machines)} machines at once: a lock file is for one",
            hint="give --for once, and each machine an environment of its own",
            ref="machine",
        )
    return concretize_options(args, environment, next(iter(machines), None))


def concretize_arguments(session: Session, args: argparse.Namespace) -> Sequence[ConcreteSpec]:
    """Return the specs of the command line, or the environment's, made concrete."""
    if not args.spec:
        environment = session.need_environment("spec")
        return session.concretize_environment(
            environment, concretize_options_for(session, args, environment)
        ).roots
    options = concretize_options_for(session, args)
    return session.concretize(parse_many(args.spec), options).roots


def show(session: Session, args: argparse.Namespace, roots: Sequence[ConcreteSpec]) -> None:
    """Print the graphs in the form that was asked for; each is a document of its own."""
    if is_for_programs(args):
        for root in roots:
            print_output(args, partial(to_specfile, root), partial(_formatted, root))
        return
    colors = Colors(use_color(sys.stdout, session.options.color))
    status = None
    if args.install_status or colors.enabled:
        digests = {node.dag_hash() for node in traverse_all(roots, DEPTYPES)}
        status = node_status(session.store.database.records_of(digests))
    parts = TreeParts(
        marks=args.install_status,
        hash_length=32 if args.very_long else 7 if args.long else None,
        types=args.types,
        namespaces=args.namespaces,
        cover=args.cover,
    )
    print(tree(roots, colors, parts, status))


def _formatted(root: ConcreteSpec, text: str) -> list[str]:
    return [root.format(text)]
