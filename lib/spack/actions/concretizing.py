"""From the user's specs to concrete ones."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Callable

from spack.errors import SpackError, SpecError
from spack.spec import Spec

if TYPE_CHECKING:
    from spack.config.other_machines import OtherMachine

    # The solver is imported by the function that runs it: clingo costs 25 ms at start-up.
    from spack.config.packages import PackageSettings
    from spack.config.setting_types import ConcretizerSettings, ReuseSettings
    from spack.config.wheel_policy import WheelPolicy
    from spack.host.platform import Host
    from spack.solver.problem import NamedRecipes, Root, Solution, WheelSource
    from spack.spec import ConcreteSpec
    from spack.store.database import Database

__all__ = ["ConcretizeOptions", "InstalledSpecs", "concretize"]


class ConcretizeOptions:
    """What the command line asks of the concretizer, over the configuration.

    :param reuse: True, False, ``"dependencies"`` or None (as configured).
    :param deprecated: allow deprecated versions.
    :param tests: True, or names of packages whose test dependencies are wanted.
    :param force: forget what the lock file of an environment has.
    :param as_locked: take the lock file of an environment as it is.
    :param wheels: None is as configured.
    :param caches: offer what caches of binaries have.
    :param again: solve also what was asked before.
    :param machine: solve for another one; nothing that is installed here is used then.
    """

    def __init__(  # noqa: PLR0913 - keywords of independent settings
        self,
        reuse: bool | str | None = None,
        deprecated: bool = False,
        tests: bool | frozenset[str] = False,
        *,
        force: bool = False,
        as_locked: bool = False,
        wheels: WheelPolicy | None = None,
        caches: bool = True,
        again: bool = False,
        machine: OtherMachine | None = None,
    ) -> None:
        self.caches = caches
        self.again = again
        self.machine = machine
        self.reuse = reuse
        self.deprecated = deprecated
        self.tests = tests
        self.force = force
        self.as_locked = as_locked
        self.wheels = wheels

    def with_reuse(self, reuse: bool | str) -> ConcretizeOptions:
        """Return these options with another *reuse*."""
        return ConcretizeOptions(
            reuse,
            self.deprecated,
            self.tests,
            force=self.force,
            as_locked=self.as_locked,
            wheels=self.wheels,
            caches=self.caches,
            again=self.again,
            machine=self.machine,
        )

    @property
    def tested(self) -> frozenset[str]:
        """The packages whose tests run, as :class:`spack.install.plan.PlanOptions` takes them."""
        if isinstance(self.tests, bool):
            return frozenset({"*"}) if self.tests else frozenset()
        return self.tests


def concretize(  # noqa: PLR0913 - keywords of independent settings
    roots: Sequence[Root],
    recipes: NamedRecipes,
    host: Host,
    packages: Mapping[str, PackageSettings],
    settings: ConcretizerSettings,
    reusable: InstalledSpecs,
    concretize_options: ConcretizeOptions,
    *,
    deprecated: bool = False,
    unify: bool | str | None = None,
    develop: Mapping[str, Root] | None = None,
    wheels: WheelSource | None = None,
    workers: int = 1,
) -> Solution:
    """Solve for *roots*.

    :param reusable: installed specs, and those that an environment has fixed.
    :param develop: see :class:`spack.solver.problem.Problem`.
    :param wheels: where wheels of the package index are looked up.
    :param workers: see :class:`spack.solver.problem.Problem`.
    :raises SpecError: a root has no name, or names a package that no repository has.
    :raises UnsatisfiableError: with the causes.
    """
    from spack.solver.concretize import concretize as solve  # start-up: a kept answer needs none
    from spack.solver.namespaces import recipes_for
    from spack.solver.problem import Problem

    _check_names(roots, recipes)
    problem = Problem(
        roots=tuple(roots),
        recipes=recipes_for(recipes, roots, packages),
        host=host,
        packages=packages,
        reusable=reusable,
        reuse=settings.reuse if concretize_options.reuse is None else concretize_options.reuse,
        unify=settings.unify if unify is None else unify,
        deprecated=deprecated or concretize_options.deprecated,
        tests=concretize_options.tests,
        max_duplicates=1 if settings.duplicates == "none" else Problem.max_duplicates,
        most_instances=settings.max_dupes,
        develop=develop or {},
        compiler_mixing=settings.compiler_mixing,
        python=settings.python,
        seconds=float(settings.timeout),
        wheels=wheels,
        wheel_policy=concretize_options.wheels or settings.wheels,
        # what is asked over the network is asked by one process, over connections that it keeps
        workers=workers if (concretize_options.wheels or settings.wheels) == "never" else 1,
    )
    solution = solve(problem)
    if settings.timeout and settings.error_on_timeout and not solution.stats.optimal:
        raise SpackError(
            f"the best solution was not found within {settings.timeout} s",
            facts={"seconds": settings.timeout},
            hint="give concretizer:timeout more seconds, or set concretizer:error_on_timeout to "
            "false, which takes the best one so far",
            ref="concretizer-timeout",
        )
    return solution


def _check_names(roots: Sequence[Root], recipes: NamedRecipes) -> None:
    """Refuse all unknown names at once, each with suggestions."""
    problems: list[SpackError] = []
    for root in roots:
        for spec in (root.spec, *(dependency.spec for dependency in root.spec.dependencies)):
            if not spec.name:
                if spec is root.spec and not spec.hash_prefix:
                    problems.append(
                        SpecError(
                            f"a spec needs a name: '{spec}'",
                            hint=_nameless_hint(spec, recipes),
                        )
                    )
            elif not (recipes.exists(spec.name) or recipes.is_virtual(spec.name)):
                error = _unknown(spec, recipes)
                problems.append(error if root.origin == "command line" else error.at(root.origin))
    if len(problems) == 1:
        raise problems[0]
    if problems:
        raise SpecError("some packages are not known", causes=problems)


def _unknown(spec: Spec, recipes: NamedRecipes) -> SpackError:
    if spec.namespace and spec.name in ("json", "yaml"):
        return SpecError(
            f"there is no package '{spec.fullname}'",
            hint=f"write a file with a slash: ./{spec.fullname}",
            facts={"spec": str(spec)},
            ref="unknown-package",
        )
    return recipes.unknown(spec.name)


def _nameless_hint(spec: Spec, recipes: NamedRecipes) -> str:
    for name, value in spec.variants.items():
        if recipes.exists(name):  # pip's way of writing it: py-black==25
            return f"a version is written with '@': {name}@{','.join(value.values)}"
    return "write the package's name first, as in py-black@25:"


class InstalledSpecs:
    """The installed specs that ``concretizer:reuse`` admits, and those that are fixed.

    Read from the database by name: a store of thousands of packages costs what a problem needs.
    Each entry of ``reuse:from`` is a source with an ``include`` and an ``exclude`` of its own, or
    the general ones; the sources are ``local`` and ``buildcache``.

    :param database: None offers no installed specs.
    :param wanted: what these name by hash is admitted, too.
    :param fixed: specs that an environment has decided, or that may be used anyway.
    :param caches: what caches of binaries have. :param systems: platforms and systems whose
        binaries run here.
    """

    def __init__(
        self,
        database: Database | None,
        reuse: ReuseSettings,
        wanted: Sequence[Spec] = (),
        fixed: Sequence[ConcreteSpec] = (),
        *,
        caches: Sequence[Database] = (),
        systems: Collection[tuple[str, str]] = (),
    ) -> None:
        from spack.solver.spec_pool import SpecPool

        self._databases = {
            _LOCAL: [database] if database is not None else [],
            _CACHES: [] if database is None else list(caches),
        }
        self._systems = systems
        self._fixed = SpecPool(fixed)
        named = [x.hash_prefix for x in wanted if x.hash_prefix]
        named += [x.spec.hash_prefix for y in wanted for x in y.dependencies if x.spec.hash_prefix]
        self._named = tuple(named)
        self._targets: frozenset[str] | None = None
        self._rules = {kind: _rules(reuse, kind) for kind in (_LOCAL, _CACHES)}

    def names(self) -> frozenset[str]:
        """Return the names of the packages of which there may be specs."""
        found = (database.known_names() for _, database in self._sources())
        return frozenset(self._fixed.names()).union(*found)

    def best(
        self, name: str, best_first: Callable[[Collection[str]], Sequence[str]], most: int
    ) -> tuple[list[ConcreteSpec], int]:
        """Return specs of package *name*, and how many more there are.

        All that are fixed, and *most* of the other ones: those of the best versions, and of one
        version those that were installed last.
        """
        rows = [
            (row, number, kind)
            for number, (kind, database) in enumerate(self._sources())
            for row in database.instances(name)
            if kind == _LOCAL or (row.platform, row.os) in self._systems
        ]
        rest = max(0, len(rows) - most)
        if rest:
            order = best_first({row.version for row, _, _ in rows})
            rank = {version: index for index, version in enumerate(order)}
            rows.sort(key=lambda x: (rank.get(x[0].version, len(rank)), -x[0].installed_at))
            rows = sorted(rows[:most], key=lambda x: (x[1], x[0].hash))
        found: dict[str, ConcreteSpec] = {}
        for number, (kind, database) in enumerate(self._sources()):
            chosen = [row.hash for row, source, _ in rows if source == number]
            self._add(found, kind, database, chosen)
        for spec in self._fixed.named(name):
            found.setdefault(spec.dag_hash(), spec)
        return list(found.values()), rest

    def by_hash(self, prefix: str) -> list[ConcreteSpec]:
        """Return the specs whose hash starts with *prefix*."""
        found: dict[str, ConcreteSpec] = {}
        for kind, database in self._sources():
            records = database.records(hash_prefix=prefix)
            runs = [x for x in records if kind == _LOCAL or (x.platform, x.os) in self._systems]
            self._add(found, kind, database, [record.hash for record in runs])
        for spec in self._fixed.by_hash(prefix):
            found.setdefault(spec.dag_hash(), spec)
        return list(found.values())

    def targets(self) -> frozenset[str]:
        """Return the targets that the specs may have."""
        if self._targets is None:
            found = (database.installed_targets() for _, database in self._sources())
            self._targets = frozenset(self._fixed.targets()).union(*found)
        return self._targets

    def is_fixed(self, digest: str) -> bool:
        """Return whether an environment has decided the spec of this hash."""
        return any(spec.dag_hash() == digest for spec in self._fixed.by_hash(digest))

    def _sources(self) -> list[tuple[str, Database]]:
        return [(kind, item) for kind, group in self._databases.items() for item in group]

    def _add(
        self,
        found: dict[str, ConcreteSpec],
        kind: str,
        database: Database,
        hashes: Iterable[str],
    ) -> None:
        """Add those of the specs with *hashes* that the configuration admits."""
        wanted = sorted(set(hashes).difference(found))
        for digest, spec in database.specs(wanted).items() if wanted else ():
            if self._admits(digest, spec, kind):
                found[digest] = spec

    def _admits(self, digest: str, spec: ConcreteSpec, kind: str) -> bool:
        return digest.startswith(self._named) or any(
            (not include or any(spec.satisfies(item) for item in include))
            and not any(spec.satisfies(item) for item in exclude)
            for include, exclude in self._rules[kind]
        )


#: The types of sources in ``concretizer:reuse:from``.
_LOCAL, _CACHES = "local", "buildcache"


def _rules(reuse: ReuseSettings, kind: str) -> list[tuple[list[Spec], list[Spec]]]:
    """Return what is included and excluded, of each entry for sources of *kind*."""
    entries = [entry for entry in reuse.sources if entry.get("type") == kind]
    return [
        (
            [Spec(text) for text in entry.get("include", reuse.include)],
            [Spec(text) for text in entry.get("exclude", reuse.exclude)],
        )
        for entry in (entries if reuse.sources else [{}])
    ]
