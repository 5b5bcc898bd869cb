"""The candidates for a package: versions to build, externals and installed specs.

Sets of versions are bit masks over one list per package, best version first, so that a
constraint costs one ``&``. The order is Spack's: what the configuration prefers, then
``preferred=True``, plain before git versions, numbers before names such as ``develop``, final
before pre-releases, then the greatest; deprecated versions come last.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from spack.errors import UnsatisfiableError
from spack.recipe.compiler_runtimes import COMPILERS_OF_RUNTIMES
from spack.recipe.records import DependencyRecord, Recipe
from spack.solver.offered_specs import OfferedSpecs
from spack.solver.problem import ExternalLike, PackageLike, Problem
from spack.solver.wheel_choices import WheelChoices
from spack.spec import ConcreteSpec, GitVersion, Spec, VariantValue, Version, VersionList
from spack.spec.deptypes import RUN_TIME

__all__ = ["Candidates", "Catalog", "ExternalCandidate", "VersionCandidate", "preference"]


@dataclass(frozen=True)
class VersionCandidate:
    """A version, and whether it can be built from the recipe."""

    version: Version
    declared: bool = True
    deprecated: bool = False


@dataclass(frozen=True)
class ExternalCandidate:
    """An external of the configuration with its parsed spec."""

    entry: ExternalLike
    spec: Spec
    version: Version
    mask: int
    index: int


@dataclass
class Candidates:
    """All candidates for one package; see :class:`Catalog`."""

    name: str
    recipe: Recipe | None
    versions: list[VersionCandidate] = field(default_factory=list)
    externals: list[ExternalCandidate] = field(default_factory=list)
    installed: list[ConcreteSpec] = field(default_factory=list)
    #: Why it may not be built: the origin of ``buildable: false``; None when it may.
    fixed: str | None = None
    #: Versions that may be built.
    buildable: int = 0
    deprecated: int = 0
    #: Rank of each version among those that are there already: deprecation does not count there.
    ranks: list[int] = field(default_factory=list)
    _masks: dict[VersionList, int] = field(default_factory=dict)
    _index: dict[str, int] = field(default_factory=dict)

    @property
    def everything(self) -> int:
        """The mask of all versions."""
        return (1 << len(self.versions)) - 1

    def mask(self, versions: VersionList) -> int:
        """Return the mask of the versions in *versions*; memoized."""
        found = self._masks.get(versions)
        if found is None:
            found = 0
            if versions.is_any:
                found = self.everything
            else:
                for index, candidate in enumerate(self.versions):
                    if versions.holds(candidate.version):
                        found |= 1 << index
            self._masks[versions] = found
        return found

    def index(self, version: Version) -> int:
        """Return the index of *version* in the list; an installed spec's version always has one."""
        return self._index[version.string]

    @property
    def available_only(self) -> bool:
        """Whether it can only be had as an external or as an installed spec."""
        return self.fixed is not None or not any(row.declared for row in self.versions)

    @property
    def installed_mask(self) -> int:
        """The versions that are installed."""
        mask = 0
        for spec in self.installed:
            mask |= 1 << self.index(spec.version)
        return mask

    @property
    def external_mask(self) -> int:
        """The versions of externals."""
        mask = 0
        for external in self.externals:
            mask |= external.mask
        return mask


def preference(
    version: Version, preferred: bool, deprecated: bool, preferences: Sequence[VersionList] = ()
) -> tuple[int, ...]:
    """Return the key that sorts versions best first; sort by the version itself beforehand."""
    rank = len(preferences)
    for location, chosen in enumerate(preferences):
        if chosen.holds(version):
            rank = location
            break
    return (
        deprecated,
        rank,
        not preferred,
        isinstance(version, GitVersion),
        version.isdevelop(),
        version.is_prerelease(),
    )


class Catalog:
    """Candidates by package name, made on first use.

    :param given: versions that a root names exactly; they can be built although no recipe
        declares them.
    """

    def __init__(self, problem: Problem, given: Mapping[str, set[Version]]) -> None:
        self.problem = problem
        self._given = given
        self._known: dict[str, Candidates] = {}
        self.offered = OfferedSpecs(problem, self, _UsableSpecs(problem).holds)
        self.pool = self.offered.pool
        self._recipes: dict[str, Recipe | None] = {}
        self._providers: dict[str, tuple[str, ...]] = {}
        #: Filled by :func:`spack.solver.expansion.dependency_records`.
        self.dependency_records: dict[str, tuple[DependencyRecord, ...]] = {}
        #: Filled by :func:`spack.solver.compiler_targets.generated`.
        self.compiler_targets: dict[tuple[str, str], int] = {}
        #: Filled by :func:`spack.solver.variant_facts.preferred_variants`.
        self.preferred_variants: dict[str, dict[str, VariantValue]] = {}
        self.wheels = WheelChoices(self)
        self._fixed_virtuals = {
            name
            for name, settings in problem.packages.items()
            if settings.buildable is False and problem.recipes.is_virtual(name)
        }

    def settings(self, name: str) -> PackageLike | None:
        """Return the configuration of package or virtual *name*."""
        return self.problem.packages.get(name)

    def recipe(self, name: str) -> Recipe | None:
        """Return the facts of package *name*; None when it is unknown or virtual."""
        if name not in self._recipes:
            found = self.problem.recipes.get(name)
            usable = found is not None and not found.virtual
            self._recipes[name] = self.wheels.strip(found) if found and usable else None
        return self._recipes[name]

    def is_virtual(self, name: str) -> bool:
        """Return whether *name* is virtual."""
        return self.problem.recipes.is_virtual(name)

    def installed(self, name: str) -> Sequence[ConcreteSpec]:
        """Return the reusable specs of *name* that are offered, whether or not reuse is on."""
        return self.offered.named(name)

    def by_hash(self, prefix: str) -> list[ConcreteSpec]:
        """Return reusable specs whose hash starts with *prefix*."""
        return self.offered.by_hash(prefix)

    def settle(self) -> bool:
        """Take in what is offered since candidates were collected; return whether there is any."""
        grown = self.offered.grown()
        for name in grown:
            self._known.pop(name, None)
        if grown:
            self.compiler_targets.clear()
        return bool(grown)

    def externals(self, name: str) -> Sequence[ExternalLike]:
        """Return the external entries of *name*."""
        settings = self.settings(name)
        return () if settings is None else settings.externals

    def has_available(self, name: str) -> bool:
        """Return whether there is an external or a reusable spec of *name*."""
        return bool(self.externals(name)) or (
            self.problem.reuse is not False
            and name in self.offered.names
            and bool(self.installed(name))
        )

    def fixed(self, name: str) -> str | None:
        """Return the origin of what forbids to build *name*, or None."""
        own = self.settings(name)
        if own is not None and own.buildable is not None:
            return None if own.buildable else _location(own, name)
        recipe = self.recipe(name) if self._fixed_virtuals else None
        if recipe is not None:
            for record in recipe.provides:
                for text in record.virtuals:
                    virtual = Spec.parse(text).name
                    if virtual in self._fixed_virtuals:
                        return _location(self.problem.packages[virtual], virtual)
        everything = self.settings("all")
        if everything is not None and everything.buildable is False:
            return _location(everything, "all")
        return None

    def providers(self, virtual: str) -> tuple[str, ...]:
        """Return the packages that can provide *virtual*, the preferred one first.

        The configuration's order, then those that are there as externals, then by name; gcc
        comes before other compilers.
        """
        found = self._providers.get(virtual)
        if found is None:
            known = list(self.problem.recipes.providers(virtual))
            chosen: list[str] = []
            for section in (virtual, "all"):
                settings = self.settings(section)
                if settings is not None:
                    texts = list(settings.providers.get(virtual, ()))
                    if section == virtual:
                        for group in (*settings.require, *settings.prefer):
                            texts += group.specs
                    for text in texts:
                        name = Spec.parse(text).name
                        if name in known and name not in chosen:
                            chosen.append(name)
            rest = [name for name in known if name not in chosen]
            rest.sort(key=lambda name: (not self.externals(name), name != "gcc", name))
            found = tuple(chosen + rest)
            self._providers[virtual] = found
        return found

    def get(self, name: str) -> Candidates:
        """Return the candidates of package *name*."""
        found = self._known.get(name)
        if found is None:
            found = self._known[name] = self._collect(name)
        return found

    def _compiler_versions(self, compiler: str) -> dict[Version, bool]:
        """Return the versions of *compiler*, those of its runtime, and which may be asked for.

        A runtime that is asked for is that of a compiler which is there, if there is one; below
        what a compiler builds it is that compiler's.
        """
        candidates = self.get(compiler)
        there = candidates.external_mask | candidates.installed_mask
        asked = there or candidates.buildable
        rows = enumerate(candidates.versions)
        return {row.version: bool(asked >> index & 1) for index, row in rows}

    def _preferences(self, name: str) -> list[VersionList]:
        settings, defaults = self.settings(name), self.settings("all")
        texts = (settings.version if settings is not None else ()) or (
            defaults.version if defaults is not None else ()
        )
        return [VersionList.parse(text) for text in texts]

    def preferred(self, name: str) -> list[str]:
        """Return the versions of package *name* that its recipe prefers to greater ones."""
        recipe = self.recipe(name)
        return [row.version for row in recipe.versions if row.preferred] if recipe else []

    def best_first(self, name: str, versions: Iterable[Version]) -> list[Version]:
        """Return *versions* of package *name*, the best first, as those that are there already."""
        preferences, preferred = self._preferences(name), self.preferred(name)
        order = sorted(versions, reverse=True)
        order.sort(key=lambda x: preference(x, x.string in preferred, False, preferences))
        return order

    def _collect(self, name: str) -> Candidates:  # noqa: C901 - one pass over all sources of versions
        recipe = self.recipe(name)
        result = Candidates(name, recipe, fixed=self.fixed(name))
        preferences, settings = self._preferences(name), self.settings(name)
        rows: dict[str, tuple[Version, bool, bool, bool]] = {}
        for record in recipe.versions if recipe is not None else ():
            rows[record.version] = (
                Version(record.version),
                True,
                record.preferred,
                record.deprecated,
            )
        externals: list[tuple[ExternalLike, Spec, Version]] = []
        for entry in self.externals(name):
            spec = Spec.parse(entry.spec)
            version = external_version(spec)
            if version is None:
                version = next((row[0] for row in rows.values()), Version("unknown"))
            externals.append((entry, spec, version))
        available = [version for _, _, version in externals]
        installed = list(self.installed(name))
        available += [spec.version for spec in installed]
        given = sorted(self._given.get(name, ())) if rows or not available else []
        if name in COMPILERS_OF_RUNTIMES and not rows:
            for version, asked in self._compiler_versions(COMPILERS_OF_RUNTIMES[name]).items():
                rows[version.string] = (version, asked, False, False)
        for version in given:
            rows.setdefault(version.string, (version, True, False, False))
        for version in available:
            rows.setdefault(version.string, (version, False, False, False))
        order = sorted(rows.values(), key=lambda row: row[0], reverse=True)
        order.sort(key=lambda row: preference(row[0], row[2], row[3], preferences))
        for index, (version, declared, _, deprecated) in enumerate(order):
            result.versions.append(VersionCandidate(version, declared, deprecated))
            result._index[version.string] = index
            if declared and recipe is not None and (not deprecated or self.problem.deprecated):
                result.buildable |= 1 << index
            if deprecated:
                result.deprecated |= 1 << index
        if settings is not None and recipe is not None:
            self._check_preferences(result, settings)
        ranked = list(range(len(order)))
        if available and result.deprecated:
            ranked.sort(key=lambda index: order[index][0], reverse=True)
            ranked.sort(
                key=lambda index: preference(order[index][0], order[index][2], False, preferences)
            )
        result.ranks = sorted(range(len(order)), key=ranked.__getitem__)
        if result.fixed is not None:
            result.buildable = 0
        for index, (entry, spec, version) in enumerate(externals):
            mask = 1 << result.index(version)
            result.externals.append(ExternalCandidate(entry, spec, version, mask, index))
        result.installed = installed
        return result

    def _check_preferences(self, candidates: Candidates, settings: PackageLike) -> None:
        """Refuse a preferred version that does not exist.

        :raises UnsatisfiableError: with the origin of the preference.
        """
        for text in settings.version:
            if candidates.versions and not candidates.mask(VersionList.parse(text)):
                name = candidates.name
                known = [row.version.string for row in candidates.versions[:5]]
                raise UnsatisfiableError(
                    f"version {text} of {name} is preferred, but there is no such version "
                    f"({_location(settings, name)})",
                    facts={"package": name, "version": text, "known": known},
                    hint=f"known are {', '.join(known)}; spack versions {name} lists more",
                    ref="unknown-preferred-version",
                )


def _location(settings: PackageLike, name: str) -> str:
    """Return the position of ``buildable: false``."""
    return str(settings.origin or f"packages:{name}:buildable")


def external_version(spec: Spec) -> Version | None:
    """Return the one version that the spec of an external names, or None."""
    versions = spec.versions
    return versions.concrete or versions.concrete_range_as_version


class _UsableSpecs:
    """Which reusable specs fit the host, and whose external parts are still configured."""

    def __init__(self, problem: Problem) -> None:
        self._problem = problem
        self._verdicts: dict[str, bool] = {}
        self._prefixes: dict[str, set[Any]] = {}

    def holds(self, spec: ConcreteSpec) -> bool:
        """Return whether *spec* can be reused, with what it links to and runs."""
        digest = spec.dag_hash()
        known = self._verdicts.get(digest)
        if known is None:
            known = self._fits(spec) and all(
                self.holds(edge.spec) for edge in spec.edges if edge.deptypes & RUN_TIME
            )
            self._verdicts[digest] = known
        return known

    def _fits(self, spec: ConcreteSpec) -> bool:
        host = self._problem.host
        if spec.platform != host.platform or spec.os != host.os:
            return False
        if spec.is_develop:  # its directory may say something else by now
            return False
        if spec.external is None:
            return spec.target in host.targets or spec.target == host.target
        if spec.name not in self._prefixes:
            settings = self._problem.packages.get(spec.name)
            entries = settings.externals if settings is not None else ()
            self._prefixes[spec.name] = {e.prefix or tuple(e.modules) for e in entries}
        location = spec.external.path or tuple(spec.external.modules)
        return location in self._prefixes[spec.name]
