"""Commands that load modules: the options, and the lines that are printed."""

from __future__ import annotations

import argparse
import io
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, TextIO

from spack.cli.render import message, warning
from spack.config.module_settings import MODULE_KINDS
from spack.errors import UsageError
from spack.spec.traversal import traverse_all
from spack.util.filesystem import atomic_write

if TYPE_CHECKING:
    # `spack env` has other subcommands too, which need no module files.
    from spack.actions.module_files import ModuleFiles
    from spack.session import Session
    from spack.spec import ConcreteSpec

__all__ = [
    "add_environment_loads",
    "add_loads_arguments",
    "environment_loads",
    "print_loads",
    "with_dependencies",
]


def add_environment_loads(verbs: Any) -> None:
    """Add ``loads`` to the subcommands of ``spack env``."""
    parser = verbs.add_parser("loads", help="write a script that loads the environment's modules")
    parser.add_argument(
        "-n", "--module-set-name", metavar="SET", default="default", help="the set of modules"
    )
    parser.add_argument(
        "-m", "--module-type", choices=MODULE_KINDS, default="tcl", help="tcl (usual) or lmod"
    )
    add_loads_arguments(parser)


def environment_loads(session: Session, args: argparse.Namespace) -> None:
    """Write the file ``loads`` of the active environment.

    :raises UsageError: none is active, or nothing of it is installed.
    """
    from spack.session.module_parts import module_files

    environment = session.need_environment("env loads")
    present = session.store.database.installed_hashes()
    roots = {root.dag_hash(): root for root in environment.roots()}
    there = [root for digest, root in roots.items() if digest in present]
    if not there:
        raise UsageError(
            f"nothing of {environment.name} is installed",
            hint="`spack install` installs it",
            ref="not-installed",
        )
    files = module_files(session, args.module_type, args.module_set_name)
    stream = io.StringIO()
    print_loads(args, files, there, stream)
    path = environment.path / "loads"
    atomic_write(path, stream.getvalue())
    message(f"To load this environment, type: source {path}")


def add_loads_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``module loads`` and ``env loads``."""
    parser.add_argument(
        "--input-only", action="store_true", help="only the names, without `module load`"
    )
    parser.add_argument(
        "-p", "--prefix", default="", help="text before each name, such as a directory"
    )
    parser.add_argument(
        "-x",
        "--exclude",
        metavar="PACKAGE",
        action="append",
        default=[],
        help="comment out this package; may be repeated",
    )
    parser.add_argument("-r", "--dependencies", action="store_true", help="what they need, too")


def with_dependencies(nodes: Sequence[ConcreteSpec]) -> Iterator[ConcreteSpec]:
    """Yield the nodes and what they link to and run with, dependencies first.

    What is a part of the system is left out, unless it is one of *nodes*.
    """
    from spack.actions.module_files import is_of_system  # start-up: `spack env`

    for node in traverse_all(tuple(nodes), ("link", "run"), "post"):
        if node in nodes or not is_of_system(node):
            yield node


def print_loads(
    args: argparse.Namespace, files: ModuleFiles, nodes: Sequence[ConcreteSpec], stream: TextIO
) -> None:
    """Write a line for each module, for a shell or (``--input-only``) for ``module load``."""
    for node in with_dependencies(nodes) if args.dependencies else nodes:
        entry = files.entry(node)
        text = node.format("{name}{@version}{variants}{/hash:7}")
        if entry is None:
            stream.write(f"## no module: {text}\n")
            warning(f"{node.short} has no module file")
            continue
        mark = "## " if node.name in args.exclude else ""
        if args.input_only:
            stream.write(f"{mark}{args.prefix}{entry.use_name}\n")
        else:
            stream.write(f"# {text}\n{mark}module load {args.prefix}{entry.use_name}\n")
