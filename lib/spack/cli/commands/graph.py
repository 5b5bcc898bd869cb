"""``spack graph``: the dependencies of packages as a graph."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from spack.actions import installed
from spack.actions.concretizing import ConcretizeOptions
from spack.actions.recipe_queries import possible_edges
from spack.cli.graph_text import ascii_graph, dot, mermaid, static_dot
from spack.cli.record_text import add_deptype_argument, deptypes_of
from spack.cli.render import Colors, use_color
from spack.cli.spec_text import node_status
from spack.errors import SpecError, UsageError
from spack.session import Session
from spack.spec import ConcreteSpec
from spack.spec.parser import parse_many

DESCRIPTION = """draw the dependencies of packages

In an active environment the graphs are those of its lock file; without one, specs are
concretized, or (--installed) looked for among what is installed.

examples:
  spack graph py-black                       drawn with characters
  spack graph --deptype link,run --dot py-black | dot -Tsvg >black.svg
  spack graph --svg py-black >black.svg      a picture, without Graphviz
  spack graph --mermaid --installed py-black  for Markdown
  spack graph --static py-black              what recipes allow, for Graphviz
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    form = parser.add_mutually_exclusive_group()
    form.add_argument("-a", "--ascii", action="store_true", help="draw with characters (default)")
    form.add_argument("-d", "--dot", action="store_true", help="print input for Graphviz")
    form.add_argument("--svg", action="store_true", help="print a picture: nodes by their state")
    form.add_argument("--mermaid", action="store_true", help="print input for Mermaid")
    parser.add_argument(
        "-s", "--static", action="store_true", help="what recipes allow; implies --dot"
    )
    parser.add_argument(
        "-c", "--color", action="store_true", help="with --dot: colours for dependency types"
    )
    parser.add_argument("-i", "--installed", action="store_true", help="of what is installed")
    add_deptype_argument(parser)
    parser.add_argument("spec", nargs="*", help="packages; the environment's without any")


def run(session: Session, args: argparse.Namespace) -> None:
    if args.color and not args.dot:
        raise UsageError("spack graph: --color needs --dot", hint="add --dot, or leave it out")
    types = deptypes_of(args.deptype)
    if args.static:
        names = [spec.name for spec in parse_many(args.spec) if spec.name]
        if not names:
            raise UsageError("spack graph: --static needs a package", hint="spack graph -s NAME")
        print(static_dot(possible_edges(session.recipes, names, types)))
        return
    roots = _roots(session, args)
    if args.dot:
        print(dot(roots, types, color=args.color))
    elif args.svg:
        from spack.cli.graph_svg import graph_svg  # start-up: few ask for it

        nodes = {x.dag_hash(): x for root in roots for x in root.traverse()}
        status = node_status(session.store.database.records_of(nodes))
        every = {digest: status(node) for digest, node in nodes.items()}
        print(graph_svg(roots, types, every))
    elif args.mermaid:
        print(mermaid(roots, types))
    else:
        colors = Colors(use_color(sys.stdout, session.options.color))
        print("\n\n".join(ascii_graph(root, types, colors) for root in roots))


def _roots(session: Session, args: argparse.Namespace) -> Sequence[ConcreteSpec]:
    specs = parse_many(args.spec)
    environment = session.environment
    if args.installed and environment is not None:
        raise UsageError(
            "spack graph: --installed looks at everything, and an environment is active",
            hint="leave it out, or run outside of environments: spack -E graph --installed",
        )
    found: list[ConcreteSpec] = []
    if args.installed:
        records = installed.find(session.store, specs)
        found = list(session.store.database.specs(x.hash for x in records).values())
    elif environment is not None:
        roots = environment.roots()
        every = {x.dag_hash(): x for root in roots for x in root.traverse()}.values()
        found = [x for x in every if any(x.satisfies(y) for y in specs)] if specs else list(roots)
    elif specs:
        return session.concretize(specs, ConcretizeOptions()).roots
    else:
        raise UsageError(
            "spack graph: a package, or an active environment, is needed",
            hint="spack graph PACKAGE, or spack -e NAME-OR-DIR graph",
        )
    if not found:
        raise SpecError(
            f"nothing matches {' '.join(args.spec) or 'the query'}",
            hint="spack find lists what there is",
            ref="no-match",
        )
    return found
