"""Which packages may be wheels of the package index, and which of their versions for which Python.

Nothing is looked up unless the policy or the input lets a package be a wheel, and then only for
packages whose build is looked at. The result are records as recipes have them: a requirement on
Python for each group of versions, a conflict for the versions without a wheel. So the solver, its
explanations and its checks treat wheels as they treat everything else.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple, Protocol

from spack.recipe.package_names import INDEX_NAMESPACE
from spack.recipe.records import ConflictRecord, DependencyRecord, Recipe, RequirementRecord
from spack.recipe.wheel_offers import AbiOfPython, WheelTable
from spack.solver.problem import ExternalLike, PackageLike, Problem
from spack.solver.spec_pool import ReusableSpecs
from spack.spec import ConcreteSpec, Spec, Version
from spack.spec.languages import LANGUAGE_NAMES
from spack.spec.wheel import BINARY, ChosenWheel, wheel_of

__all__ = [
    "POLICY_ORIGIN",
    "WheelCandidates",
    "WheelChoices",
    "can_be_wheel",
    "types_of_wheel",
    "without_binary",
]

#: Where ``only`` comes from, for explanations.
POLICY_ORIGIN = "concretizer:wheels"

_BUILDERS = frozenset(("python_pip", "python_wheel", BINARY))
_INTERPRETER = "python"
_THREADS = "freethreading"


class _VersionRow(Protocol):
    @property
    def version(self) -> Version: ...
    @property
    def declared(self) -> bool: ...


class _Versions(Protocol):
    """What is read of :class:`spack.solver.candidates.Candidates`."""

    buildable: int

    @property
    def versions(self) -> Sequence[_VersionRow]: ...
    @property
    def external_mask(self) -> int: ...
    @property
    def installed_mask(self) -> int: ...


class _Packages(Protocol):
    """What is read of :class:`spack.solver.candidates.Catalog`."""

    problem: Problem
    pool: ReusableSpecs

    def settings(self, name: str) -> PackageLike | None: ...
    def recipe(self, name: str) -> Recipe | None: ...
    def is_virtual(self, name: str) -> bool: ...
    def externals(self, name: str) -> Sequence[ExternalLike]: ...
    def providers(self, virtual: str) -> tuple[str, ...]: ...
    def get(self, name: str) -> _Versions: ...


class WheelCandidates(NamedTuple):
    """What the index has for one package.

    :ivar fitting: by version, the interpreters that it has a wheel for.
    :ivar reason: why there is none for the newest version, where there is none.
    """

    fitting: Mapping[str, tuple[AbiOfPython, ...]]
    reason: str


class WheelChoices:
    """The wheels of one problem, looked up when first asked for."""

    def __init__(self, catalog: _Packages) -> None:
        self._catalog = catalog
        self._problem = catalog.problem
        self._asked: dict[str, bool] = {}
        self._known: dict[str, WheelCandidates] = {}
        self._pythons: tuple[AbiOfPython, ...] | None = None

    # -- what may be a wheel --------------------------------------------------------------

    def strip(self, recipe: Recipe) -> Recipe:
        """Return *recipe*, without the value ``python_binary`` where nothing lets it be one."""
        if (
            recipe.attributes.get("build_system") not in _BUILDERS
            or recipe.namespace == INDEX_NAMESPACE
            or self.admitted(recipe.name)
        ):
            return recipe
        return without_binary(recipe)

    def admitted(self, name: str) -> bool:
        """Return whether a node of package *name* may be a wheel, as far as the input says."""
        if self._problem.wheels is None:
            return False
        if self._problem.wheel_policy == "never":
            return self.asked(name)
        recipe = self._problem.recipes.get(name)
        return recipe is not None and recipe.attributes.get("build_system") in _BUILDERS

    def asked(self, name: str) -> bool:
        """Return whether the user names ``build_system=python_binary`` for package *name*."""
        known = self._asked.get(name)
        if known is None:
            specs = [spec for root in self._problem.roots for spec in root.spec.traverse()]
            known = any(spec.name == name and _names_binary(spec) for spec in specs)
            recipe = self._problem.recipes.get(name)
            known = known or (recipe is not None and recipe.namespace == INDEX_NAMESPACE)
            for section in (name, "all"):
                settings = self._catalog.settings(section)
                known = known or (settings is not None and any(map(_names_binary, _said(settings))))
            self._asked[name] = known
        return known

    def preferred(self, name: str) -> bool:
        """Return whether the policy takes a wheel of package *name* where one fits."""
        policy = self._problem.wheel_policy
        recipe = self._catalog.recipe(name)
        if policy == "never" or recipe is None or not self.fits(name):
            return False
        settings = self._catalog.settings(name)
        if settings is not None and any(
            "build_system" in spec.variants and not _names_binary(spec)
            for spec in map(Spec.parse, settings.variants)
        ):
            return False
        if policy == "only" or self.asked(name):
            return True
        if "patch" in recipe.hooks or recipe.attributes.get("installs_more"):
            return False
        return policy != "prefer" or self.linked_choice(recipe) is None

    def for_builds_only(self, name: str) -> bool:
        """Return whether a wheel of *name* may only be what a build needs."""
        return self._problem.wheel_policy == "build" and not self.asked(name)

    def may_reuse(self, spec: ConcreteSpec) -> bool:
        """Return whether an installed spec may be used as far as the policy says."""
        return self._problem.wheel_policy != "never" or not self.is_restrained(spec)

    def is_restrained(self, spec: ConcreteSpec) -> bool:
        """Return whether *spec* is a wheel that nothing but the policy could let be one."""
        return (
            wheel_of(spec) is not None
            and spec.namespace != INDEX_NAMESPACE
            and not self.asked(spec.name)
            and not self._catalog.pool.is_fixed(spec.dag_hash())
        )

    def barred(self, name: str) -> bool:
        """Return whether the policy alone lets *name* be a wheel, and must not let it."""
        return not self.asked(name) and self._problem.wheel_policy in ("build", "prefer")

    def linked_choice(self, recipe: Recipe) -> str | None:
        """Return what *recipe* links that the user has chosen or that is external, or None."""
        for record in recipe.dependencies:
            name = Spec.parse(record.spec).name
            if "link" not in record.types or name in LANGUAGE_NAMES or name == _INTERPRETER:
                continue
            settings = self._catalog.settings(name)
            if settings is not None and (settings.externals or settings.require):
                return name
            if self._catalog.is_virtual(name) and any(
                self._catalog.externals(provider) for provider in self._catalog.providers(name)
            ):
                return name
        return None

    # -- what the index has ---------------------------------------------------------------

    def start(self, name: str) -> None:
        """Begin to look up what :meth:`of` will be asked for."""
        project = self._project(name)
        if project is not None and self._problem.wheels is not None:
            self._problem.wheels.start(project)

    def fits(self, name: str) -> bool:
        """Return whether a wheel of some version of *name* fits some interpreter."""
        return (
            self.admitted(name)
            and can_be_wheel(self._catalog.recipe(name))
            and bool(self.of(name).fitting)
        )

    def of(self, name: str) -> WheelCandidates:
        """Return the candidates for package *name*, which is admitted."""
        known = self._known.get(name)
        if known is None:
            known = self._known[name] = self._collected(name)
        return known

    def choose(self, name: str, version: str, python: ConcreteSpec) -> ChosenWheel:
        """Return the wheel for a node: the one that fits *python* best."""
        table = self._table(name)
        threads = "t" if python.satisfies(f"+{_THREADS}") else ""
        assert isinstance(table, WheelTable)
        found = table.choose(version, AbiOfPython(str(python.version), threads))
        assert found is not None  # the records demand it
        return found

    def requirements(self, name: str) -> Iterator[RequirementRecord]:
        """Yield which interpreters each group of versions needs, and what the policy demands."""
        recipe = self._catalog.recipe(name)
        if recipe is None or recipe.attributes.get("build_system") not in _BUILDERS:
            return
        if self._problem.wheel_policy == "only":
            text = f"only wheels are wanted, and {self._why_none(recipe)}"
            yield RequirementRecord((f"build_system={BINARY}",), message=text)
        if not self.fits(name):
            return
        every = set(self.pythons())
        groups: dict[tuple[AbiOfPython, ...], list[str]] = {}
        for version, pythons in self.of(name).fitting.items():
            if set(pythons) != every:
                groups.setdefault(pythons, []).append(version)
        for pythons, versions in groups.items():
            first, last = pythons[-1].version, pythons[0].version
            yield RequirementRecord(
                tuple(self._alternatives(pythons)),
                policy="any_of",
                when=f"@{_exactly(versions)} build_system={BINARY}",
                message=f"the wheels of {name}@{versions[0]} are for python {first} to {last}",
            )

    def conflicts(self, name: str) -> Iterator[ConflictRecord]:
        """Yield the versions without a wheel."""
        if not self.fits(name):
            return
        found = self.of(name)
        rows = self._catalog.get(name).versions
        missing = [row.version.string for row in rows if row.version.string not in found.fitting]
        if missing:
            yield ConflictRecord(
                f"build_system={BINARY}",
                when=f"@{_exactly(missing)}",
                message=f"no wheel of {name}@{missing[0]} fits: {self.reason(name, missing[0])}",
            )

    def _why_none(self, recipe: Recipe) -> str:
        if not can_be_wheel(recipe):
            return f"the recipe of {recipe.name} declares other build systems only"
        reason = self.of(recipe.name).reason
        return reason or f"{recipe.name} cannot be one here"

    def pythons(self) -> tuple[AbiOfPython, ...]:
        """Return the interpreters that there may be, the best first."""
        if self._pythons is None:
            candidates = self._catalog.get(_INTERPRETER)
            usable = candidates.buildable | candidates.external_mask | candidates.installed_mask
            self._pythons = tuple(
                AbiOfPython(row.version.string, flag)
                for index, row in enumerate(candidates.versions)
                if usable >> index & 1
                for flag in (("", "t") if self._has_threads(row.version) else ("",))
            )
        return self._pythons

    def _has_threads(self, version: Version) -> bool:
        """Return whether a Python of this version has the variant ``freethreading``."""
        recipe = self._catalog.recipe(_INTERPRETER)
        return any(
            row.name == _THREADS and (not row.when or Spec.parse(row.when).versions.holds(version))
            for row in (recipe.variants if recipe is not None else ())
        )

    def _alternatives(self, pythons: Sequence[AbiOfPython]) -> Iterator[str]:
        """Yield constraints that are met by these interpreters and no other."""
        flags: dict[str, list[str]] = {}
        for python in pythons:
            flags.setdefault(python.version, []).append(python.threads)
        groups: dict[str, list[str]] = {}
        for version, found in flags.items():
            any_flag = len(found) > 1 or not self._has_threads(Version(version))
            variant = "" if any_flag else f"{'+' if found[0] else '~'}{_THREADS}"
            groups.setdefault(variant, []).append(version)
        for variant, versions in groups.items():
            yield f"%{_INTERPRETER}@{_exactly(versions)}{variant}"

    def _collected(self, name: str) -> WheelCandidates:
        recipe, table = self._catalog.recipe(name), self._table(name)
        if recipe is None or isinstance(table, str):
            return WheelCandidates({}, str(table))
        candidates = self._catalog.get(name)
        fitting: dict[str, tuple[AbiOfPython, ...]] = {}
        for index, row in enumerate(candidates.versions):
            if candidates.buildable >> index & 1:
                version = row.version.string
                pythons = tuple(p for p in self.pythons() if table.best(version, p) is not None)
                if pythons:
                    fitting[version] = pythons
        first = next((row.version.string for row in candidates.versions if row.declared), "")
        return WheelCandidates(fitting, "" if first in fitting else self.reason(name, first))

    def reason(self, name: str, version: str) -> str:
        """Return why there is no wheel of a version for the best interpreter there is."""
        table, pythons = self._table(name), self.pythons()
        if isinstance(table, str):
            return table
        return table.reason(version, pythons[0]) if pythons else "there is no python"

    def _table(self, name: str) -> WheelTable | str:
        project = self._project(name)
        if project is None or self._problem.wheels is None:
            return f"the recipe of {name} names no project of the index (`pypi =`)"
        return self._problem.wheels.table(project)

    def _project(self, name: str) -> str | None:
        recipe, wheels = self._catalog.recipe(name), self._problem.wheels
        return wheels.project(recipe) if recipe is not None and wheels is not None else None


def can_be_wheel(recipe: Recipe | None) -> bool:
    """Return whether a recipe, as the policy has left it, lets its package be a wheel."""
    rows = recipe.variants if recipe is not None else ()
    return any(row.name == "build_system" and BINARY in dict(row.values or ()) for row in rows)


def without_binary(recipe: Recipe) -> Recipe:
    """Return *recipe* without the value ``python_binary`` of its build system."""
    variants = tuple(
        row
        if row.name != "build_system"
        else replace(row, values=tuple(x for x in row.values or () if x[0] != BINARY))
        for row in recipe.variants
    )
    return recipe.with_variants(variants)


def types_of_wheel(record: DependencyRecord) -> tuple[str, ...]:
    """Return the types by which a wheel has a dependency: nothing is built or linked for it.

    But for what the recipe declares of wheels in particular: the interpreter that installs them.
    """
    if BINARY in record.when:
        return record.types
    return tuple(kind for kind in record.types if kind in ("run", "test"))


def _names_binary(spec: Spec) -> bool:
    value = spec.variants.get("build_system")
    return value is not None and BINARY in value.values


def _said(settings: PackageLike) -> Iterator[Spec]:
    """Yield what the configuration demands or prefers of a package."""
    for group in (*settings.require, *settings.prefer):
        yield from map(Spec.parse, group.specs)
    yield from map(Spec.parse, settings.variants)


def _exactly(versions: Sequence[str]) -> str:
    return ",".join(f"={version}" for version in dict.fromkeys(versions))
