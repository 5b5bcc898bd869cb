"""``spack containerize``: recipes of container images."""

from __future__ import annotations

import argparse
import sys

from spack.cli.render import message
from spack.errors import EnvironmentFileError, UsageError
from spack.session import Session

DESCRIPTION = """write the recipe of a container image that builds an environment

A Dockerfile, or a definition of Singularity, to standard output; see `container:` in spack.yaml. Of
the active environment, or of the spack.yaml in this directory. `spack env pack --format oci` makes
an image of what is installed, without building it again and without a container engine.

examples:
  spack containerize > Dockerfile
  docker build --build-context spack=$SPACK_ROOT .
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--list-os", action="store_true", help="list the operating systems")
    parser.add_argument(
        "--last-stage",
        choices=("bootstrap", "build", "final"),
        default="final",
        help="the last stage of the recipe",
    )


def run(session: Session, args: argparse.Namespace) -> None:
    from spack.actions.containerizing import CONTAINER_OS, container_recipe, container_text

    if args.list_os:
        message("operating systems of images that spack is put into:", sys.stdout)
        print(" ".join(sorted(CONTAINER_OS)))
        return
    environment = session.environment
    if environment is None:
        try:
            environment = session.find_environment(".", directory_only=True)
        except EnvironmentFileError as error:
            raise UsageError(
                "spack containerize: there is no spack.yaml here, and no environment is active",
                hint="spack -e ENV containerize",
                ref="containerize",
            ) from error
    recipe = container_recipe(
        environment.manifest.tree, session.host.os, str(session.locations.root)
    )
    sys.stdout.write(container_text(recipe, args.last_stage))
