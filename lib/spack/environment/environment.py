"""Finding, making and removing environments.

``-e NAME`` is a named environment, or a directory with a ``spack.yaml``; a name wins over a
directory of the same spelling unless it is written with a slash.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Callable

from spack.config.schema import suggestion
from spack.environment.lockfile import LOCKFILE_NAME, read_lockfile
from spack.environment.named_environments import (
    MANIFEST_NAME,
    is_environment,
    list_environments,
)
from spack.environment.spack_yaml import (
    DEFAULT_TEXT,
    STATE_FOLDER,
    EnvironmentManifest,
)
from spack.errors import EnvironmentFileError
from spack.util import yaml
from spack.util.filesystem import atomic_write, remove_tree
from spack.util.lock import FileLock

if TYPE_CHECKING:
    from spack.config.variables import Variables
    from spack.environment.develop_specs import DevelopSpec
    from spack.environment.groups import SpecGroup
    from spack.environment.lockfile import Lockfile
    from spack.environment.spack_yaml import (
        UserSpec,
        ViewDescriptor,
    )
    from spack.spec import ConcreteSpec, Spec

__all__ = [
    "Environment",
    "create_environment",
    "find_environment",
    "need_name",
    "remove_environment",
]

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*\Z")

#: Gives what ``when`` of definitions may ask; see :mod:`spack.environment.definitions`.
Names = Callable[[], Mapping[str, Any]]


class Environment:
    """One environment; its files are read when first asked for.

    :param path: its directory, absolute.
    :param name: of a named environment; otherwise the directory's name.
    :param names: asked when there are definitions.
    """

    def __init__(
        self,
        path: Path,
        name: str = "",
        cache: str | None = None,
        *,
        named: bool = False,
        names: Names = dict,
    ) -> None:
        self.path = path
        self.name = name or path.name
        self.named = named
        self._cache = cache
        self._names = names

    @cached_property
    def manifest(self) -> EnvironmentManifest:
        """``spack.yaml``.

        :raises ConfigError: it is malformed.
        """
        return EnvironmentManifest.read(self.path / MANIFEST_NAME, self._cache)

    @property
    def lockfile_path(self) -> Path:
        """``spack.lock``, which may not be there."""
        return self.path / LOCKFILE_NAME

    @cached_property
    def lockfile(self) -> Lockfile | None:
        """``spack.lock``; None before the environment is concretized.

        :raises EnvironmentFileError: it is damaged.
        """
        return read_lockfile(self.lockfile_path)

    @property
    def state_folder(self) -> Path:
        """What the tool keeps for itself."""
        return self.path / STATE_FOLDER

    def roots(self) -> tuple[ConcreteSpec, ...]:
        """Return the concrete roots; none before the environment is concretized."""
        lock = self.lockfile
        try:
            return () if lock is None else lock.concrete_roots()
        except EnvironmentFileError as error:
            raise error.at(self.lockfile_path) from error

    def hashes(self) -> frozenset[str]:
        """Return the hashes of the roots and everything that they need."""
        return frozenset(node.dag_hash() for root in self.roots() for node in root.traverse())

    def user_specs(self) -> tuple[UserSpec, ...]:
        """Return the roots that ``spack.yaml`` asks for.

        See :meth:`EnvironmentManifest.user_specs`.
        """
        return self.manifest.user_specs(self._known_names())

    def groups(self) -> tuple[SpecGroup, ...]:
        """Return the groups of roots; see :meth:`EnvironmentManifest.groups`."""
        return self.manifest.groups(self._known_names())

    def roots_of(self, groups: Sequence[str]) -> tuple[ConcreteSpec, ...]:
        """Return the concrete roots of these groups; all roots if *groups* is empty."""
        lock = self.lockfile
        if lock is None or not groups:
            return self.roots()
        hashes = {root.hash for root in lock.roots if root.group in groups}
        return tuple(root for root in self.roots() if root.dag_hash() in hashes)

    def implicit_roots(self) -> frozenset[str]:
        """Return the hashes of roots that are only in groups with ``explicit: false``."""
        hidden = {group.name for group in self.groups() if not group.explicit}
        rows = self.lockfile.roots if self.lockfile is not None and hidden else ()
        shown = {row.hash for row in rows if row.group not in hidden}
        return frozenset(row.hash for row in rows if row.group in hidden and row.hash not in shown)

    def locked_for(self, group: str, alone: bool) -> tuple[ConcreteSpec, ...]:
        """Return the concrete roots that *group* stays with; all, where it is *alone*."""
        return self.roots() if alone else self.roots_of([group])

    def _known_names(self) -> Mapping[str, Any]:
        return self._names() if self.manifest.has_definitions else {}

    def views(self, variables: Variables | None = None) -> tuple[ViewDescriptor, ...]:
        """Return the views that ``spack.yaml`` asks for."""
        return self.manifest.views(variables)

    def default_view(self, variables: Variables | None = None) -> ViewDescriptor | None:
        """Return the view that activation shows: the one named ``default``, else the only one."""
        views = self.views(variables)
        chosen = [view for view in views if view.name == "default"]
        return chosen[0] if chosen else views[0] if len(views) == 1 else None

    def add(self, specs: Sequence[str], definition: str = "") -> None:
        """Add roots to ``spack.yaml``; see :meth:`EnvironmentManifest.added`."""
        self._edited(self.manifest.added(specs, definition))

    def remove(self, specs: Sequence[str], definition: str = "") -> None:
        """Remove roots from ``spack.yaml``; see :meth:`EnvironmentManifest.removed`."""
        self._edited(self.manifest.removed(specs, definition, self._known_names()))

    def respecify(self, change: Callable[[str], str], definition: str = "") -> None:
        """Change roots in ``spack.yaml``; see :meth:`EnvironmentManifest.respecified`."""
        self._edited(self.manifest.respecified(change, definition))

    def develop_specs(self, variables: Variables | None = None) -> tuple[DevelopSpec, ...]:
        """Return the packages that are built from directories."""
        return self.manifest.develop(variables)

    def develop(self, spec: Spec, path: str) -> None:
        """Let ``spack.yaml`` say that the package of *spec* is built from *path*."""
        self._edited(self.manifest.developed(spec, path))

    def undevelop(self, names: Sequence[str]) -> None:
        """Undo that; see :meth:`EnvironmentManifest.undeveloped`."""
        self._edited(self.manifest.undeveloped(names))

    def include(self, paths: Sequence[str]) -> None:
        """Let ``spack.yaml`` include the concrete specs of the environments in *paths*."""
        self._edited(self.manifest.including(paths))

    def set_view(self, view: bool | str) -> None:
        """Write ``view:`` into ``spack.yaml``: on, off, or a path."""
        self._edited(self.manifest.with_view(view))

    def write_lockfile(self, lockfile: Lockfile) -> None:
        """Write ``spack.lock``."""
        lockfile.write(self.lockfile_path)
        self.__dict__["lockfile"] = lockfile

    def lock(self, timeout: float | None = None) -> FileLock:
        """Return the lock that a process holds while it changes the environment.

        :raises EnvironmentFileError: its directory cannot be written.
        """
        path = self.state_folder / "lock"
        try:
            self.state_folder.mkdir(exist_ok=True)
            path.touch()
        except OSError as error:
            raise EnvironmentFileError(
                f"the environment {self.path} cannot be changed: {error.strerror}",
                facts={"path": str(self.path)},
                hint="make its directory writable, or copy it",
                ref="environment-write",
            ) from error
        return FileLock(path, timeout)

    def _edited(self, manifest: EnvironmentManifest) -> None:
        self.__dict__["manifest"] = manifest

    def __repr__(self) -> str:
        return f"Environment({str(self.path)!r})"


def find_environment(
    name: str,
    environments_root: Path,
    cwd: Path,
    *,
    directory_only: bool = False,
    cache: str | None = None,
    names: Names = dict,
) -> Environment:
    """Return the environment called *name*, or the one in the directory *name*.

    :param directory_only: *name* is a directory, as ``$SPACK_ENV`` and ``-D`` are.
    :raises EnvironmentFileError: there is none; with the names that look alike.
    """
    if not name:
        raise EnvironmentFileError(
            "the name of the environment is empty",
            hint="is a variable of the shell unset?",
            ref="environment-name",
        )
    if not directory_only and _NAME.match(name):
        path = environments_root / name
        if is_environment(path):
            return Environment(path, name, cache, named=True, names=names)
    path = cwd / name
    if path.name == MANIFEST_NAME and path.is_file():
        path = path.parent
    if is_environment(path):
        named = path.parent == environments_root
        # abspath, not resolve: a path through a symbolic link stays what the user wrote.
        location = Path(os.path.abspath(path))
        return Environment(location, path.name, cache, named=named, names=names)
    known = list_environments(environments_root)
    if directory_only or "/" in name:
        message = f"{path} has no {MANIFEST_NAME}"
        hint = f"make an environment of it: spack env create -d {name}"
    else:
        message = f"there is no environment named '{name}'"
        hint = suggestion(name, known) or f"make it: spack env create {name}"
    raise EnvironmentFileError(
        message, facts={"name": name, "known": known}, hint=hint, ref="environment-unknown"
    )


def need_name(name: str) -> None:
    """Refuse what cannot be the name of an environment.

    :raises EnvironmentFileError: it has characters that names do not have.
    """
    if not _NAME.match(name):
        raise EnvironmentFileError(
            f"'{name}' cannot be the name of an environment",
            facts={"name": name},
            hint="use letters, digits, '_', '-' and '.'; for a directory: spack env create -d DIR",
            ref="environment-name",
        )


def create_environment(
    path: Path, name: str = "", text: str = "", lock_text: str = "", cache: str | None = None
) -> Environment:
    """Make an environment in the directory *path*.

    :param name: for a named environment, the last component of *path*.
    :param text: of its ``spack.yaml``; an empty environment if not given.
    :param lock_text: of its ``spack.lock``, if it starts with one.
    :raises EnvironmentFileError: a bad name; there is one already; it cannot be written.
    :raises ConfigError: *text* is malformed; nothing is written then.
    """
    if name:
        need_name(name)
    if is_environment(path):
        what = f"an environment named '{name}'" if name else f"an environment in {path}"
        raise EnvironmentFileError(
            f"there is already {what}",
            facts={"path": str(path)},
            hint="remove it first, or choose another name",
            ref="environment-exists",
        )
    text = text or DEFAULT_TEXT
    EnvironmentManifest(yaml.load(str(path / MANIFEST_NAME), text))
    try:
        path.mkdir(parents=True, exist_ok=True)
        if lock_text:
            atomic_write(path / LOCKFILE_NAME, lock_text)
        atomic_write(path / MANIFEST_NAME, text)
    except OSError as error:
        raise EnvironmentFileError(
            f"the environment {path} cannot be made: {error.strerror}",
            facts={"path": str(path)},
            ref="environment-write",
        ) from error
    return Environment(path, name, cache, named=bool(name))


def remove_environment(environment: Environment) -> None:
    """Remove a named environment with all in its directory; views elsewhere are the caller's.

    :raises EnvironmentFileError: it is not a named one, or cannot be removed.
    """
    if not environment.named:
        raise EnvironmentFileError(
            f"{environment.path} is a local directory and is not removed",
            facts={"path": str(environment.path)},
            hint="remove the directory yourself; what it asked for goes with `spack uninstall`, "
            "and what only that needed with `spack gc`",
            ref="environment-directory",
        )
    try:
        remove_tree(environment.path)
    except OSError as error:
        raise EnvironmentFileError(
            f"the environment {environment.name} cannot be removed: {error.strerror}",
            facts={"path": str(environment.path)},
            ref="environment-write",
        ) from error
