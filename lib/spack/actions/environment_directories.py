"""Environments as directories: renamed, moved, tracked by a name, and made for a while."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

from spack.actions.environments import create, remember
from spack.environment import Environment
from spack.environment.environment import is_environment, need_name
from spack.errors import EnvironmentFileError
from spack.util.filesystem import remove_tree

__all__ = ["move", "temporary", "track", "untrack"]

_ACTIVE_HINT = "`spack env deactivate`, or run outside of it: spack -E env …"


def move(
    environment: Environment, target: Path, active: Environment | None, *, force: bool = False
) -> None:
    """Move the directory of *environment* to *target*; its view needs no repair.

    :param active: the active environment, which is neither moved nor replaced.
    :param force: replace what is at *target*: an environment, or an empty directory.
    :raises EnvironmentFileError: it is active; something is at *target*; it cannot be moved.
    """
    for path, what in ((environment.path, "rename"), (target, "replace")):
        if active is not None and active.path == path:
            raise EnvironmentFileError(
                f"cannot {what} {active.name}: it is the active environment",
                facts={"path": str(path)},
                hint=_ACTIVE_HINT,
                ref="environment-active",
            )
    with environment.lock():
        _make_room(target, force)
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            if environment.path.is_symlink():  # a tracked one: its directory stays
                os.rename(environment.path, target)
            else:
                shutil.move(str(environment.path), str(target))
        except OSError as error:
            raise EnvironmentFileError(
                f"cannot move {environment.path} to {target}: {error.strerror or error}",
                facts={"path": str(environment.path)},
                hint="make both directories writable",
                ref="environment-write",
            ) from error


def _make_room(target: Path, force: bool) -> None:
    if not os.path.lexists(target):
        return
    if not force:
        what = "an environment" if is_environment(target) else "a file or directory"
        raise EnvironmentFileError(
            f"there is already {what} at {target}",
            facts={"path": str(target)},
            hint="choose another name, or replace it with --force",
            ref="environment-exists",
        )
    empty = target.is_dir() and not any(target.iterdir())
    if not (is_environment(target) or empty):
        raise EnvironmentFileError(
            f"{target} is not an environment, so --force does not replace it",
            facts={"path": str(target)},
            hint="choose another path, or remove it yourself",
            ref="environment-exists",
        )
    remove_tree(target)


def track(path: Path, root: Path, name: str) -> Path:
    """Give the environment in the directory *path* a name below *root*; return the link.

    :raises EnvironmentFileError: *path* has no environment, or the name is not free.
    """
    if not is_environment(path):
        raise EnvironmentFileError(
            f"cannot track {path}: it has no spack.yaml",
            facts={"path": str(path)},
            hint=f"make an environment of it: spack env create -d {path}",
            ref="environment-unknown",
        )
    need_name(name)
    link = root / name
    if os.path.lexists(link):
        raise EnvironmentFileError(
            f"there is already an environment named '{name}'",
            facts={"path": str(link)},
            hint=f"choose another name: spack env track --name NAME {path}",
            ref="environment-exists",
        )
    root.mkdir(parents=True, exist_ok=True)
    link.symlink_to(path, target_is_directory=True)
    return link


def untrack(environment: Environment, register: Path) -> Path:
    """Take the name of a tracked environment away; return its directory, which stays.

    :param register: where environments in directories are remembered, as this is one again.
    :raises EnvironmentFileError: it is not tracked.
    """
    if not environment.path.is_symlink():
        raise EnvironmentFileError(
            f"{environment.name} is not tracked: it is in {environment.path} itself",
            facts={"path": str(environment.path)},
            hint=f"to remove it with its directory: spack env remove {environment.name}",
            ref="environment-directory",
        )
    path = environment.path.resolve()
    environment.path.unlink()
    if is_environment(path):
        remember(Environment(path), register)
    return path


def temporary(directory: str, view: str | None, register: Path) -> Environment:
    """Make an environment in a new directory below *directory*, which is the user's to remove."""
    path = Path(tempfile.mkdtemp(prefix="spack-", dir=directory))
    environment = create(path, "", None, view)
    remember(environment, register)
    return environment
