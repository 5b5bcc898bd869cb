"""The compilers that packages can be built with: configured externals, and detected ones."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from spack.config.edit import SectionFile
from spack.config.packages import ExternalEntry, PackageSettings
from spack.errors import ConfigError
from spack.host.compiler_families import FAMILIES
from spack.repo import RepoPath
from spack.spec import Spec
from spack.spec.languages import LANGUAGE_NAMES

__all__ = [
    "COMPILER_NAMES",
    "CompilerRow",
    "compiler_packages",
    "compilers",
    "matching",
    "remove_compilers",
]

#: Packages whose compilers can be detected.
COMPILER_NAMES = tuple(family.name for family in FAMILIES)


class CompilerRow(NamedTuple):
    """One compiler: its package, and its entry among the externals."""

    name: str
    entry: ExternalEntry

    @property
    def paths(self) -> Mapping[str, str]:
        """Its programs by language."""
        found: Mapping[str, str] = self.entry.extra_attributes.get("compilers", {})
        return found


def compiler_packages(recipes: RepoPath) -> list[str]:
    """Return the sorted names of the packages that provide a language."""
    return sorted({name for virtual in LANGUAGE_NAMES for name in recipes.providers(virtual)})


def compilers(packages: Mapping[str, PackageSettings], names: Iterable[str]) -> list[CompilerRow]:
    """Return the compilers among the externals of *packages*."""
    rows = []
    for name in names:
        settings = packages.get(name)
        rows += [CompilerRow(name, x) for x in (settings.externals if settings else ())]
    return rows


def matching(rows: Sequence[CompilerRow], spec: Spec) -> list[CompilerRow]:
    """Return the compilers that *spec* means.

    :raises ConfigError: there is none.
    """
    found = [row for row in rows if Spec.parse(row.entry.spec).satisfies(spec)]
    if not found:
        raise ConfigError(
            f"no compiler matches {spec}",
            facts={"spec": str(spec)},
            hint="`spack compiler list` shows all; `spack compiler find` looks for more",
            ref="no-compiler",
        )
    return found


def remove_compilers(file: SectionFile, name: str, entries: Iterable[str]) -> list[str]:
    """Remove externals of *name* from a ``packages`` section; return the texts of those removed."""
    row = file.data.get(file.key(name)) if hasattr(file.data, "get") else None
    externals = row.get("externals") if row else None
    if not externals:
        return []
    wanted = set(entries)
    leaving = [index for index, item in enumerate(externals) if str(item.get("spec")) in wanted]
    texts = [str(externals[index]["spec"]) for index in leaving]

    def remove() -> None:
        current = file.data[file.key(name)]
        for index in reversed(leaving):
            del current["externals"][index]
        if not current["externals"]:
            del current["externals"]
        if not current:
            del file.data[file.key(name)]

    if leaving:
        file.changed(remove)
    return texts
