"""The input of environment updates: what a session knows of them and beside them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spack.actions.environments import EnvironmentWork, known_environments

if TYPE_CHECKING:
    from spack.environment import Environment
    from spack.session.session import Session

__all__ = ["environment_work"]


def environment_work(session: Session, environment: Environment) -> EnvironmentWork:
    """See :meth:`spack.session.Session.environment_work`."""
    root = session.base_settings.config.environments_root
    own = session.environment_settings(environment)
    configuration = {section: own.data(section) for section in ("packages", "concretizer")}
    develop = environment.develop_specs(session.variables)
    if develop:
        configuration["develop"] = sorted(str(row.constraint) for row in develop)
    return EnvironmentWork(
        environment=environment,
        configuration=configuration,
        views=environment.views(session.variables),
        solve=lambda concretize_options, force: session.concretize_environment(
            environment, concretize_options, force
        ),
        store=session.store,
        recipes=lambda: session.recipes,
        share=session.locations.share,
        register=session.environments_file,
        reporter=session.reporter,
        library_path=session.library_path,
        splits_env=session.splits_env,
        registered=lambda: known_environments(root, session.environments_file),
        excluded_directories=session.excluded_directories,
    )
