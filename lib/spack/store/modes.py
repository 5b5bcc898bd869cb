"""The permissions of what is installed, whatever the umask and the build say.

Files are read-only: views link to them, and what is written through a hard link would change the
store. The right to replace and remove packages follows from the directories. A configuration that
lets a group or everybody write (``packages:all:permissions:write``) says so of files, too, as in
Spack; such a store is not protected.

==================  ===============================  ==============================
``permissions``     directories                      files (programs: as in brackets)
==================  ===============================  ==============================
read: world         755                              444 (555)
read: group         750                              440 (550)
read: user          700                              400 (500)
write: group        g+w, and g+s                     u+w, g+w
write: world        g+w, o+w, and g+s                u+w, g+w, o+w
group: NAME         of that group, and g+s           of that group
==================  ===============================  ==============================

``config:allow_sgid: false`` leaves out g+s, with which new files get the group of their directory.
A file keeps neither set-user-id nor set-group-id: as in Nix, a store from which everybody links
and copies are not for them.
"""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from spack.errors import ConfigError, StoreError

if TYPE_CHECKING:
    from spack.config.packages import Permissions

__all__ = ["Modes", "apply_modes", "modes_of"]

_MASKS = {"user": 0o700, "group": 0o770, "world": 0o777}
_READ, _WRITE, _RUN = 0o555, 0o222, 0o111
_SET_ID = stat.S_ISUID | stat.S_ISGID


class Modes(NamedTuple):
    """The modes of directories, files and programs; *group* is a group id."""

    directory: int = 0o755
    file: int = 0o444
    program: int = 0o555
    group: int | None = None

    def of(self, mode: int) -> int:
        """Return the permission bits of a file whose ``st_mode`` is *mode*."""
        if stat.S_ISDIR(mode):
            return self.directory
        return self.program if mode & _RUN else self.file


def modes_of(permissions: Permissions, allow_sgid: bool = True) -> Modes:
    """Return the modes that the configuration describes.

    :raises ConfigError: more may write than read, or the group is not known here.
    """
    readers = _MASKS[permissions.read or "world"]
    writers = _MASKS[permissions.write or "user"]
    if writers & ~readers:
        raise ConfigError(
            f"permissions: write: {permissions.write} lets more write than "
            f"read: {permissions.read} lets read",
            facts={"read": permissions.read, "write": permissions.write},
            hint="give 'read' at least the value of 'write', in packages.yaml",
            ref="permissions",
        )
    group = None if permissions.group is None else _group_id(permissions.group)
    shared = writers != _MASKS["user"]
    file = readers & _READ | (writers & _WRITE if shared else 0)
    sticky = stat.S_ISGID if allow_sgid and (shared or group is not None) else 0
    directory = readers & (_READ | _RUN) | writers & _WRITE | sticky
    return Modes(directory, file & ~_RUN, file | readers & _RUN, group)


def _group_id(name: str) -> int:
    import grp  # start-up: few configurations name a group

    if name.isdigit():  # a group without a name, as in containers
        return int(name)
    try:
        return grp.getgrnam(name).gr_gid
    except KeyError:
        raise ConfigError(
            f"permissions: the group '{name}' is not known on this machine",
            facts={"group": name},
            hint="name one that 'getent group' shows, in packages.yaml",
            ref="permissions",
        ) from None


_NOT_YOURS = "set packages:all:permissions to what you may give: one of your groups"
_TOO_LONG = "let the recipe remove it: no program can open a path of this length"

#: Characters of a path that messages show.
_PATH_LENGTH = 200


def _shortened(path: str) -> str:
    return path if len(path) <= _PATH_LENGTH else f"{path[:_PATH_LENGTH]}..."


def apply_modes(root: Path, modes: Modes) -> tuple[str, ...]:
    """Give everything at and below *root* its mode and group; links are not followed.

    :return: the files that lost set-user-id or set-group-id, relative to *root*.
    :raises StoreError: if that is not permitted (another user's files, a group of other users).
    """
    lost: list[str] = []
    location = str(root)
    try:
        _apply(location, os.lstat(location), modes)
        pending = [location]
        while pending:
            with os.scandir(pending.pop()) as entries:
                for entry in entries:
                    info = entry.stat(follow_symlinks=False)
                    if stat.S_ISREG(info.st_mode) and info.st_mode & _SET_ID:
                        lost.append(os.path.relpath(entry.path, location))
                    _apply(entry.path, info, modes)
                    if stat.S_ISDIR(info.st_mode):
                        pending.append(entry.path)
    except OSError as error:
        inside = os.path.relpath(os.fsdecode(error.filename or location), location)
        raise StoreError(
            f"{location}: cannot set the permissions of {_shortened(inside)}: {error.strerror}",
            facts={"path": str(error.filename or root), "errno": error.errno},
            hint=_TOO_LONG if error.errno == errno.ENAMETOOLONG else _NOT_YOURS,
            ref="store-permissions",
        ) from error
    return tuple(sorted(lost))


def _apply(path: str, info: os.stat_result, modes: Modes) -> None:
    if modes.group is not None and info.st_gid != modes.group:
        os.chown(path, -1, modes.group, follow_symlinks=False)
    if stat.S_ISDIR(info.st_mode) or stat.S_ISREG(info.st_mode):
        mode = modes.of(info.st_mode)
        # A change of the group may have cleared set-group-id.
        if stat.S_IMODE(info.st_mode) != mode or modes.group is not None:
            os.chmod(path, mode)
