"""What the solver is asked with: what a session knows, put together when it has to run."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from spack.actions.concretizing import ConcretizeOptions, InstalledSpecs, concretize
from spack.actions.environments import parse_at
from spack.actions.notices import RootHeldBack
from spack.actions.spec_files import without_files
from spack.config.external_dependencies import of_system, with_external_dependencies
from spack.environment.groups import solve_order
from spack.errors import SpecError
from spack.session.index_parts import with_index_projects
from spack.session.solution_cache import SolutionCache, question
from spack.solver.problem import Root, Solution
from spack.spec import ConcreteSpec, Spec, expand_toolchains
from spack.spec.wheel import BINARY, wheel_of
from spack.util.helper_process import available_cores

if TYPE_CHECKING:
    from spack.config.packages import PackageSettings
    from spack.environment import DevelopSpec, Environment
    from spack.host.platform import Host
    from spack.recipe.records import Recipe
    from spack.recipe.wheel_offers import WheelTable
    from spack.session.session import Session
    from spack.store.database import Database

__all__ = ["concretize_environment", "concretize_specs"]


def concretize_specs(
    session: Session, specs: Sequence[Spec], concretize_options: ConcretizeOptions
) -> Solution:
    """See :meth:`spack.session.Session.concretize`."""
    environment = session.environment
    develop = environment.develop_specs(session.variables) if environment else ()
    wanted, given = without_files(specs)
    roots = [Root(spec) for spec in wanted]
    named = [*given, *_locked(environment, wanted)] if environment else given
    return _solve(session, roots, concretize_options, (), develop, needed=named)


def _locked(environment: Environment, wanted: Sequence[Spec]) -> list[ConcreteSpec]:
    """Return what the environment's lock file has under the hashes that *wanted* name."""
    prefixes = tuple(spec.hash_prefix for spec in wanted if spec.hash_prefix)
    if not prefixes:
        return []
    nodes = {node.dag_hash(): node for root in environment.roots() for node in root.traverse()}
    return [node for digest, node in nodes.items() if digest.startswith(prefixes)]


def concretize_environment(
    session: Session,
    environment: Environment,
    concretize_options: ConcretizeOptions,
    force: bool,
    more: Sequence[ConcreteSpec],
) -> Solution:
    """See :meth:`spack.session.Session.concretize_environment`."""
    again = force or session.settings.concretizer.force
    develop = environment.develop_specs(session.variables)
    groups = environment.groups()
    solved: dict[str, Solution] = {}
    for group in solve_order(groups):
        roots = [Root(parse_at(item.text, item.origin), str(item.origin)) for item in group.specs]
        # One group does not use what another has, unless it needs that group.
        fixed = () if again else environment.locked_for(group.name, alone=len(groups) == 1)
        needed = [x for name in group.needs if name in solved for x in solved[name].roots]
        within = session if group.override is None else session.with_override(group.override)
        solved[group.name] = _solve(
            within, roots, concretize_options, fixed, develop=develop, needed=[*more, *needed]
        )
    if len(solved) == 1:
        return next(iter(solved.values()))
    every = [solved[group.name] for group in groups]
    return Solution(
        tuple(root for solution in every for root in solution.roots),
        held_back=tuple(dict.fromkeys(row for solution in every for row in solution.held_back)),
    )


class _WheelsWhenAsked:
    """The session's wheels of the index; start-up: most solutions ask for none."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def project(self, recipe: Recipe) -> str | None:
        return self._session.wheels.project(recipe)

    def start(self, project: str) -> None:
        self._session.wheels.start(project)

    def table(self, project: str) -> WheelTable | str:
        return self._session.wheels.table(project)


def _solve(
    session: Session,
    roots: Sequence[Root],
    concretize_options: ConcretizeOptions,
    fixed: Sequence[ConcreteSpec],
    develop: Sequence[DevelopSpec],
    needed: Sequence[ConcreteSpec] = (),
) -> Solution:
    """Solve for *roots*.

    :param fixed: what an environment has decided. :param needed: what may be used although it is
        neither installed nor part of that, whatever ``concretizer:reuse`` says.
    """
    machine = concretize_options.machine
    if machine is not None:
        from spack.session.machine_parts import session_for  # start-up: few users need it

        session = session_for(session, machine)
        concretize_options = concretize_options.with_reuse(False)
    settings = session.settings
    reuse = settings.concretizer.reuse_settings
    packages = of_system(session.packages, session.host.platform, session.host.os)
    packages = with_external_dependencies(packages)
    if settings.toolchains:
        from spack.config.toolchains import with_toolchains  # start-up: few users have any

        packages = with_toolchains(packages, settings.toolchains)
        roots = [_expanded(root, settings.toolchains) for root in roots]
    host = session.host
    if not settings.concretizer.host_compatible:
        host = host.with_every_target()
    database: Database | None = session.store.database
    asked = concretize_options.reuse
    if needed and (settings.concretizer.reuse if asked is None else asked) is False:
        # The solver reuses all or nothing: nothing but what is needed is offered.
        database, fixed = None, ()
        concretize_options = concretize_options.with_reuse(True)
    recipes, roots = with_index_projects(session, roots)
    wanted = [root.spec for root in roots]
    caches = _caches(session) if concretize_options.caches and database is not None else ()

    def solve() -> Solution:
        return concretize(
            roots,
            recipes,
            host,
            packages,
            settings=settings.concretizer,
            workers=min(settings.config.build_jobs, available_cores()),
            reusable=InstalledSpecs(
                database,
                reuse,
                wanted,
                [*fixed, *needed],
                caches=caches,
                systems=((host.platform, host.os),),
            ),
            concretize_options=concretize_options,
            deprecated=settings.config.deprecated,
            develop={row.name: Root(row.constraint, str(row.origin)) for row in develop},
            wheels=_WheelsWhenAsked(session),
        )

    if fixed or needed or develop or caches or recipes is not session.recipes:
        solution = solve()
    else:
        solution = _once(session, (roots, concretize_options, packages, host), solve)
    for held_back in solution.held_back:
        session.reporter.report(RootHeldBack(held_back))
    return solution


def _once(
    session: Session,
    asked: tuple[Sequence[Root], ConcretizeOptions, Mapping[str, PackageSettings], Host],
    solve: Callable[[], Solution],
) -> Solution:
    """Return the kept answer to what is *asked*, else that of *solve*, which is kept then.

    What the package index or an upstream offers can change without a trace on this machine.
    """
    roots, options, packages, host = asked
    database, settings = session.store.database, session.settings
    recipes = session.recipes.identity()
    policy = options.wheels or settings.concretizer.wheels
    if recipes is None or policy != "never" or settings.upstreams:
        return solve()
    cache = SolutionCache(session.cache / "solutions")
    text = question(
        roots, options, settings, packages, host=host, database=database.path, recipes=recipes
    )
    solution = None if options.again else cache.read(text)
    if solution is None:
        solution = solve()
        if solution.stats.optimal and not _depends_on_index(roots, packages, solution):
            cache.write(text, solution)
    return solution


def _depends_on_index(
    roots: Sequence[Root], packages: Mapping[str, PackageSettings], solution: Solution
) -> bool:
    """Return whether the user asks for wheels of some package, or the solution has one."""
    asked = f"{[str(root.spec) for root in roots]} {packages}"
    return BINARY in asked or any(
        wheel_of(node) is not None for root in solution.roots for node in root.traverse()
    )


def _caches(session: Session) -> Sequence[Database]:
    """Return what caches of binaries have; nothing is imported where there are none."""
    if not any(entry.binary for entry in session.settings.mirrors):
        return ()
    from spack.session.binary_parts import cached_databases  # start-up: see above

    return cached_databases(session)


def _expanded(root: Root, toolchains: Mapping[str, Spec]) -> Root:
    try:
        return Root(expand_toolchains(root.spec, toolchains), root.origin)
    except SpecError as error:
        raise error.at(root.origin) from error
