"""Environments as directories: made, renamed, moved, tracked by a name, and removed."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Callable

from spack.actions.environments import remember
from spack.config.variables import Variables
from spack.environment import (
    Environment,
    ViewDescriptor,
    create_environment,
    remove_environment,
)
from spack.environment.environment import need_name
from spack.environment.lockfile import LOCKFILE_NAME, configuration_digest, read_lockfile
from spack.environment.manifest_copy import manifest_for_elsewhere, manifest_of_roots
from spack.environment.named_environments import MANIFEST_NAME, is_environment
from spack.environment.spack_yaml import DEFAULT_TEXT
from spack.errors import EnvironmentFileError, SpackError
from spack.util.filesystem import remove_tree

__all__ = ["create", "includers", "move", "remove", "temporary", "track", "untrack"]

_ACTIVE_HINT = "`spack env deactivate`, or run outside of it: spack -E env …"


def create(
    location: Path,
    name: str,
    source: Path | str | None = None,
    view: str | None = None,
    *,
    keep_relative: bool = False,
    included: Sequence[Path] = (),
    configuration: Callable[[Environment], Mapping[str, Any]] = lambda environment: {},
) -> Environment:
    """Make an environment in *location*.

    :param name: empty for one in a directory of the user's.
    :param source: what to start from: a ``spack.yaml``, a ``spack.lock``, or the directory of an
        environment; a text is that of its ``spack.yaml``.
    :param view: ``false`` or a path, instead of what the file says.
    :param keep_relative: relative paths of *source* stay as they are; otherwise they are made
        absolute, so that they mean what they meant.
    :param included: the environments whose concrete specs are part of the new one.
    :param configuration: returns what the new environment configures, for its lock.
    :raises EnvironmentFileError: there is one already, or *source* cannot be read.
    """
    text, lock_text = source if isinstance(source, str) else "", ""
    lock = None
    if isinstance(source, Path):
        text, lock_text = _texts(source, keep_relative or source.parent == location)
        lock = None if text else read_lockfile(source)
    if lock is not None:
        specs = [root.spec for root in lock.roots]
        text = manifest_of_roots(DEFAULT_TEXT, specs, location / MANIFEST_NAME)
    environment = create_environment(location, name, text, lock_text if lock is None else "")
    if view is not None:
        environment.set_view(False if view == "false" else view)
    if included:
        environment.include([str(path) for path in included])
    if lock is not None:
        digest = configuration_digest(configuration(environment))
        environment.write_lockfile(lock.replace(configuration=digest))
    return environment


def _texts(source: Path, keep_relative: bool) -> tuple[str, str]:
    """Return the texts of ``spack.yaml`` and ``spack.lock``; empty where there is none."""
    lockfile = source if source.suffix == ".lock" else source / LOCKFILE_NAME
    manifest = source
    if source.is_dir() or source == lockfile:
        manifest = lockfile.with_name(MANIFEST_NAME)
    try:
        text, lock = "", ""
        if source != lockfile or manifest.exists():
            text = manifest.read_text(encoding="utf-8")
        if source == lockfile or lockfile.is_file():
            lock = lockfile.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise EnvironmentFileError(
            f"{source} cannot be read: {error}",
            hint="give a spack.yaml, a spack.lock, or the name or directory of an environment",
            ref="environment-source",
        ) from error
    return text if keep_relative or not text else manifest_for_elsewhere(manifest, text), lock


def remove(
    environment: Environment,
    views: Iterable[ViewDescriptor],
    active: Environment | None = None,
    including: Sequence[Environment] = (),
) -> None:
    """Remove a named environment with its views.

    :param active: the active environment, which is not removed.
    :param including: the environments that include it, which would be left without it.
    :raises EnvironmentFileError: it is active or included, or a directory of the user's.
    """
    from spack.view.apply import remove_view
    from spack.view.view_manifest import is_view

    if active is not None and active.path.resolve() == environment.path.resolve():
        raise EnvironmentFileError(
            f"cannot remove {environment.name}: it is the active environment",
            facts={"path": str(environment.path)},
            hint=_ACTIVE_HINT,
            ref="environment-active",
        )
    if including:
        names = ", ".join(x.name if x.named else str(x.path) for x in including)
        raise EnvironmentFileError(
            f"cannot remove {environment.name}: it is included by {names}",
            facts={"path": str(environment.path)},
            hint="take it out of their `include_concrete`, or give --force",
            ref="environment-included",
        )
    for view in views if environment.named else ():
        if is_view(view.root) and environment.path not in Path(view.root).parents:
            remove_view(view.root)
    remove_environment(environment)


def includers(
    environment: Environment, known: Iterable[Environment], variables: Variables | None = None
) -> tuple[Environment, ...]:
    """Return those of *known* that include what *environment* is concretized to."""
    path = environment.path.resolve()
    found = []
    for candidate in known:
        try:
            paths = candidate.manifest.included(variables)
        except SpackError:
            continue  # what cannot be read includes nothing
        if path in [Path(tree.value).resolve() for _, tree in paths]:
            found.append(candidate)
    return tuple(found)


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
    if target.resolve() == environment.path.resolve():
        raise EnvironmentFileError(
            f"{environment.name} is at {target} already",
            facts={"path": str(target)},
            hint="choose another name",
            ref="environment-exists",
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
