"""Which versions of a compiler generate code for a target.

A graph for the machine's own processor needs a compiler that knows it. Where one that may be
chosen does not, the targets that it knows are candidates too.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from spack.host.code_generation import ARCHSPEC_NAMES, is_in_ranges
from spack.solver.candidates import Catalog, external_version
from spack.solver.problem import Root
from spack.spec import Spec, Version
from spack.spec.languages import LANGUAGE_NAMES

__all__ = ["compilers", "generated", "limits"]


def limits(catalog: Catalog, roots: Sequence[Root], target: str) -> bool:
    """Return whether a compiler that is there, or that is named, generates no code for *target*."""
    names = compilers(catalog)
    ranges = catalog.problem.host.compiler_ranges(target)
    for name in names:
        versions = [external_version(Spec.parse(row.spec)) for row in catalog.externals(name)]
        versions += [spec.version for spec in catalog.installed(name)]
        if not all(_generates(ranges, name, version) for version in versions if version):
            return True
    for spec in _named(catalog, roots):
        if spec.name in names and not spec.versions.is_any:
            wanted = catalog.get(spec.name).mask(spec.versions)
            if wanted & ~generated(catalog, spec.name, target):
                return True
    return False


def generated(catalog: Catalog, name: str, target: str) -> int:
    """Return the mask of the versions of compiler *name* that generate code for *target*."""
    key = (name, target)
    known = catalog.compiler_targets.get(key)
    if known is None:
        candidates = catalog.get(name)
        ranges = catalog.problem.host.compiler_ranges(target)
        known = 0
        for index, candidate in enumerate(candidates.versions):
            if _generates(ranges, name, candidate.version):
                known |= 1 << index
        catalog.compiler_targets[key] = known
    return known


def compilers(catalog: Catalog) -> set[str]:
    """Return the packages that compile a language."""
    return {name for language in LANGUAGE_NAMES for name in catalog.providers(language)}


def _generates(ranges: Mapping[str, Sequence[str]], name: str, version: Version) -> bool:
    known = ranges.get(ARCHSPEC_NAMES.get(name, name))
    return known is None or is_in_ranges(str(version.dotted), known)


def _named(catalog: Catalog, roots: Sequence[Root]) -> Iterator[Spec]:
    """Return what roots and requirements say of any package."""
    for root in roots:
        yield from root.spec.traverse()
    for settings in catalog.problem.packages.values():
        for group in (*settings.require, *settings.prefer):
            for text in group.specs:
                yield from Spec.parse(text).traverse()
