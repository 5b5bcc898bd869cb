"""``spack add``: add roots to the active environment."""

from __future__ import annotations

import argparse

from spack.cli.render import message
from spack.recipe.package_names import INDEX_NAMESPACE
from spack.session import Session
from spack.spec.parser import parse_many

DESCRIPTION = """add specs to the active environment's spack.yaml; nothing is built

examples:
  spack -e work add py-black 'py-isort@6:'
  spack -e work add 'pypi:httpx[http2]'     a project of the package index without a recipe
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("-l", "--list-name", default="", metavar="LIST", help="a definition")
    parser.add_argument("spec", nargs="+", help="specs")


def run(session: Session, args: argparse.Namespace) -> None:
    environment = session.need_environment("add")
    wanted = parse_many(args.spec)
    specs = [f"{spec.namespace}.{spec}" if spec.namespace else str(spec) for spec in wanted]
    for spec in wanted:
        known = spec.namespace == INDEX_NAMESPACE or session.recipes.is_virtual(spec.name or "")
        if spec.name and not known:
            session.need_recipe(spec.name)
    with environment.lock():
        environment.add(specs, args.list_name)
    message(f"added to {environment.name}: {', '.join(specs)}")
