"""What the solver is asked with: what a session knows, put together when it has to run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from spack.actions.concretizing import ConcretizeOptions, allowed, concretize, reusable_specs
from spack.actions.environments import parse_at
from spack.solver.problem import Root, Solution
from spack.spec import ConcreteSpec, Spec

if TYPE_CHECKING:
    from spack.environment import DevelopSpec, Environment
    from spack.session.session import Session

__all__ = ["concretize_environment", "concretize_specs"]


def concretize_specs(
    session: Session, specs: Sequence[Spec], concretize_options: ConcretizeOptions
) -> Solution:
    """See :meth:`spack.session.Session.concretize`."""
    environment = session.environment
    develop = environment.develop_specs(session.variables) if environment else ()
    return _solve(session, [Root(spec) for spec in specs], concretize_options, (), develop)


def concretize_environment(
    session: Session, environment: Environment, concretize_options: ConcretizeOptions, force: bool
) -> Solution:
    """See :meth:`spack.session.Session.concretize_environment`."""
    roots = [
        Root(parse_at(item.text, item.origin), str(item.origin))
        for item in environment.user_specs()
    ]
    fixed = () if force or session.settings.concretizer.force else environment.roots()
    develop = environment.develop_specs(session.variables)
    return _solve(session, roots, concretize_options, fixed, develop)


def _solve(
    session: Session,
    roots: Sequence[Root],
    concretize_options: ConcretizeOptions,
    fixed: Sequence[ConcreteSpec],
    develop: Sequence[DevelopSpec],
) -> Solution:
    settings = session.settings
    reuse = settings.concretizer.reuse_settings
    wanted = [root.spec for root in roots]
    reusable = allowed(session.store.database.specs(), reuse, wanted)
    return concretize(
        roots,
        session.recipes,
        session.host,
        session.packages,
        settings=settings.concretizer,
        reusable=reusable_specs(reusable, fixed),
        concretize_options=concretize_options,
        deprecated=settings.config.deprecated,
        develop={row.name: Root(row.constraint, str(row.origin)) for row in develop},
    )
