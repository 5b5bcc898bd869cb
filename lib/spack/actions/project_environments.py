"""An environment of what a Python project says it needs, with recipes of what has none."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from spack import package_api_version
from spack.actions.creating import BASE_PROJECTS, Packages, Wanted
from spack.actions.project_files import ProjectNeeds, WantedProject
from spack.actions.recipe_text import quoted
from spack.actions.release_needs import variant_name
from spack.recipe.requirements import PROGRAMS
from spack.recipe.specifier_ranges import specifier_range
from spack.repo import Repository
from spack.spec import Version, VersionList
from spack.util.project_names import normalized

__all__ = ["ProjectRoots", "environment_text", "own_repository", "removed_on_error", "roots_of"]

#: Directory of the recipes that are made, in the environment's own.
RECIPES = "recipes"


class ProjectRoots(NamedTuple):
    """What an environment asks for.

    :ivar specs: its roots.
    :ivar bounds: project -> the range that it must be in, of constraints.
    :ivar wanted: what no repository has a recipe, or a fitting version, of.
    :ivar left_out: what has no effect, in words.
    """

    specs: tuple[str, ...]
    bounds: Mapping[str, str]
    wanted: tuple[Wanted, ...]
    left_out: tuple[str, ...]


def roots_of(needs: ProjectNeeds, packages: Packages, markers: dict[str, str]) -> ProjectRoots:
    """Return the roots of an environment for what a project needs.

    :param markers: of the interpreter that it will have (:pep:`508`).
    """
    specs: dict[str, None] = {}
    wanted: list[Wanted] = []
    left_out = list(needs.left_out)
    for row in needs.wanted:
        text = _left_out(row, markers)
        if text:
            left_out.append(text)
            continue
        spec, missing = _root(row, packages)
        specs[spec] = None
        wanted += missing
    bounds: dict[str, str] = {}
    for row in needs.constraints:
        versions = specifier_range(row.requirement.specifier)
        if versions and not _left_out(row, markers):
            bounds[row.project] = versions
    return ProjectRoots(tuple(specs), bounds, tuple(wanted), tuple(left_out))


def _left_out(row: WantedProject, markers: dict[str, str]) -> str:
    """Return why a requirement has no effect, "" if it has one."""
    requirement = row.requirement
    if requirement.marker is not None and not requirement.marker.evaluate(markers):
        return f"{row.origin}: {requirement} does not apply here"
    if requirement.url:
        return f"{row.origin}: {requirement}: `spack develop --path DIR` builds from sources"
    if specifier_range(requirement.specifier) is None:
        return f"{row.origin}: {requirement}: no range of versions says that"
    return ""


def _root(row: WantedProject, packages: Packages) -> tuple[str, list[Wanted]]:
    versions = specifier_range(row.requirement.specifier) or ""
    program = PROGRAMS.get(row.project)
    package, recipe = packages.of_project(row.project)
    variants = sorted(variant_name(x) for x in row.requirement.extras)
    missing = []
    if program is not None:
        package, variants = program, []
    elif row.project in BASE_PROJECTS:
        variants = []
    elif recipe is None or not any(
        Version(x.version) in VersionList(versions or ":") for x in recipe.versions
    ):
        missing.append(Wanted(row.project, versions, frozenset(variants)))
    else:
        known = {record.name: record.name for record in recipe.variants}
        known.update({variant_name(name): name for name in known})
        variants = [known[x] for x in variants if x in known]
    at = f"@{versions}" if versions else ""
    return f"{package}{at}{''.join('+' + x for x in variants)}", missing


def own_repository(location: Path, name: str) -> Repository:
    """Make the repository of an environment's own recipes and return it.

    :param location: the directory of the environment.
    """
    namespace = "env_" + "".join(c if c.isalnum() else "_" for c in normalized(name))
    root = location / RECIPES / "spack_repo" / namespace
    (root / "packages").mkdir(parents=True)
    api = ".".join(map(str, package_api_version))
    (root / "repo.yaml").write_text(f"repo:\n  namespace: {namespace}\n  api: v{api}\n")
    return Repository.open(root)


@contextmanager
def removed_on_error(location: Path) -> Iterator[None]:
    """Remove the recipes below *location*, and it if it is empty, when the block fails."""
    was_there = location.exists()
    try:
        yield
    except BaseException:
        shutil.rmtree(location / RECIPES, ignore_errors=True)
        if not was_there:
            shutil.rmtree(location, ignore_errors=True)
        raise


def environment_text(
    roots: ProjectRoots,
    packages: Packages,
    python: str,
    source: str,
    location: Path,
    repository: Repository | None,
) -> str:
    """Return the ``spack.yaml`` of an environment.

    :param python: the version of Python that markers were evaluated for.
    :param source: the name of the file that it was made from.
    :param repository: of its own recipes.
    """
    minor = ".".join(python.split(".")[:2])
    lines = [f"# Made from {source}: what it asks for, as packages.", "spack:", "  specs:"]
    lines += [f"  - {quoted(spec)}" for spec in (f"python@{minor}", *roots.specs)]
    if repository is not None:
        path = repository.root.relative_to(location)
        lines += [
            "  # recipes of what no other repository has: `spack update` keeps them up to date"
        ]
        lines += ["  repos:", f"    {repository.namespace}: ./{path}"]
    if roots.bounds:
        lines += ["  packages:"]
        for project, versions in roots.bounds.items():
            lines += [
                f"    {packages.of_project(project)[0]}:",
                f"      require: [{quoted('@' + versions)}]",
            ]
    lines += ["  view: true", "  concretizer:", "    unify: true"]
    return "\n".join(lines) + "\n"
