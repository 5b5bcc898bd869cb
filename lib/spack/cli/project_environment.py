"""``spack env create --from-…``: an environment of what a Python project says it needs."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING

from spack.cli.render import message, warning
from spack.errors import UsageError
from spack.util.text import count_of

if TYPE_CHECKING:
    from spack.errors import SpackError
    from spack.session import Session

__all__ = ["add_project_options", "project_environment_text"]

#: Option -> kind of file.
_KINDS = {
    "from_requirements": "requirements",
    "from_pyproject": "pyproject",
    "from_pylock": "pylock",
}


def add_project_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that name a project's file, and what is wanted of it."""
    source = parser.add_mutually_exclusive_group()
    source.add_argument("--from-requirements", metavar="FILE", help="a requirements.txt")
    source.add_argument("--from-pyproject", metavar="FILE", help="a pyproject.toml")
    source.add_argument("--from-pylock", metavar="FILE", help="a pylock.toml (PEP 751)")
    parser.add_argument(
        "--extras", metavar="NAMES", help="extras and groups of the pyproject.toml, with commas"
    )
    parser.add_argument(
        "--python", metavar="VERSION", help="the Python of such an environment (as concretized)"
    )


def project_environment_text(
    session: Session, args: argparse.Namespace, location: Path, name: str
) -> str:
    """Return the ``spack.yaml`` for the file that is named, "" without one; write its recipes.

    :param location: the directory of the environment; recipes are written into it.
    :raises UsageError: the file cannot be used, or a recipe cannot be made.
    """
    option = next((option for option in _KINDS if getattr(args, option, None)), None)
    if option is None:
        return ""
    from spack.actions.creating import CreateOptions, Packages, RecipeMaker
    from spack.actions.metadata import environment
    from spack.actions.project_environments import (
        environment_text,
        own_repository,
        removed_on_error,
        roots_of,
    )
    from spack.actions.project_files import READERS
    from spack.actions.python_releases import Fetchers
    from spack.host.platform import platform_name

    if args.file is not None:
        raise UsageError(
            f"--{option.replace('_', '-')} and {args.file} are one too many",
            hint="an environment has one source",
            ref="environment-source",
        )
    if location.joinpath("spack.yaml").exists():
        return ""  # it is refused where environments are made
    path = Path(os.path.abspath(session.cwd / getattr(args, option)))
    extras = tuple(filter(None, (args.extras or "").split(",")))
    needs = READERS[_KINDS[option]](path, extras)
    python = _python(session, args.python, needs.requires_python)
    packages = Packages(session.recipes)
    roots = roots_of(needs, packages, environment_markers(environment(python)))
    for text in roots.left_out:
        warning(f"left out: {text}")
    repository = None
    with removed_on_error(location):
        if roots.wanted:
            repository = own_repository(location, name or location.name)
            maker = RecipeMaker(
                repository,
                packages,
                Fetchers(session.fetcher(), session.fetcher(checksum=False)),
                CreateOptions(
                    versions=1,
                    recursive=True,
                    force=True,
                    platform=platform_name(),
                    bounds=roots.bounds,
                    fitting=True,
                    pythons=(python,),
                ),
            )
            made: set[str] = set()
            for created in maker.all_of(roots.wanted, None, _failed):
                made.add(created.draft.name)
            message(f"made {count_of(len(made), 'recipe')} in {repository.packages}")
        return environment_text(
            roots, packages, python, path.name, location=location, repository=repository
        )


def environment_markers(python: object) -> dict[str, str]:
    """Return all markers of this machine with those of the environment's Python."""
    from packaging.markers import default_environment  # start-up

    found = {name: str(value) for name, value in default_environment().items()}
    assert isinstance(python, dict)
    return {**found, **python, "extra": ""}


def _failed(project: str, error: SpackError) -> None:
    warning(f"cannot make a recipe of {project}: {error.message}")


def _python(session: Session, wanted: str | None, requires: str) -> str:
    """Return the version of Python that the environment is to have."""
    from packaging.specifiers import InvalidSpecifier, SpecifierSet  # start-up

    from spack.actions.concretizing import ConcretizeOptions
    from spack.recipe.specifier_ranges import specifier_range
    from spack.spec import Spec

    try:
        versions = wanted or specifier_range(SpecifierSet(requires))
    except InvalidSpecifier as error:
        raise UsageError(
            f"invalid requires-python: {requires}", hint="write >=3.9", ref="requires-python"
        ) from error
    spec = Spec.parse(f"python@{versions}" if versions else "python")
    return str(session.concretize([spec], ConcretizeOptions()).roots[0].version)
