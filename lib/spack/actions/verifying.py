"""What is installed, compared with what recipes say of it by now."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from spack.config.packages import PackageSettings
from spack.repo import RepoPath
from spack.store import InstallRecord

__all__ = ["Finding", "check_externals", "check_versions", "owner_of"]


class Finding(NamedTuple):
    """Something that is not as it should be."""

    subject: str
    text: str


def check_versions(records: Iterable[InstallRecord], recipes: RepoPath) -> list[Finding]:
    """Return the installed nodes whose version no recipe has, or is deprecated."""
    found = []
    for record in records:
        if not recipes.exists(record.name) or recipes.is_broken(record.name):
            found.append(Finding(record.short, "no repository has its recipe"))
            continue
        recipe = recipes.get(record.name)
        versions = {x.version: x for x in recipe.versions} if recipe is not None else {}
        version = versions.get(record.version)
        if version is None and not record.version.startswith("git."):
            found.append(Finding(record.short, "its recipe does not have this version"))
        elif version is not None and version.deprecated:
            found.append(Finding(record.short, "this version is deprecated"))
    return found


def check_externals(
    packages: Iterable[tuple[str, PackageSettings]], recipes: RepoPath
) -> list[Finding]:
    """Return the configured externals that are not there, or that no recipe describes."""
    found = []
    for name, settings in packages:
        for entry in settings.externals:
            where = f"{entry.spec} ({entry.origin})"
            if not recipes.exists(name):
                found.append(Finding(where, "no repository has a recipe for it"))
            if entry.prefix and not Path(entry.prefix).is_dir():
                found.append(Finding(where, f"there is no directory {entry.prefix}"))
    return found


def owner_of(path: Path, records: Iterable[InstallRecord]) -> InstallRecord | None:
    """Return the installed node that *path* belongs to by its prefix; None without one."""
    for record in records:
        if not record.external and Path(record.prefix) in (path, *path.parents):
            return record
    return None
