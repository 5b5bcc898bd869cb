"""Which packages to look at: lazy expansion.

A solution of a few dozen nodes is picked from hundreds of possible packages; to ground them all
takes a hundred times as long as to solve what matters. So the solver starts with the packages
that are probably needed, and treats every other one as a *placeholder*: it satisfies
everything, needs nothing and costs one build. A real build costs at least that, so the optimum
with placeholders is a lower bound, and an optimum that uses none is the true one. Otherwise they
that it uses are expanded and the solver runs again.

:func:`plan` finds the start by walking the recipes with the preferred version and the default
variants of each package. It also finds the versions that unconditional constraints leave over
(``possible_versions``): constraints that hold in every solution. Only speed depends on the guess.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from spack.recipe.compiler_runtimes import C_LIBRARY
from spack.recipe.records import DependencyRecord
from spack.solver.candidates import Candidates, Catalog
from spack.solver.problem import Root
from spack.solver.wheel_choices import types_of_wheel
from spack.spec import Spec, VariantValue, target_satisfies
from spack.spec.languages import LANGUAGE_NAMES
from spack.spec.wheel import BINARY

__all__ = ["Expansion", "dependency_records", "plan"]


@dataclass
class Expansion:
    """Packages whose build is expanded, and what certainly holds of versions."""

    expanded: set[str] = field(default_factory=set)
    #: Versions that a package may have at all; a package that is not named may have any.
    possible_versions: dict[str, int] = field(default_factory=dict)
    #: Build tools whose dependents, as they are preferred, need versions that exclude each other.
    clashes: set[str] = field(default_factory=set)


def dependency_records(catalog: Catalog, name: str) -> Sequence[DependencyRecord]:
    """Return a recipe's dependencies: its own, of what it extends, the compiler wrapper."""
    recipe = catalog.recipe(name)
    if recipe is None:
        return ()
    known = catalog.dependency_records.get(name)
    if known is None:
        rows = [row for row in recipe.dependencies if not _of_the_host(catalog, row.spec)]
        seen = {(row.spec, row.when) for row in rows}
        for extends in recipe.extends:
            if (extends.spec, extends.when) not in seen:
                rows.append(
                    DependencyRecord(extends.spec, extends.types, extends.when, (), extends.line)
                )
        if name != "compiler-wrapper" and catalog.recipe("compiler-wrapper") is not None:
            whens = dict.fromkeys(
                row.when for row in rows if row.spec in LANGUAGE_NAMES and "build" in row.types
            )
            rows += [
                DependencyRecord("compiler-wrapper", ("build",), when)
                for when in ([""] if "" in whens else whens)
            ]
        if _is_editable(catalog, name):
            rows.append(_OF_EDITABLES)
        known = catalog.dependency_records[name] = tuple(rows)
    return known


#: What hatchling names in ``get_requires_for_build_editable``.
_OF_EDITABLES = DependencyRecord("py-editables", ("build",), "%py-hatchling")


def _is_editable(catalog: Catalog, name: str) -> bool:
    problem = catalog.problem
    specs = [root.spec for root in (*problem.roots, *problem.develop.values())]
    return any(
        spec.name == name and "editable" in spec.variants and spec.satisfies("+editable")
        for spec in specs
    )


def _of_the_host(catalog: Catalog, text: str) -> bool:
    """Return whether a dependency is on the C library of the machine, which is not registered."""
    return text.startswith(C_LIBRARY) and (
        Spec.parse(text).name == C_LIBRARY
        and not any(catalog.has_available(name) for name in catalog.providers(C_LIBRARY))
    )


@dataclass
class _Guess:
    """What is believed of one package."""

    mask: int = -1
    variants: dict[str, tuple[str, ...]] = field(default_factory=dict)


class _Walk:
    """One walk over the recipes, from the roots downwards."""

    def __init__(self, catalog: Catalog, roots: Sequence[Root], multi: Mapping[str, int]) -> None:
        self.catalog = catalog
        self.roots = roots
        self.multi = multi
        self.reuse_roots = catalog.problem.reuse is True
        self.possible_versions: dict[str, int] = {}
        self.guesses: dict[str, _Guess] = {}
        self.built: dict[str, None] = {}
        self.seen: set[str] = set()
        self.clashes: set[str] = set()
        self.tools: set[str] = set()
        #: Roots, and what they may link to or run with.
        self.kept = {root.spec.name for root in roots}

    # -- certain --------------------------------------------------------------------------

    def certain(self) -> None:
        """Find what unconditional constraints leave over."""
        queue: list[str] = []
        for root in self.roots:
            self._restrict(root.spec.name, root.spec)
            queue.append(root.spec.name)
            for dependency in root.spec.dependencies:
                if dependency.when is None:
                    self._restrict(dependency.spec.name, dependency.spec)
        done: dict[str, int] = {}
        while queue:
            name = queue.pop()
            if self.catalog.is_virtual(name) or not self._must_be_built(name):
                continue
            candidates = self.catalog.get(name)
            possible_versions = candidates.buildable & self.possible_versions.get(name, -1)
            if done.get(name) == possible_versions:
                continue
            done[name] = possible_versions
            wheel = self.catalog.wheels.admitted(name)
            for record in dependency_records(self.catalog, name):
                types = types_of_wheel(record) if wheel else record.types
                if types in ((), ("test",)) or not self._always(
                    record.when, candidates, possible_versions
                ):
                    continue
                spec = Spec.parse(record.spec)
                self._restrict(spec.name, spec)
                if spec.name not in done:
                    queue.append(spec.name)

    def _restrict(self, name: str, spec: Spec) -> None:
        if not name or name in self.multi or spec.versions.is_any:
            return
        if not self.catalog.is_virtual(name):
            mask = self.catalog.get(name).mask(spec.versions)
            self.possible_versions[name] = self.possible_versions.get(name, -1) & mask

    def _always(self, when: str, candidates: Candidates, possible_versions: int) -> bool:
        if not when:
            return True
        spec = Spec.parse(when)
        if spec.dependencies or spec.arch or spec.flags or spec.hash_prefix or spec.name:
            return False
        if not spec.versions.is_any and possible_versions & ~candidates.mask(spec.versions):
            return False
        return all(_only_value(candidates, value) for value in spec.variants.values())

    def _must_be_built(self, name: str) -> bool:
        if self.catalog.fixed(name) is not None:
            return False
        return not self.catalog.has_available(name)

    # -- probable -------------------------------------------------------------------------

    def probable(self, more: Sequence[str]) -> None:  # noqa: C901 - one walk over the graph
        """Follow preferred versions and default variants, from the roots and from *more*."""
        forced = set(more)
        self.built, self.seen = {}, set()
        queue: list[str] = []
        for root in self.roots:
            self._believe(root.spec)
            queue.append(root.spec.name)
            for dependency in root.spec.dependencies:
                self._believe(dependency.spec)
        queue += more
        location = 0
        while location < len(queue):
            name = queue[location]
            location += 1
            if name in self.seen:
                continue
            self.seen.add(name)
            if name not in forced and not self._will_be_built(name):
                continue
            self.built[name] = None
            candidates = self.catalog.get(name)
            chosen = self._chosen(name)
            wheel = self._will_be_wheel(name)
            for record in dependency_records(self.catalog, name):
                types = types_of_wheel(record) if wheel else record.types
                if types in ((), ("test",)):
                    continue
                if record.when and not self._holds(name, candidates, chosen, record.when):
                    continue
                spec = Spec.parse(record.spec)
                if "link" not in types and "run" not in types:
                    self.tools.add(spec.name)
                elif name in self.kept:
                    self.kept.add(spec.name)
                self._look_up(spec.name)
                if self.catalog.is_virtual(spec.name):
                    provider = self._provider(spec.name)
                    if provider is not None:
                        queue.append(provider)
                else:
                    self._believe(spec)
                    queue.append(spec.name)

    def _look_up(self, name: str) -> None:
        """Begin to ask the index for what will be asked for in this walk or after it."""
        if not self.catalog.is_virtual(name) and self.catalog.wheels.admitted(name):
            self.catalog.wheels.start(name)

    def _will_be_wheel(self, name: str) -> bool:
        """Return whether *name* is guessed to be a wheel: it prefers to be one, or is asked to."""
        wheels = self.catalog.wheels
        if not wheels.admitted(name):
            return False
        values = self.guesses.get(name, _Guess()).variants.get("build_system")
        if values is not None:
            return values == (BINARY,)
        if wheels.for_builds_only(name) and name in self.kept:
            return False
        return wheels.preferred(name)

    def _believe(self, spec: Spec) -> None:
        name = spec.name
        if not name or self.catalog.is_virtual(name):
            return
        guess = self.guesses.setdefault(name, _Guess())
        if not spec.versions.is_any and (
            name in self.possible_versions or self._will_be_built(name)
        ):
            mask = guess.mask & self.catalog.get(name).mask(spec.versions)
            if mask:
                guess.mask = mask
            else:
                self.clashes.add(name)
        for value in spec.variants.values():
            guess.variants[value.name] = value.values

    def _will_be_built(self, name: str) -> bool:
        if self.catalog.fixed(name) is not None:
            return False
        if not self.catalog.has_available(name):
            return self.catalog.recipe(name) is not None
        candidates = self.catalog.get(name)
        guess = self.guesses.get(name, _Guess())
        available = candidates.external_mask
        is_root = any(root.spec.name == name for root in self.roots)
        if self.catalog.problem.reuse is not False and (self.reuse_roots or not is_root):
            available |= candidates.installed_mask
        return not available & guess.mask & self.possible_versions.get(name, -1)

    def _chosen(self, name: str) -> int:
        candidates = self.catalog.get(name)
        guess = self.guesses.get(name, _Guess())
        mask = candidates.buildable & self.possible_versions.get(name, -1)
        mask = (mask & guess.mask) or mask
        return mask & -mask

    def _provider(self, virtual: str) -> str | None:
        providers = self.catalog.providers(virtual)
        for name in providers:
            if name in self.seen:
                return name
        for name in providers:
            if self.catalog.fixed(name) is None or self.catalog.externals(name):
                return name
        return None

    def _holds(self, name: str, candidates: Candidates, chosen: int, when: str) -> bool:
        spec = Spec.parse(when)
        if spec.name and spec.name != name:
            return False
        if not spec.versions.is_any and not candidates.mask(spec.versions) & chosen:
            return False
        if spec.arch and not self._fits_host(spec):
            return False
        if any(not self._has_value(name, candidates, value) for value in spec.variants.values()):
            return False
        return all(self._has_below(dependency.spec) for dependency in spec.dependencies)

    def _fits_host(self, spec: Spec) -> bool:
        host, arch = self.catalog.problem.host, spec.arch
        return (
            arch.platform in (None, "*", host.platform)
            and arch.os in (None, "*", host.os)
            and (arch.target is None or target_satisfies(host.target, arch.target))
        )

    def _has_value(self, name: str, candidates: Candidates, wanted: VariantValue) -> bool:
        values = self.guesses.get(name, _Guess()).variants.get(wanted.name)
        if wanted.name == "build_system" and self._will_be_wheel(name):
            values = (BINARY,)
        if values is None:
            for record in reversed(candidates.recipe.variants if candidates.recipe else ()):
                if record.name == wanted.name:
                    values = record.default
                    break
            else:
                return False
        return set(wanted.values) <= set(values)

    def _has_below(self, spec: Spec) -> bool:
        name = spec.name
        if self.catalog.is_virtual(name):
            return False
        if (
            name not in self.seen
            and name not in self.possible_versions
            and not self.catalog.has_available(name)
        ):
            return False
        if spec.versions.is_any:
            return not spec.variants
        candidates = self.catalog.get(name)
        mask = candidates.mask(spec.versions)
        if self._will_be_built(name):
            return bool(mask & self._chosen(name))
        guess = self.guesses.get(name, _Guess())
        available = (candidates.external_mask | candidates.installed_mask) & guess.mask
        return bool(mask & available)


def _only_value(candidates: Candidates, wanted: VariantValue) -> bool:
    """Return whether the package has no other value, as of ``build_system=python_pip``."""
    recipe = candidates.recipe
    definitions = [v for v in recipe.variants if v.name == wanted.name] if recipe else []
    return (
        len(definitions) == 1
        and not definitions[0].when
        and definitions[0].kind == "single"
        and definitions[0].values is not None
        and tuple(value for value, _ in definitions[0].values) == wanted.values
    )


def plan(
    catalog: Catalog, roots: Sequence[Root], more: Sequence[str] = (), multi: Mapping[str, int] = {}
) -> Expansion:
    """Return the packages to start with.

    :param more: packages that turned out to be needed in addition, with what they need.
    :param multi: packages with several instances, for which nothing is certain.
    """
    walk = _Walk(catalog, roots, multi)
    walk.certain()
    for _ in range(2):  # the second walk knows what the first one met late
        walk.probable(more)
    return Expansion(set(walk.built) | set(more), walk.possible_versions, walk.clashes & walk.tools)
