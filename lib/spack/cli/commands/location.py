"""``spack location``: where something is."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import Any, Callable

from spack.actions import installed
from spack.actions.concretizing import ConcretizeOptions
from spack.errors import UsageError
from spack.session import Session
from spack.spec import ConcreteSpec, Spec
from spack.spec.parser import parse_many

DESCRIPTION = """print the directory of a package, a recipe, a stage or an environment

In an environment, only what it consists of is looked at. `spack cd` takes the same options.

examples:
  cd $(spack location -i py-black)
  spack location --package-dir py-black    the directory of its recipe
  spack location --source-dir py-black     its unpacked sources, after `spack stage`
  spack location --env work
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    what = parser.add_mutually_exclusive_group()
    for words, text in (
        (("-m", "--module-dir"), "the Python modules of this spack"),
        (("-r", "--spack-root"), "this installation"),
        (("-i", "--install-dir"), "prefix of a package (the default)"),
        (("-p", "--package-dir"), "directory of a recipe"),
        (("-s", "--stage-dir"), "stage of a package"),
        (("-S", "--stages", "--build-stage"), "where builds are staged"),
        (("-c", "--source-dir"), "unpacked sources of a package, which is staged"),
        (("-b", "--build-dir"), "where a package is built, which is staged"),
        (("--store",), "the install tree"),
    ):
        what.add_argument(*words, action="store_true", help=text)
    what.add_argument(
        "-P",
        "--repo",
        "--packages",
        metavar="NAMESPACE",
        nargs="?",
        const="",
        help="a repository of recipes (the first, or that of the spec)",
    )
    what.add_argument(
        "-e", "--env", metavar="ENV", nargs="?", const="", help="an environment (the active one)"
    )
    parser.add_argument("--first", action="store_true", help="the first of several that match")
    parser.add_argument("spec", nargs="*", help="a package; a name with -p and -P")


def run(session: Session, args: argparse.Namespace) -> None:
    print(_found(session, args))


def _found(session: Session, args: argparse.Namespace) -> Any:
    if args.env is not None:
        environment = (
            session.find_environment(args.env)
            if args.env
            else session.need_environment("location --env")
        )
        return environment.path
    fixed: tuple[tuple[bool, Callable[[], Path]], ...] = (
        (args.module_dir, lambda: Path(__file__).parents[2]),
        (args.spack_root, lambda: session.locations.root),
        (args.store, lambda: session.store.root),
        (args.stages, lambda: session.stage_root),
    )
    for asked, where in fixed:
        if asked:
            return where()
    if args.repo is not None and not args.spec:
        return _repository(session, args.repo)
    spec = _one_spec(args)
    if args.repo is not None:
        return session.recipes.repository_of(spec.name or "").root
    if args.package_dir:
        return os.path.dirname(session.need_recipe(spec.name or "").path)
    if args.stage_dir or args.source_dir or args.build_dir:
        return _staged(session, args, spec)
    among = session.environment.hashes() if session.environment else None
    return installed.one(session.store, spec, among=among, first=args.first).prefix


def _one_spec(args: argparse.Namespace) -> Spec:
    specs = parse_many(args.spec)
    if len(specs) != 1:
        raise UsageError("spack location: one spec is needed", hint="spack location -i SPEC")
    return specs[0]


def _repository(session: Session, namespace: str) -> Path:
    repositories = session.recipes.repositories
    found = [x for x in repositories if namespace in ("", x.namespace)]
    if not found:
        if session.recipes.exists(namespace):  # `--repo PACKAGE`: argparse takes it for the value
            return session.recipes.repository_of(namespace).root
        raise UsageError(
            f"there is no repository {namespace}",
            hint="there are " + ", ".join(x.namespace for x in repositories),
            ref="repo-unknown",
        )
    return found[0].root


def _staged(session: Session, args: argparse.Namespace, spec: Spec) -> Path:
    from spack.actions.stages import build_directory, need_stage, source_directory_of

    build_options = session.build_options()
    node = _concrete(session, spec)
    if args.stage_dir:
        return need_stage(build_options, node)
    if args.source_dir:
        return source_directory_of(build_options, node)
    return build_directory(build_options, node)


def _concrete(session: Session, spec: Spec) -> ConcreteSpec:
    """Return the one node of the environment that *spec* means, or *spec* made concrete."""
    if session.environment is not None:
        nodes = {x.dag_hash(): x for root in session.environment.roots() for x in root.traverse()}
        found = [x for x in nodes.values() if x.satisfies(spec)]
        if len(found) == 1:
            return found[0]
    return session.concretize([spec], ConcretizeOptions()).roots[0]
