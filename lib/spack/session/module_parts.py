"""Module files: what they are written with, and those that follow what is installed and removed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from spack.config.module_settings import MODULE_KINDS, ModuleKind
from spack.errors import ConfigError, SpackError

if TYPE_CHECKING:
    from spack.actions.module_files import ModuleFiles, ViewOfModules
    from spack.session.session import Session

__all__ = ["follow_installs", "follow_removals", "module_files"]


def module_files(session: Session, kind: ModuleKind, name: str) -> ModuleFiles:
    """Return the module files of a set.

    :raises ConfigError: there is no set of that name.
    """
    # start-up: most installs write none
    from spack.actions.module_files import ModuleFiles, ModuleWork
    from spack.store import modes_of

    sets, settings = session.settings.module_sets, session.settings
    if name not in sets:
        raise ConfigError(
            f"there is no set of modules named {name}",
            facts={"name": name},
            hint=f"modules.yaml has {', '.join(sets) or 'none'}",
            ref="module-set",
        )
    module_set = sets[name]
    return ModuleFiles(
        ModuleWork(
            store=session.store,
            module_set=module_set,
            kind=kind,
            recipe=session.recipes.get,
            modes=lambda package: modes_of(
                settings.permissions(package), settings.config.allow_sgid
            ),
            upstreams=settings.upstream_modules(kind),
            view=_view(session, module_set.use_view) if module_set.use_view else None,
        )
    )


def _view(session: Session, wanted: bool | str) -> ViewOfModules | None:
    """Return the view of the active environment that modules show, None without one."""
    from spack.actions.module_files import ViewOfModules  # start-up: see above

    environment = session.environment
    if environment is None:
        return None
    variables = session.variables.with_values(env=str(environment.path))
    name = "default" if wanted is True else wanted
    for view in environment.views(variables):
        if view.name == name:
            return ViewOfModules(view, environment.roots_of(view.groups))
    return None


def _enabled(session: Session) -> Iterator[ModuleFiles]:
    for module_set in session.settings.module_sets.values():
        for kind in module_set.enable:
            yield module_files(session, kind, module_set.name)


def follow_installs(session: Session, hashes: Iterable[str]) -> None:
    """Write the modules of what was installed, as far as ``enable`` in ``modules.yaml`` asks.

    A module that cannot be written is a warning: the package is installed.
    """
    wanted = list(hashes)
    for files in _enabled(session) if wanted else ():
        try:
            found = session.store.database.specs(wanted)
            files.write(list(found.values()))
        except (SpackError, OSError) as error:
            session.reporter.warning(f"module files are not written: {error}")


def follow_removals(session: Session, hashes: Iterable[str]) -> None:
    """Remove the modules of packages that were removed, of all sets."""
    removed = list(hashes)
    for name in session.settings.module_sets if removed else ():
        for kind in MODULE_KINDS:
            files = module_files(session, kind, name)
            if files.root.is_dir():
                try:
                    files.remove(removed)
                except (SpackError, OSError) as error:
                    session.reporter.warning(f"module files are not removed: {error}")
