"""The input of environment updates: what a session knows of them and beside them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spack.actions.environments import EnvironmentWork, known_environments
from spack.config.schema import Origin, strip
from spack.environment.named_environments import is_environment
from spack.errors import EnvironmentFileError

if TYPE_CHECKING:
    from spack.environment import Environment
    from spack.session.session import Session

__all__ = ["environment_work", "own_configuration"]


def environment_work(session: Session, environment: Environment) -> EnvironmentWork:
    """See :meth:`spack.session.Session.environment_work`."""
    root = session.base_settings.config.environments_root
    return EnvironmentWork(
        environment=environment,
        configuration=own_configuration(session, environment),
        views=environment.views(session.variables),
        solve=lambda concretize_options, force, more: session.concretize_environment(
            environment, concretize_options, force, more
        ),
        store=session.store,
        recipes=lambda: session.recipes,
        view_parts=lambda: session.view_parts,
        register=session.environments_file,
        reporter=session.reporter,
        included=_included(environment, root, session),
        registered=lambda: known_environments(root, session.environments_file),
        variables=session.variables,
        excluded_directories=session.excluded_directories,
    )


def own_configuration(session: Session, environment: Environment) -> Mapping[str, Any]:
    """Return what *environment* itself configures and its lock follows, as plain data."""
    own = session.environment_settings(environment)
    configuration = {section: own.data(section) for section in ("packages", "concretizer")}
    toolchains = own.data("toolchains")
    if toolchains:
        configuration["toolchains"] = toolchains
    develop = environment.develop_specs(session.variables)
    if develop:
        configuration["develop"] = sorted(str(row.constraint) for row in develop)
    groups = [
        [group.name, sorted(group.needs), strip(group.override) if group.override else None]
        for group in environment.groups()
        if group.needs or group.override
    ]
    if groups:
        configuration["groups"] = groups
    return configuration


def _included(environment: Environment, root: Path, session: Session) -> dict[Path, Origin]:
    """Return the directories of included environments; one without a slash may be a name."""
    found: dict[Path, Origin] = {}
    for text, (path, origin) in environment.manifest.included(session.variables):
        location = Path(path)
        if os.sep not in text and not is_environment(location) and is_environment(root / text):
            location = root / text
        if location.resolve() == environment.path.resolve():
            raise EnvironmentFileError(
                f"{origin}: an environment cannot include itself",
                facts={"path": str(location)},
                hint="remove the entry, or name another environment",
                ref="environment-include",
            )
        found[location] = origin
    return found
